// A drawer or sheet over the rest of a narrow page: only it can be reached until it is closed.

/** Left alone: what closes the thing, what may open above it, and what speaks to those who cannot see. */
const ALONE = ".scrim, m-dialogs, m-notices, #announcer, script, style";

/** Makes everything beside `element` inert; returns what undoes it. */
export function isolate(element: HTMLElement): () => void {
  const made: Element[] = [];
  for (let here: Element = element; here.parentElement !== null && here !== document.body; here = here.parentElement) {
    for (const other of here.parentElement.children) {
      if (other === here || other.matches(ALONE) || other.hasAttribute("inert")) continue;
      other.setAttribute("inert", "");
      made.push(other);
    }
  }
  return () => {
    for (const other of made) other.removeAttribute("inert");
  };
}

/** What an open drawer or sheet holds on to: one at a time, opened and closed as `sync` is told. */
export class Overlay {
  #undo: (() => void) | undefined;

  get open(): boolean {
    return this.#undo !== undefined;
  }

  /** `first` gets the focus when it opens, `back` when it closes. */
  sync(open: boolean, element: HTMLElement | null, first: () => HTMLElement | null, back: () => HTMLElement | null): void {
    if (open === this.open) return;
    if (open) {
      if (element === null) return;
      this.#undo = isolate(element);
      first()?.focus();
      return;
    }
    this.release();
    back()?.focus();
  }

  release(): void {
    this.#undo?.();
    this.#undo = undefined;
  }
}
