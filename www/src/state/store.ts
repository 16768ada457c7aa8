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
  /** What could not be written and has not been since: that another thing found room says nothing of it. */
  readonly #lost = new Set<string>();

  tell(what: string, error: unknown): void {
    this.#lost.add(what);
    const full = error instanceof DOMException && (error.name === "QuotaExceededError" || error.name === "NS_ERROR_DOM_QUOTA_REACHED");
    const trouble = full ? "full" : "forbidden";
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    this.changed();
  }

  /** It was kept, or there is nothing to keep of it. */
  well(what: string): void {
    if (!this.#lost.delete(what) || this.#lost.size > 0) return;
    this.trouble = null;
    this.changed();
  }
}

export const keeping = new Keeping();

/** A storage of the browser, which it may forbid. */
const storage = (name: string, of: () => Storage) => ({
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
      keeping.well(`${name}.${key}`);
      return true;
    } catch (error) {
      keeping.tell(`${name}.${key}`, error);
      return false;
    }
  },
  remove(key: string): void {
    try {
      of().removeItem(`muster.${key}`);
      keeping.well(`${name}.${key}`);
    } catch {
      // What was forbidden to be kept is not there.
    }
  },
});

export const kept = storage("local", () => localStorage);
/** For this tab alone, until it is closed. */
export const keptHere = storage("session", () => sessionStorage);
