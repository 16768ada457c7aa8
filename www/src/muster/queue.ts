// Events as an async iterator: what comes is kept until it is asked for, and the end is the end for everybody.

/** One reader. What came before it asks is there for it; memory is bounded by `most`, the oldest go first. */
export class Queue<T> implements AsyncIterableIterator<T> {
  private readonly items: T[] = [];
  private readonly waiting: ((result: IteratorResult<T>) => void)[] = [];
  private over = false;

  constructor(private readonly most = 100_000) {}

  push(item: T): void {
    if (this.over) return;
    const reader = this.waiting.shift();
    if (reader) return reader({ value: item, done: false });
    this.items.push(item);
    if (this.items.length > this.most) this.items.shift();
  }

  end(): void {
    this.over = true;
    for (const reader of this.waiting.splice(0)) reader({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    const item = this.items.shift();
    if (item !== undefined) return Promise.resolve({ value: item, done: false });
    if (this.over) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** A reader that leaves its loop reads no more. */
  return(): Promise<IteratorResult<T>> {
    this.items.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
