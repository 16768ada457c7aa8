// Fleets, as a person starts them.

import { readFile } from "node:fs/promises";

/** The sockets of a tab. */
export const SOCKETS = 255;

export class Fleets {
  constructor(c, page = c.page) {
    this.c = c;
    this.page = page;
  }

  get(testid) {
    return this.page.getByTestId(testid);
  }

  /** `count` new devices. */
  async count(platform, count, prefix) {
    await this.get(`fleet-platform-${platform}`).click();
    await this.get("fleet-source-count").click();
    await this.fill("fleet-count", String(count));
    if (prefix !== undefined) await this.fill("fleet-prefix", prefix);
  }

  /** Those of a list. */
  async list(platform, text, name = "devices.csv") {
    await this.get(`fleet-platform-${platform}`).click();
    await this.get("fleet-source-list").click();
    const another = this.get("fleet-file-remove");
    if (await another.isVisible()) await another.click();
    await this.get("fleet-file").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
  }

  async fill(testid, value) {
    await this.get(testid).fill(value);
    await this.get(testid).blur();
  }

  async run() {
    await this.get("fleet-run").click();
  }

  /** Waits for the verdict; whether it is a good one. */
  async verdict(timeout = 60_000) {
    await this.get("fleet-verdict").waitFor({ timeout });
    return (await this.get("fleet-verdict").getAttribute("data-passed")) === "true";
  }

  async counts() {
    return this.page.evaluate(() => Object.fromEntries([...document.querySelectorAll("[data-testid=fleet-count-of]")].map(({ dataset }) => [dataset.state, Number(dataset.count)])));
  }

  /** Devices that were ready, in how many seconds. */
  async speed() {
    const { readied, seconds } = await this.get("fleet-mean").evaluate(({ dataset }) => dataset);
    return { ready: Number(readied), seconds: Number(seconds), rate: Number(readied) / Number(seconds) };
  }

  /** What is saved by this button. */
  async saved(testid, confirm = false) {
    const coming = this.page.waitForEvent("download");
    await this.get(testid).click();
    if (confirm) await this.page.getByTestId("confirm-ok").click();
    return readFile(await (await coming).path(), "utf8");
  }

  /** The most handshakes that were pending at once, from now on, as the page knows it. */
  watchPending() {
    return this.page.evaluate(() => {
      window["mostPending"] = 0;
      window["mostSockets"] = 0;
      new MutationObserver(() => {
        const { pending, used } = document.querySelector("[data-testid=fleet-sockets]")?.dataset ?? {};
        window["mostPending"] = Math.max(window["mostPending"], Number(pending ?? 0));
        window["mostSockets"] = Math.max(window["mostSockets"], Number(used ?? 0));
      }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-pending", "data-used"] });
    });
  }
}
