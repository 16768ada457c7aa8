/** The smallest store: whoever subscribes is told that something changed. */
export class Store {
  readonly #listeners = new Set<() => void>();

  /** Returns what ends the subscription. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  protected changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A storage of the browser, which it may forbid. */
const storage = (of: () => Storage) => ({
  get(key: string): string | null {
    try {
      return of().getItem(`muster.${key}`);
    } catch {
      return null;
    }
  },
  set(key: string, value: string): void {
    try {
      of().setItem(`muster.${key}`, value);
    } catch {
      // A choice that cannot be kept holds until the page is left.
    }
  },
});

export const kept = storage(() => localStorage);
/** For this tab alone, until it is closed. */
export const keptHere = storage(() => sessionStorage);
