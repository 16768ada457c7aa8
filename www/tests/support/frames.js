// How smooth a page is: the times of its frames, and the work of its own thread in them.

/** Half of the frames have to come at 60 a second, and 95 of 100 within so many milliseconds. */
const TYPICAL = 20;
const MOST = 50;
/** Milliseconds of work on the page's thread for a frame in which every row is another one; painting is part of it. */
const WORK = 16;
/** Milliseconds of work a frame of the yardstick: a page with so much to do has 60 frames a second on a machine of its own. */
const YARD = 12;
/** Other work of this machine makes frames late and never early: of several tries the best one counts. */
const TRIES = 5;
/** Nodes that may be there after it which were not before. */
const NODES = 2_000;

export class Frames {
  static async of(c) {
    const frames = new Frames();
    frames.page = c.page;
    // Time on the page's thread, which does not run while others have the processor.
    frames.cdp = await c.context.newCDPSession(c.page);
    await frames.cdp.send("Performance.enable", { timeDomain: "threadTicks" });
    /** What was late, in words. */
    frames.late = [];
    return frames;
  }

  /**
   * Does `work` (a function's body, with `i` and `steps`) in `steps` frames, and notes it if they are late. The limits hold
   * always: where this machine is so busy that frames with `YARD` of plain arithmetic, done right before each try, are late
   * themselves, they are as many milliseconds above those.
   */
  async check(name, work, steps, before = async () => {}) {
    const nodes = await this.#nodes();
    let best;
    for (let i = 0; i < TRIES && !(best?.over <= 1); i += 1) {
      await before();
      const yard = await this.#times(`let x = 0; for (let k = 0; k < ${await this.#rounds()}; k += 1) x = (x * 31 + k) | 0; window["yard"] = x;`, 40);
      const page = await this.#times(work, steps);
      const [typical, most] = [Math.max(TYPICAL, yard.typical + TYPICAL - 1000 / 60), Math.max(MOST, yard.most + MOST - 1000 / 60)];
      const text = `${page.own.toFixed(1)} ms of work a frame; ${steps} frames, median ${page.typical.toFixed(1)} ms (limit ${typical.toFixed(1)}), 95 of 100 within ${page.most.toFixed(1)} ms (limit ${most.toFixed(1)}), longest ${page.longest.toFixed(1)} ms`;
      console.log(`# ${name}: ${text}`);
      const over = Math.max(page.own / WORK, page.typical / typical, page.most / most);
      if (best === undefined || over < best.over) best = { over, text };
    }
    if (best.over > 1) this.late.push(`${name}: ${best.text}`);
    // What is drawn no more is gone, with whatever marked its place.
    const more = (await this.#nodes()) - nodes;
    if (more > NODES) this.late.push(`${name}: ${more} nodes more than before`);
  }

  /** Nodes of the document, comments too. */
  #nodes() {
    return this.page.evaluate(() => {
      const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
      let count = 0;
      while (walker.nextNode() !== null) count += 1;
      return count;
    });
  }

  /** Rounds of arithmetic that take `YARD` milliseconds of this thread. */
  async #rounds() {
    if (this.rounds === undefined) {
      const some = 20_000_000;
      const before = await this.#worked();
      await this.page.evaluate((some) => {
        let x = 0;
        for (let k = 0; k < some; k += 1) x = (x * 31 + k) | 0;
        window["yard"] = x;
      }, some);
      this.rounds = Math.round((some * YARD) / ((await this.#worked()) - before));
    }
    return this.rounds;
  }

  async #worked() {
    const { metrics } = await this.cdp.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value * 1_000;
  }

  async #times(work, steps) {
    const before = await this.#worked();
    const times = await this.page.evaluate(
      async ({ work, steps }) => {
        const step = new Function("i", "steps", work);
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        await frame();
        let last = await frame();
        const times = [];
        for (let i = 0; i < steps; i += 1) {
          step(i, steps);
          const now = await frame();
          times.push(now - last);
          last = now;
        }
        return times.sort((a, b) => a - b);
      },
      { work, steps },
    );
    const own = ((await this.#worked()) - before) / steps;
    const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
    return { own, typical: at(0.5), most: at(0.95), longest: at(1) };
  }
}
