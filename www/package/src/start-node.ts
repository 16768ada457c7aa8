// How Node starts what is a Worker in a page: a thread, so that a trap ends the thread and not the program, and a
// program that is busy does not miss a keep alive.

import { Worker, type TransferListItem } from "node:worker_threads";
import type { ModuleName, Port } from "../../src/muster/start";

export function start(module: ModuleName, url?: string | URL): Port {
  const file = module === "muster" ? "./node-worker.js" : "./node-worker-all.js";
  return new Thread(new URL(String(url ?? file), import.meta.url));
}

class Thread implements Port {
  onmessage: Port["onmessage"] = null;
  onerror: Port["onerror"] = null;
  readonly #worker: Worker;
  #ended = false;

  constructor(url: URL) {
    // Loaders and test runners of the program are not for this thread.
    this.#worker = new Worker(url, { execArgv: [] });
    this.#worker.on("message", (data: unknown) => this.onmessage?.({ data }));
    this.#worker.on("error", (error: Error) => this.onerror?.({ message: error.message }));
    this.#worker.on("exit", (code) => {
      if (!this.#ended) this.onerror?.({ message: `its thread ended with ${code}` });
    });
    // Until there is something to do.
    this.#worker.unref();
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    this.#worker.postMessage(message, transfer as TransferListItem[]);
  }

  terminate(): void {
    this.#ended = true;
    void this.#worker.terminate();
  }

  busy(busy: boolean): void {
    if (busy) this.#worker.ref();
    else this.#worker.unref();
  }
}
