// What a page and its Workers hold of memory, as the browser's own debugger says it after collecting garbage: JavaScript
// objects, the browser's objects behind them (sockets, listeners), and buffers. WebAssembly memory is the Worker's to
// tell: it is a buffer of its own that is never given back.

/** Speaks to the page and to each of its Workers. */
export class Heap {
  static async of(page) {
    const heap = new Heap();
    heap.session = await page.context().newCDPSession(page);
    heap.workers = new Map();
    heap.waiting = new Map();
    heap.last = 0;
    heap.session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
      if (targetInfo.type === "worker") heap.workers.set(sessionId, targetInfo);
    });
    heap.session.on("Target.detachedFromTarget", ({ sessionId }) => heap.workers.delete(sessionId));
    heap.session.on("Target.receivedMessageFromTarget", ({ message }) => {
      const { id, result, error } = JSON.parse(message);
      const asker = heap.waiting.get(id);
      heap.waiting.delete(id);
      if (error) asker?.reject(new Error(error.message));
      else asker?.resolve(result);
    });
    await heap.session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return heap;
  }

  /** A Worker's answer. */
  ask(sessionId, method, params = {}) {
    this.last += 1;
    const id = this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) }).catch(reject);
    });
  }

  /** Bytes of all of it. */
  async used() {
    return Object.values(await this.parts()).reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The page's, and its Workers'. */
  async parts() {
    const parts = { page: await this.of((method) => this.session.send(method)) };
    for (const [id, { title }] of this.workers) parts[title] = (parts[title] ?? 0) + (await this.of((method) => this.ask(id, method)));
    return parts;
  }

  async of(send) {
    // What only garbage held goes with the second one.
    for (let round = 0; round < 2; round += 1) await send("HeapProfiler.collectGarbage");
    const { usedSize, embedderHeapUsedSize = 0 } = await send("Runtime.getHeapUsage");
    return usedSize + embedderHeapUsedSize;
  }
}
