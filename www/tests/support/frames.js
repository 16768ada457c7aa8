// How smooth a page is: the times of its frames, and the work of its own thread in them.

/** Half of the frames have to come at 60 a second, and 95 of 100 within so many milliseconds. */
const TYPICAL = 20;
const MOST = 50;
/** Milliseconds of work on the page's thread for a frame in which every row is another one; painting is part of it. */
const WORK = 16;
/** Other work of this machine makes frames late and never early: of several tries the best one counts. */
const TRIES = 5;

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
   * always; where this machine has no 60 frames a second even for a page that does nothing, which is looked at right
   * before each try, they are as many milliseconds above what it has.
   */
  async check(name, work, steps, before = async () => {}) {
    let best;
    for (let i = 0; i < TRIES; i += 1) {
      await before();
      const idle = await this.#times("", 40);
      const busy = await this.#times(work, steps);
      const [typical, most] = [Math.max(TYPICAL, idle.typical + TYPICAL - 1000 / 60), Math.max(MOST, idle.most + MOST - 1000 / 60)];
      const text = `${busy.own.toFixed(1)} ms of work a frame; ${steps} frames, median ${busy.typical.toFixed(1)} ms (limit ${typical.toFixed(1)}), 95 of 100 within ${busy.most.toFixed(1)} ms (limit ${most.toFixed(1)}), longest ${busy.longest.toFixed(1)} ms; with nothing to do, median ${idle.typical.toFixed(1)} ms`;
      console.log(`# ${name}: ${text}`);
      const over = Math.max(busy.own / WORK, busy.typical / typical, busy.most / most);
      if (best === undefined || over < best.over) best = { over, text };
      if (best.over <= 1) return;
    }
    this.late.push(`${name}: ${best.text}`);
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
