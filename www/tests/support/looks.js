// Each screen that a walk comes by: pictured, and held to what has to be true of all of them.

import { faults, narrowFaults } from "./axe.js";
import { latin } from "./latin.js";
import { NARROW, cut } from "./narrow.js";

export class Looks {
  /** What was found wrong, with the screen where it was first. */
  found = new Map();

  /** `lang` and `theme` are those of the page; `name` begins the pictures' names. */
  constructor(c, { lang, theme, name = "" }) {
    Object.assign(this, { c, lang, theme, name });
  }

  note(screen, faults) {
    for (const fault of faults) if (!this.found.has(fault)) this.found.set(fault, screen);
  }

  /**
   * The screen as it is, and once in each language at 360 px: sizes do not hang on colours. In Chinese nothing on it is
   * left in English.
   */
  async at(screen) {
    const { page } = this.c;
    await this.c.screenshot(`${this.name}${screen}-${this.lang}-${this.theme}`);
    this.note(screen, await faults(page));
    if (this.theme === "dark") return;
    if (this.lang === "zh") this.note(screen, (await latin(page)).left);
    const asItWas = page.viewportSize();
    await page.setViewportSize(NARROW);
    // What depends on the room is drawn again.
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    await this.c.screenshot(`${this.name}${screen}-360-${this.lang}-${this.theme}`);
    this.note(`${screen} at 360 px`, [...(await cut(page)), ...(await narrowFaults(page))]);
    await page.setViewportSize(asItWas);
  }

  /** Everything that was found, in words. */
  told() {
    return [...this.found].map(([fault, screen]) => `${screen}: ${fault}`);
  }
}
