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

/** Whether the browser still keeps what the page writes down. */
class Keeping extends Store {
  /** Why not: it has no more room, or forbids it. */
  trouble: "full" | "forbidden" | null = null;

  tell(error: unknown): void {
    const full = error instanceof DOMException && (error.name === "QuotaExceededError" || error.name === "NS_ERROR_DOM_QUOTA_REACHED");
    const trouble = full ? "full" : "forbidden";
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    this.changed();
  }

  /** Something was kept again. */
  well(): void {
    if (this.trouble === null) return;
    this.trouble = null;
    this.changed();
  }
}

export const keeping = new Keeping();

/** A storage of the browser, which it may forbid. */
const storage = (of: () => Storage) => ({
  get(key: string): string | null {
    try {
      return of().getItem(`muster.${key}`);
    } catch {
      return null;
    }
  },
  /** False if it cannot be kept: then it holds until the page is left. */
  set(key: string, value: string): boolean {
    try {
      of().setItem(`muster.${key}`, value);
      keeping.well();
      return true;
    } catch (error) {
      keeping.tell(error);
      return false;
    }
  },
  remove(key: string): void {
    try {
      of().removeItem(`muster.${key}`);
    } catch {
      // What was forbidden to be kept is not there.
    }
  },
});

export const kept = storage(() => localStorage);
/** For this tab alone, until it is closed. */
export const keptHere = storage(() => sessionStorage);
