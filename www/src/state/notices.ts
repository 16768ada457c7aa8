// What the page has to say in passing: something was restored, can be undone, or cannot be kept.

import { Store } from "./store";

export type Notice = {
  /** What it is about: of each there is one at a time. */
  about: string;
  /** In the language in use. */
  text: () => string;
  action?: { text: () => string; work: () => void };
  bad?: boolean;
};

/** How long one stays that asks for nothing. */
const STAYS = 9_000;

class Notices extends Store {
  list: readonly Notice[] = [];

  tell(about: string, text: () => string, more: Pick<Notice, "action" | "bad"> = {}): void {
    const notice: Notice = { about, text, ...more };
    this.list = [...this.list.filter((other) => other.about !== about), notice];
    this.changed();
    // What can be answered waits for it.
    if (more.action === undefined && more.bad !== true) setTimeout(() => this.close(notice), STAYS);
  }

  close(notice: Notice): void {
    if (!this.list.includes(notice)) return;
    this.list = this.list.filter((other) => other !== notice);
    this.changed();
  }

  end(about: string): void {
    const found = this.list.find((notice) => notice.about === about);
    if (found !== undefined) this.close(found);
  }
}

export const notices = new Notices();
