// What the Cloud view shows: one platform's products, one product's devices, and the log, kept fresh by the log itself.

import type { Action, DeviceView, LogLine, OperationResult, OwnerView, PlatformName, ProductView, UpgradeView } from "../muster/types";
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
    this.#limit = PAGE;
    this.changed();
    if (this.#end !== undefined) void this.refresh();
  }

  more(): void {
    this.#limit = Math.min(1_000, this.#limit + PAGE);
    void this.refresh();
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
        const [page, upgrades, owners] = await Promise.all([
          operator.devices(platform, this.product, this.#limit),
          platform === "cmcc" ? [] : operator.upgrades(platform, this.product),
          platform === "alibaba" ? operator.owners() : [],
        ]);
        if (round !== this.#round) return;
        this.devices = page.items;
        this.total = page.total;
        this.upgrades = upgrades;
        this.owners = owners;
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
