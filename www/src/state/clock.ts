import { Store } from "./store";

/** Ticks once a second while somebody looks; a page in the background need not count down. */
class Clock extends Store {
  now = Date.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #watchers = 0;

  override subscribe(listener: () => void): () => void {
    const end = super.subscribe(listener);
    // While nobody looked it stood still.
    if (this.#timer === undefined) this.now = Date.now();
    this.#watchers += 1;
    this.#timer ??= setInterval(() => this.tick(), 1000);
    return () => {
      end();
      this.#watchers -= 1;
      if (this.#watchers === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  tick(): void {
    if (typeof document !== "undefined" && document.hidden) return;
    this.now = Date.now();
    this.changed();
  }
}

export const clock = new Clock();
