/** Does something once for all that asked for it in the same frame; in a tab that is not seen, a little later. */
export class Frame {
  #due = false;
  readonly #work: () => void;

  constructor(work: () => void) {
    this.#work = work;
  }

  request(): void {
    if (this.#due) return;
    this.#due = true;
    const run = () => {
      if (!this.#due) return;
      this.#due = false;
      this.#work();
    };
    if (typeof requestAnimationFrame === "function") requestAnimationFrame(run);
    // A tab in the background gets no frames.
    setTimeout(run, 100);
  }
}
