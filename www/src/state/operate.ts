// What the Cloud view shows: one platform's products, one product's devices, and the log, kept fresh by the log itself.

import type { Action, DeviceView, LogLine, OperationResult, OwnerView, PlatformName, ProductView, ReportView, UpgradeView } from "../muster/types";
import { clouds, type Operator, type World } from "./clouds";
import { refusal, type Refusal } from "./failure";
import { Store } from "./store";

const PAGE = 100;
export const MAX_LOG = 500;
/** After a line of the log: what it changed is fetched, once for a burst. */
const SETTLE_MS = 250;

class Operate extends Store {
  platform: PlatformName = "ucloud";
  product = "";
  products: readonly ProductView[] | null = null;
  devices: readonly DeviceView[] = [];
  total = 0;
  upgrades: readonly UpgradeView[] = [];
  owners: readonly OwnerView[] = [];
  log: readonly LogLine[] = [];
  failure: Refusal | null = null;
  chosen: ReadonlySet<string> = new Set();
  /** The device whose secret and reports are looked at. */
  open: string | null = null;
  reports: readonly ReportView[] | null = null;
  /** Secrets that a person asked to see, by the device's name; the product's own under "". Never kept. */
  secrets: ReadonlyMap<string, string> = new Map();
  #limit = PAGE;
  #world: World | null = null;
  #end: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Something happened since the last look began. */
  #stale = false;
  #round = 0;

  get operator(): Operator | null {
    return clouds.operator(clouds.world);
  }

  get current(): ProductView | undefined {
    return this.products?.find((product) => product.id === this.product);
  }

  /** Begins to watch the clouds in use; ends with `stop`. */
  watch(): void {
    if (this.#world === clouds.world && this.#end !== undefined) return;
    this.stop();
    const { operator } = this;
    if (operator === null || (clouds.world === "local" && clouds.localThere !== true)) return;
    this.#world = clouds.world;
    this.products = null;
    this.log = [];
    this.#close();
    const end = operator.follow((line) => {
      this.log = [...this.log.slice(1 - MAX_LOG), line];
      this.changed();
      if (line.platform === this.platform) this.#soon();
    });
    // A download's progress is not logged.
    const poll = setInterval(() => {
      if (this.upgrades.some((upgrade) => isOpen(upgrade)) && !document.hidden) this.#soon();
    }, 2_000);
    this.#end = () => {
      end();
      clearInterval(poll);
    };
    void this.refresh();
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
    this.#world = null;
    this.#close();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  choose(platform: PlatformName, product?: string): void {
    const same = platform === this.platform && (product === undefined || product === this.product);
    if (same) return;
    if (platform !== this.platform) this.products = null;
    this.platform = platform;
    this.product = product ?? "";
    this.devices = [];
    this.total = 0;
    this.upgrades = [];
    this.chosen = new Set();
    this.failure = null;
    this.#close();
    this.#limit = PAGE;
    this.changed();
    if (this.#end !== undefined) void this.refresh();
  }

  more(): void {
    this.#limit = Math.min(1_000, this.#limit + PAGE);
    void this.refresh();
  }

  #close(): void {
    this.open = null;
    this.reports = null;
    this.secrets = new Map();
  }

  /** Opens a device's row, or closes it. */
  look(name: string): void {
    const open = this.open === name ? null : name;
    this.open = open;
    this.reports = null;
    const secrets = new Map(this.secrets);
    for (const key of secrets.keys()) if (key !== "") secrets.delete(key);
    this.secrets = secrets;
    this.changed();
    if (open !== null) void this.refresh();
  }

  /** Shows a secret, or hides it again: of a device, or of the product (""). */
  async reveal(name: string): Promise<void> {
    const { operator, platform, product } = this;
    const secrets = new Map(this.secrets);
    if (!secrets.delete(name) && operator !== null) {
      this.failure = null;
      try {
        const result =
          name === ""
            ? await operator.operate({ platform, action: "list_products", reveal: true })
            : await operator.operate({ platform, action: "list_devices", product, limit: this.#limit, reveal: true });
        if (platform !== this.platform || product !== this.product) return;
        const items: readonly { id?: string; name: string; secret: string | null }[] = result.result === "products" || result.result === "devices" ? result.items : [];
        const found = items.find((item) => (name === "" ? item.id === product : item.name === name));
        secrets.set(name, found?.secret ?? "");
      } catch (error) {
        this.failure = refusal(error);
      }
    }
    this.secrets = secrets;
    this.changed();
  }

  tick(name: string, on: boolean): void {
    const chosen = new Set(this.chosen);
    if (on) chosen.add(name);
    else chosen.delete(name);
    this.chosen = chosen;
    this.changed();
  }

  #soon(): void {
    this.#stale = true;
    // One look at a time: on busy clouds the next would overtake this one before it shows anything, and so on for ever.
    this.#timer ??= setTimeout(async () => {
      this.#stale = false;
      await this.refresh();
      this.#timer = undefined;
      if (this.#stale && this.#end !== undefined) this.#soon();
    }, SETTLE_MS);
  }

  async refresh(): Promise<void> {
    const { operator, platform } = this;
    if (operator === null) return;
    this.#round += 1;
    const round = this.#round;
    try {
      const products = await operator.products(platform);
      if (round !== this.#round) return;
      this.products = products;
      if (!products.some((product) => product.id === this.product)) this.product = products[0]?.id ?? "";
      if (this.product === "") {
        this.devices = [];
        this.upgrades = [];
      } else {
        const { open } = this;
        const [page, upgrades, owners, reports] = await Promise.all([
          operator.devices(platform, this.product, this.#limit),
          platform === "cmcc" ? [] : operator.upgrades(platform, this.product),
          platform === "alibaba" ? operator.owners() : [],
          open === null ? null : operator.reports(platform, this.product, open).catch(() => []),
        ]);
        if (round !== this.#round) return;
        this.devices = page.items;
        this.total = page.total;
        this.upgrades = upgrades;
        this.owners = owners;
        if (open === this.open) this.reports = reports;
        if (!page.items.some((device) => device.name === this.open)) this.open = null;
      }
    } catch (error) {
      if (round !== this.#round) return;
      this.failure = refusal(error);
      this.products ??= [];
    }
    this.changed();
  }

  /** Does it and shows what came of it; null if it was refused, which is shown too. */
  async operate(action: Action): Promise<OperationResult | null> {
    // What was shown may not be the secret any more.
    if (action.action === "reset") this.secrets = new Map();
    return this.#doing((operator) => operator.operate({ platform: this.platform, ...action }));
  }

  async addFirmware(version: string, bytes: Uint8Array): Promise<boolean> {
    const done = await this.#doing(async (operator) => {
      await operator.addFirmware(this.platform, this.product, version, bytes);
      return true;
    });
    return done === true;
  }

  async #doing<T>(work: (operator: Operator) => Promise<T>): Promise<T | null> {
    const { operator } = this;
    if (operator === null) return null;
    this.failure = null;
    try {
      const result = await work(operator);
      await this.refresh();
      return result;
    } catch (error) {
      this.failure = refusal(error);
      this.changed();
      return null;
    }
  }
}

export function isOpen(upgrade: UpgradeView): boolean {
  return !["succeeded", "failed", "cancelled"].includes(upgrade.state);
}

/** Switches apart from settings that hold a value. */
export function splitSwitches(switches: Record<string, string>): { flags: [string, boolean][]; values: [string, string][] } {
  const flags: [string, boolean][] = [];
  const values: [string, string][] = [];
  for (const [name, value] of Object.entries(switches)) {
    if (value === "true" || value === "false") flags.push([name, value === "true"]);
    else values.push([name, value]);
  }
  return { flags, values };
}

/** The columns that an import of this platform knows. */
export const COLUMNS: Record<PlatformName, readonly string[]> = {
  ucloud: ["device_sn", "device_secret"],
  cmcc: ["device_no", "device_no_type", "device_secret"],
  krtyun: ["device_id", "device_secret"],
  alibaba: ["DeviceName", "DeviceSecret"],
};

/** The version after this one, as a proposal. */
export function nextVersion(version: string): string {
  const match = /^(.*?)(\d+)(\D*)$/.exec(version);
  return match === null ? "1.0.1" : `${match[1] ?? ""}${Number(match[2]) + 1}${match[3] ?? ""}`;
}

export const operate = new Operate();
