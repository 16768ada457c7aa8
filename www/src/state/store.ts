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

/** `localStorage`, which a browser may forbid. */
export const kept = {
  get(key: string): string | null {
    try {
      return localStorage.getItem(`muster.${key}`);
    } catch {
      return null;
    }
  },
  set(key: string, value: string): void {
    try {
      localStorage.setItem(`muster.${key}`, value);
    } catch {
      // A choice that cannot be kept holds until the page is left.
    }
  },
};
