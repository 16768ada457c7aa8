// A browser with the console in it. Whatever a test is about, at its end nothing may have broken the page's policy,
// reached for a host that was not named, or complained in the browser's console.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { asked } from "./netlog.js";
import { ROOT, TARGET, Up } from "./up.js";

export { TARGET } from "./up.js";
export const PLATFORMS = ["ucloud", "cmcc", "krtyun", "alibaba"];
/** The demo's product of each platform. */
export const PRODUCT = { ucloud: "muster0ucloud001", cmcc: "1234567890123", krtyun: "20191210", alibaba: "a1muster001" };
export const SCREENSHOTS = join(TARGET, "screenshots");

const CHROMIUM = process.env["MUSTER_CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // The browser's own: it asks its maker what the fields of a form may be, in the page's name.
  "--disable-features=AutofillServerCommunication",
];

/** How long a device may take to its cloud and back, on a machine that is busy with other things. */
export const PATIENCE = 30_000;

/**
 * Runs one behaviour in a fresh browser against fresh clouds. `complaints`: patterns of what the browser may say in
 * its console, because the test provokes it. `hosts`: what a page may ask for besides its own origin. `before` makes
 * what the clouds are started with (`args`), more `hosts`, and how to end it all (`end`); the body gets it as `c.before`.
 * `ownFiles`: the page comes from a copy of its files, `c.files`, which the test may change.
 */
export function behaviour(name, options, body) {
  const { complaints = [], hosts = [], timeout = 120_000, flags = [], before, ownFiles = false, ...look } = options;
  test(name, { timeout }, async () => {
    const made = await before?.();
    const folder = await mkdtemp(join(tmpdir(), "muster-browser-"));
    const files = join(folder, "console");
    if (ownFiles) await cp(process.env["MUSTER_CONSOLE"] ?? join(ROOT, "www/dist"), files, { recursive: true });
    const up = await Up.start(...(ownFiles ? ["--console", files] : []), ...(made?.args ?? []));
    const netlog = join(folder, "net.json");
    const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...FLAGS, ...flags, `--log-net-log=${netlog}`] });
    const heard = [];
    try {
      const context = await browser.newContext(contextOptions(look));
      context.setDefaultTimeout(PATIENCE);
      const c = new Console(up, browser, context, heard);
      c.before = made;
      c.files = files;
      await c.open(look);
      await body(c);
      const unexpected = heard.filter((line) => !complaints.some((pattern) => pattern.test(line)));
      assert.deepEqual(unexpected, [], "what the browser complained of");
    } catch (error) {
      await mkdir(SCREENSHOTS, { recursive: true });
      const page = browser.contexts()[0]?.pages().at(-1);
      const shot = join(SCREENSHOTS, `failed-${name.replaceAll(/\W+/g, "-").slice(0, 80)}.png`);
      if (page !== undefined && (await page.screenshot({ path: shot }).then(() => true, () => false))) error.message += `\nscreenshot: ${shot}`;
      if (heard.length > 0) error.message += `\nin the browser's console:\n  ${heard.join("\n  ")}`;
      throw error;
    } finally {
      await browser.close();
      await up.end();
      await made?.end?.();
    }
    await stayedHome(netlog, up.origin, [...hosts, ...(made?.hosts ?? [])]);
    await rm(folder, { recursive: true, force: true });
  });
}

/** A fresh browser against fresh clouds, for who measures: what the browser says is shown, and nothing is judged. */
export async function visit(look, body) {
  const up = await Up.start();
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  try {
    const context = await browser.newContext(contextOptions(look));
    context.setDefaultTimeout(PATIENCE);
    const heard = [];
    const c = new Console(up, browser, context, heard);
    await c.open(look);
    await body(c);
    for (const line of heard) process.stderr.write(`in the browser's console: ${line}\n`);
  } finally {
    await browser.close();
    await up.end();
  }
}

/** No page asked for anything but its own origin and the hosts that were named. */
async function stayedHome(netlog, origin, hosts) {
  const { host: own, hostname } = new URL(origin);
  const { urls, lookups } = await asked(netlog, hostname);
  const known = (host) => host === own || hosts.includes(host);
  const strange = urls.filter((url) => !known(new URL(url).host));
  assert.deepEqual(strange, [], "requests that left the page's origin and its cloud");
  assert.ok(urls.some((url) => url.startsWith(`${origin}/console/`)), "the log saw the page's own requests");
  const named = lookups.filter((name) => !known(new URL(name.includes("://") ? name : `http://${name}`).host));
  assert.deepEqual(named, [], "names that were looked up");
}

function contextOptions({ lang = "en", theme = "light" }) {
  return {
    locale: lang === "zh" ? "zh-CN" : "en-GB",
    colorScheme: theme,
    viewport: { width: 1280, height: 860 },
    reducedMotion: "reduce",
  };
}

export class Console {
  constructor(up, browser, context, heard) {
    Object.assign(this, { up, browser, context, heard });
    /** Every address that was fetched, by pages and workers. */
    this.loaded = new Set();
    // What is kept for when there is no server (the service worker) is no part of a first look.
    context.on("request", (request) => request.serviceWorker() ?? this.loaded.add(request.url()));
  }

  /** Opens the page, or one more of it. */
  async open({ world = "local", view = "devices" } = {}) {
    const page = await this.context.newPage();
    this.listen(page);
    await page.goto(`${this.up.origin}/#/${view}`);
    this.page ??= page;
    if (world !== "local") await page.getByTestId(`world-${world}`).click();
    return page;
  }

  listen(page) {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.heard.push(`${message.type()}: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.heard.push(`uncaught: ${error.message}`));
    void page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
  }

  get(testid, page = this.page) {
    return page.getByTestId(testid);
  }

  /** The first page, from a device that was open before a reload. */
  async first(page = this.page) {
    await this.get("new-device", page).click();
  }

  /** Clicks a card's button. */
  async start(platform, page = this.page) {
    await this.get(`start-${platform}`, page).click();
  }

  /** A device of real clouds, by its settings; `way`: `direct` or `relay`. */
  async enter(platform, settings, way = "direct", page = this.page) {
    await this.get(`start-${platform}`, page).click();
    await this.fill(settings, page);
    await this.get(`way-${way}`, page).check();
    await this.get("settings-start", page).click();
  }

  /** Fills in the settings that are open. */
  async fill(settings, page = this.page) {
    await this.get("settings-dialog", page).waitFor();
    for (const [key, value] of Object.entries(settings)) {
      const input = this.get(`setting-${key}`, page);
      // Rarely used settings are folded away.
      if (!(await input.isVisible())) for (const folded of await page.locator("details:not([open]) > summary").all()) await folded.click();
      if ((await input.evaluate((element) => element.localName)) === "select") await input.selectOption(value);
      else await input.fill(value);
    }
  }

  /** Through the card's settings: `settings` by their keys, `storage` for secrets. */
  async startWith(platform, { settings = {}, storage = "memory" }, page = this.page) {
    await this.get(`settings-${platform}`, page).click();
    await this.fill(settings, page);
    await this.get(`storage-${storage}`, page).check();
    await this.get("settings-start", page).click();
  }

  /** Waits for the state word of the open device. */
  async state(state, page = this.page, timeout = PATIENCE) {
    await page.locator(`[data-testid=device-state][data-state=${state}]`).waitFor({ timeout });
  }

  /**
   * Watches the state word of the open device from now on: what it gives waits until a state has come, even if it is
   * over by then.
   */
  async watch(page = this.page) {
    await page.evaluate(() => {
      const states = (window.watched = []);
      const look = () => states.push(document.querySelector("[data-testid=device-state]")?.dataset["state"]);
      window.watching?.disconnect();
      window.watching = new MutationObserver(look);
      window.watching.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] });
      look();
    });
    return (state, timeout = PATIENCE) => page.waitForFunction((wanted) => window.watched.includes(wanted), state, { timeout });
  }

  /** Rows of the timeline: an entry's kind, and its type if given. */
  entries(kind, type, page = this.page) {
    const more = type === undefined ? "" : `[data-type="${type}"]`;
    return page.locator(`[data-testid=entry][data-kind=${kind}]${more}`);
  }

  async screenshot(name, page = this.page) {
    await mkdir(SCREENSHOTS, { recursive: true });
    await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  }
}
