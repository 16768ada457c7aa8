// The complete module without a browser and without a Worker: what it asks its surroundings for, a test gives in its own
// time. `cargo xtask web` makes it.

import { readFile } from "node:fs/promises";
import { after } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import * as bindings from "../../src/muster/generated/muster_all/muster_all.js";

const FOLDER = new URL("../../src/muster/generated/muster_all/", import.meta.url);
const PRODUCT_KEY = { ucloud: "product_sn", cmcc: "product_id", krtyun: "product_id", alibaba: "product_key" };
const HEADER = { ucloud: "device_sn", cmcc: "device_no,device_no_type", krtyun: "device_id", alibaba: "DeviceName" };

globalThis.addEventListener ??= () => {};
await bindings.default({ module_or_path: await readFile(new URL("muster_all_bg.wasm", FOLDER)) });

export const { Cloud, Fleet } = bindings;

/** What has timers: with these the test's process would not end. */
const begun = [];
after(() => {
  for (const one of begun) one.stop();
});

/** Waits until it is so. */
export async function until(is, what, seconds = 20) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await is();
    if (found) return found;
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await wait(2);
  }
}

/** A storage that answers when the test says so. */
export class Slow {
  calls = [];
  /** From now on at once. */
  quick = false;

  write = (changes) => {
    const call = { changes, names: changes.map(([name]) => name) };
    call.done = new Promise((resolve, reject) => Object.assign(call, { resolve, reject }));
    this.calls.push(call);
    if (this.quick) call.resolve();
    return call.done;
  };

  /** The next call that has not been seen yet. */
  async next(what = "something to store") {
    const at = this.seen ?? 0;
    this.seen = at + 1;
    return until(() => this.calls[at], what);
  }
}

/** Clouds with devices of this platform that may register; what they keep is kept at once. */
export class Clouds {
  static async start(store = { write: async () => {} }) {
    const clouds = new Clouds();
    clouds.cloud = await Cloud.start({ kept: [] }, { persist: store.write, log() {} });
    begun.push(clouds.cloud);
    clouds.demo = await clouds.cloud.demo();
    return clouds;
  }

  /** The demo's product. */
  product(platform) {
    return this.demo[platform].settings[PRODUCT_KEY[platform]];
  }

  async import(platform, names) {
    const rows = names.map((name) => (platform === "cmcc" ? `${name},SN` : name));
    const csv = `${[HEADER[platform], ...rows].join("\n")}\n`;
    await this.cloud.operate({ platform, action: "import_devices", product: this.product(platform), csv });
  }

  /** A fleet of these devices; `store`: as with "browser", else in memory. */
  fleet(platform, names, { store, bounds = {}, stored = [] } = {}) {
    const key = HEADER[platform].split(",")[0].replace("DeviceName", "device_name");
    const { [key]: _, ...settings } = this.demo[platform].settings;
    const kept = store === undefined ? { shelf: "test" } : { stored };
    const options = { platform, settings, columns: [key], rows: names.map((name) => [name]), bounds, ...kept };
    const fleet = Fleet.inTab(options, { tick() {}, store: store?.write ?? (async () => {}) }, this.cloud);
    begun.push(fleet);
    return fleet;
  }

  /** How many secrets were issued. */
  issued() {
    return this.cloud.logLines().filter(({ what }) => what === "secret_issued").length;
  }
}

export const rows = (fleet) => fleet.rows({ from: 0, count: 1000 }).rows;
export const online = (fleet, count) => until(() => fleet.status().counts.online === count, `${count} online; ${JSON.stringify(fleet.status().counts)}`);
