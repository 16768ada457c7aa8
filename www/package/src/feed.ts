// A timeline for any number of readers: each gets what has been, as far as it is kept, and then what comes.

import { Queue } from "../../src/muster/queue";

type Ear<T> = { item: (item: T) => void; end: () => void };

export class Feed<T> implements AsyncIterable<T> {
  private readonly kept: T[] = [];
  private readonly ears = new Set<Ear<T>>();
  private over = false;

  /** Of the past at least the last `most` are kept; a reader that is slower than that loses the oldest. */
  constructor(private readonly most: number) {}

  push(item: T): void {
    this.kept.push(item);
    // Seldom, because it moves everything.
    if (this.kept.length >= 2 * this.most) this.kept.splice(0, this.kept.length - this.most);
    for (const ear of [...this.ears]) ear.item(item);
  }

  end(): void {
    this.over = true;
    for (const ear of [...this.ears]) ear.end();
    this.ears.clear();
  }

  /** Tells the past at once, then what comes; `end` is told once. The result stops it. */
  listen(item: (item: T) => void, end: () => void): () => void {
    const ear = { item, end };
    // Registered first: an ear may stop listening while it hears of the past.
    let listening = true;
    for (const past of [...this.kept]) if (listening) item(past);
    if (this.over) end();
    else this.ears.add(ear);
    return () => {
      listening = false;
      this.ears.delete(ear);
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    const queue = new Queue<T>(2 * this.most);
    const stop = this.listen(
      (item) => queue.push(item),
      () => queue.end(),
    );
    return {
      next: () => queue.next(),
      return: () => {
        stop();
        return queue.return();
      },
    };
  }
}
