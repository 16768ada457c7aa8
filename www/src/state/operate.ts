// What the Cloud view shows: one platform's products, one product's devices, and the log. The devices are asked for once;
// from then on the log says who changed, and only they are asked for again.

import type { Action, BindTokenView, DeviceView, FirmwareView, GatewayView, LogLine, OperationResult, OwnerView, PlatformName, ProductView, ReportView, UpgradeView } from "../muster/types";
import { isOpen } from "./campaigns";
import { CloudLog } from "./cloudlog";
import { clouds, type Operator, type World } from "./clouds";
import { refusal, type Refusal } from "./failure";
import { Frame } from "./frame";
import { EVERYTHING, Roster, type Wanted } from "./roster";
import { Store } from "./store";

/** As many as the clouds show, or are asked for, at once. */
const PAGE = 1_000;
/** More devices than a person looks through; the rest is found by the command line. */
export const MOST = 50_000;
/** After a line of the log: what it changed is fetched, once for a burst. */
const SETTLE_MS = 250;
/** Fetching takes at most a fifth of the time: on busy clouds the page has other things to do. */
const REST = 4;
/** Operations on their way at once: the clouds keep what comes together in one go. */
const AT_ONCE = 16;

export const SECTIONS = ["devices", "whitelist", "firmware", "homes", "topology", "product", "log"] as const;
export type Section = (typeof SECTIONS)[number];

/** What this platform has. */
export function sectionsOf(platform: PlatformName): readonly Section[] {
  return SECTIONS.filter((section) => {
    if (section === "firmware") return platform !== "cmcc";
    return platform === "alibaba" || (section !== "homes" && section !== "topology");
  });
}

/** What a person did last, and how it is taken back. */
export type Did = {
  /** In the language in use when it is shown. */
  text: () => string;
  undo: (() => Promise<void>) | null;
  /** What was refused of it, by reason. */
  refused: readonly { reason: string; subjects: readonly string[] }[];
};

/** Where something is done: a person may look at other clouds, or another product, before it is. */
export type Place = { readonly operator: Operator; readonly world: World; readonly begun: number; readonly platform: PlatformName; readonly product: string };

/** Many operations, under way. */
export type Under = { text: () => string; total: number; done: number; stop: () => void };

type Stale = { everything: boolean; products: boolean; names: Set<string>; upgrades: boolean; around: boolean };
const nothingStale = (): Stale => ({ everything: false, products: false, names: new Set(), upgrades: false, around: false });

class Operate extends Store {
  platform: PlatformName = "ucloud";
  product = "";
  section: Section = "devices";
  products: readonly ProductView[] | null = null;
  readonly roster = new Roster();
  wanted: Wanted = EVERYTHING;
  /** How many devices the product has; the roster holds at most `MOST` of them. */
  total = 0;
  /** How many of them have come so far; null: all that are to come. */
  loaded: number | null = null;
  images: readonly FirmwareView[] = [];
  upgrades: readonly UpgradeView[] = [];
  owners: readonly OwnerView[] = [];
  waiting: readonly BindTokenView[] = [];
  gateways: readonly GatewayView[] = [];
  readonly log = new CloudLog();
  failure: Refusal | null = null;
  chosen: ReadonlySet<string> = new Set();
  /** The device that is looked at. */
  open: string | null = null;
  reports: readonly ReportView[] | null = null;
  /** Secrets that a person asked to see, by who has them: a device's name, "" for the product. Never kept. */
  secrets: ReadonlyMap<string, string> = new Map();
  did: Did | null = null;
  under: Under | null = null;
  #world: World | null = null;
  #begun = 0;
  #end: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stale = nothingStale();
  #working = false;
  #took = 0;
  /** Counts what is shown: an answer of an earlier count is not for this one. */
  #round = 0;
  /** The address that was followed last. */
  #address: unknown = null;
  readonly #frame = new Frame(() => this.changed());

  get operator(): Operator | null {
    return clouds.operator(clouds.world);
  }

  /** Where what a person does now is done; null: nowhere. */
  get place(): Place | null {
    const { operator, platform, product } = this;
    return operator === null ? null : { operator, world: clouds.world, begun: clouds.tabBegun, platform, product };
  }

  #inWorld({ world, begun }: Place): boolean {
    return world === clouds.world && begun === clouds.tabBegun;
  }

  #at(place: Place): boolean {
    return this.#inWorld(place) && place.platform === this.platform && place.product === this.product;
  }

  get current(): ProductView | undefined {
    return this.products?.find((product) => product.id === this.product);
  }

  get shown(): readonly DeviceView[] {
    return this.roster.shown(this.wanted);
  }

  /** Begins to watch the clouds in use; ends with `stop`. */
  watch(): void {
    if (this.#world === clouds.world && this.#begun === clouds.tabBegun && this.#end !== undefined) return;
    this.stop();
    const { operator } = this;
    if (operator === null || (clouds.world === "local" && clouds.localThere !== true)) return;
    // Who looks elsewhere meanwhile finds the way back where it was. Of other clouds it is none.
    if (this.#world !== clouds.world || this.#begun !== clouds.tabBegun) this.did = null;
    this.#world = clouds.world;
    this.#begun = clouds.tabBegun;
    this.products = null;
    this.#empty();
    this.log.clear();
    const take = (line: LogLine) => {
      if (!this.log.push(line)) return;
      this.#touched(line);
      this.#frame.request();
    };
    const end = operator.follow(take, () => this.#again());
    // UCloud's downloads tell their progress in the log, others may not: an update under way is looked at now and then.
    const poll = setInterval(() => {
      if (document.hidden || !this.upgrades.some((upgrade) => isOpen(upgrade))) return;
      this.#stale.upgrades = true;
      this.#soon();
    }, 2_000);
    this.#end = () => {
      end();
      clearInterval(poll);
    };
    this.#again();
  }

  stop(): void {
    this.#end?.();
    this.#end = undefined;
    this.#round += 1;
    this.close();
  }

  /**
   * Goes where an address leads, once: what it names may not be there, and then something else is shown. `address` is
   * whatever stands for it and is another one for each.
   */
  arrive(address: unknown, platform: PlatformName | undefined, product: string | undefined): void {
    if (address === this.#address) return;
    this.#address = address;
    if (platform !== undefined) this.choose(platform, product);
  }

  /** Another platform or product; without a product the first there is. */
  choose(platform: PlatformName, product?: string): void {
    if (platform === this.platform && (product === undefined || product === this.product)) return;
    if (platform !== this.platform) this.products = null;
    this.platform = platform;
    this.product = product ?? "";
    this.failure = null;
    // A way back leads to what is shown, or nobody sees where it leads.
    this.did = null;
    this.#empty();
    this.close();
    this.changed();
    if (this.#end !== undefined) this.#again();
  }

  /** Another part of the view: what it shows is fetched. */
  show(section: Section): void {
    if (section === this.section) return;
    this.section = section;
    this.secrets = new Map();
    this.#stale.upgrades = true;
    this.#stale.around = true;
    if (this.#end !== undefined) this.#soon(0);
    this.changed();
  }

  want(change: Partial<Wanted>): void {
    this.wanted = { ...this.wanted, ...change };
    this.changed();
  }

  #empty(): void {
    this.#round += 1;
    this.#stale = nothingStale();
    this.roster.clear();
    this.wanted = EVERYTHING;
    this.total = 0;
    this.loaded = null;
    this.images = [];
    this.upgrades = [];
    this.chosen = new Set();
  }

  close(): void {
    this.open = null;
    this.reports = null;
    this.secrets = new Map();
  }

  /** Looks at a device, or no more at it. */
  look(name: string | null): void {
    const product = this.secrets.get("");
    this.close();
    if (product !== undefined) this.secrets = new Map([["", product]]);
    this.open = name;
    this.changed();
    if (name === null) return;
    this.#stale.names.add(name);
    this.#stale.upgrades = true;
    this.#soon(0);
  }

  /** Shows a secret, or hides it again: of a device, or of the product (""). */
  async reveal(name: string): Promise<void> {
    const { operator, platform, product } = this;
    const secrets = new Map(this.secrets);
    if (!secrets.delete(name) && operator !== null) {
      this.failure = null;
      try {
        if (name === "") {
          const result = await operator.operate({ platform, action: "list_products", reveal: true });
          const found = result.result === "products" ? result.items.find((item) => item.id === product) : undefined;
          secrets.set(name, found?.secret ?? "");
        } else {
          const { items } = await operator.some(platform, product, [name], true);
          secrets.set(name, items[0]?.secret ?? "");
        }
      } catch (error) {
        this.failure = refusal(error);
      }
      if (platform !== this.platform || product !== this.product) return;
    }
    this.secrets = secrets;
    this.changed();
  }

  /** Secrets of something else: `key` names them, `ask` gets them. */
  async revealMore(key: string, ask: (operator: Operator) => Promise<string>): Promise<void> {
    const secrets = new Map(this.secrets);
    const { operator } = this;
    if (!secrets.delete(key) && operator !== null) {
      try {
        secrets.set(key, await ask(operator));
      } catch (error) {
        this.failure = refusal(error);
      }
    }
    this.secrets = secrets;
    this.changed();
  }

  tick(names: Iterable<string>, on: boolean): void {
    const chosen = new Set(this.chosen);
    for (const name of names) {
      if (on) chosen.add(name);
      else chosen.delete(name);
    }
    this.chosen = chosen;
    this.changed();
  }

  /** Those ticked that are there. */
  get ticked(): string[] {
    return [...this.chosen].filter((name) => this.roster.get(name) !== undefined).sort();
  }

  // ---------- keeping up ----------

  /** Everything is fetched anew. */
  #again(): void {
    this.#round += 1;
    this.#stale.everything = true;
    this.#soon(0);
  }

  #touched(line: LogLine): void {
    if (line.platform !== this.platform) return;
    const slash = line.subject.indexOf("/");
    const product = slash < 0 ? line.subject : line.subject.slice(0, slash);
    if (slash >= 0 && product === this.product) this.#stale.names.add(line.subject.slice(slash + 1));
    else this.#stale.products = true;
    if (line.what === "update" || line.what === "operated") this.#stale.upgrades = true;
    this.#stale.around = true;
    this.#soon();
  }

  #soon(wait = Math.max(SETTLE_MS, this.#took * REST)): void {
    if (this.#working) return;
    if (wait === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#catchUp();
    }, wait);
  }

  /** Fetches what is stale, one look at a time: on busy clouds the next would overtake this one before it shows anything. */
  async #catchUp(): Promise<void> {
    const { operator } = this;
    if (operator === null || this.#end === undefined) return;
    const stale = this.#stale;
    this.#stale = nothingStale();
    this.#working = true;
    const begun = performance.now();
    const round = this.#round;
    try {
      await this.#fetch(operator, stale, round);
    } catch (error) {
      if (round === this.#round) {
        this.failure = refusal(error);
        this.products ??= [];
        this.loaded = null;
      }
    }
    this.#took = performance.now() - begun;
    this.#working = false;
    this.changed();
    const next = this.#stale;
    if (next.everything) this.#soon(0);
    else if (next.products || next.upgrades || next.around || next.names.size > 0) this.#soon();
  }

  async #fetch(operator: Operator, stale: Stale, round: number): Promise<void> {
    const { platform } = this;
    const over = () => round !== this.#round;
    if (stale.everything || stale.products || this.products === null) {
      const products = await operator.products(platform);
      if (over()) return;
      this.products = products;
      if (!products.some((product) => product.id === this.product)) {
        this.product = products[0]?.id ?? "";
        this.roster.clear();
        stale.everything = true;
      }
      this.changed();
    }
    const { product, current } = this;
    if (product === "") {
      this.#empty();
      return;
    }
    const many = stale.names.size > MOST / 10;
    // An import, or a device that made itself: the product has another number of devices than were known.
    const counted = current !== undefined && current.devices !== this.total && stale.products && !stale.everything;
    if (stale.everything || many || counted) await this.#load(operator, round);
    else if (stale.names.size > 0) await this.#some(operator, [...stale.names], round);
    if (over()) return;
    const { section, open } = this;
    const around = stale.everything || stale.around;
    const [upgrades, images, owners, waiting, gateways, reports] = await Promise.all([
      platform === "cmcc" || !(stale.everything || stale.upgrades) || !(section === "firmware" || section === "devices") ? null : operator.upgrades(platform, product),
      section === "firmware" && around ? operator.images(platform, product) : null,
      section === "homes" && around ? operator.owners() : null,
      section === "homes" && around ? operator.waiting() : null,
      section === "topology" && around ? operator.gateways() : null,
      open === null || !(stale.everything || stale.names.has(open)) ? null : operator.reports(platform, product, open).catch(() => []),
    ]);
    if (over()) return;
    if (upgrades !== null) this.upgrades = upgrades;
    if (images !== null) this.images = images;
    if (owners !== null) this.owners = owners;
    if (waiting !== null) this.waiting = waiting;
    if (gateways !== null) this.gateways = gateways;
    if (open === this.open && reports !== null) this.reports = reports;
  }

  /** All devices, a page at a time; the first time they are shown as they come. */
  async #load(operator: Operator, round: number): Promise<void> {
    const { platform, product } = this;
    const first = this.roster.size === 0;
    const all: DeviceView[] = [];
    for (;;) {
      const after = all.at(-1)?.name;
      const page = await operator.devices(platform, product, PAGE, after);
      if (round !== this.#round) return;
      all.push(...page.items);
      this.total = page.total;
      const more = page.items.length === PAGE && all.length < MOST;
      this.loaded = more ? all.length : null;
      if (first && more) this.roster.put(page.items);
      if (!more) break;
      this.changed();
    }
    this.roster.replace(all);
    if (this.open !== null && this.roster.get(this.open) === undefined && all.length < MOST) this.look(null);
  }

  async #some(operator: Operator, names: readonly string[], round: number): Promise<void> {
    const { platform, product } = this;
    for (let at = 0; at < names.length; at += PAGE) {
      const asked = names.slice(at, at + PAGE);
      const page = await operator.some(platform, product, asked);
      if (round !== this.#round) return;
      const there = new Set(page.items.map((device) => device.name));
      this.roster.remove(asked.filter((name) => !there.has(name)));
      this.roster.put(page.items);
      this.total = page.total;
      if (this.open !== null && asked.includes(this.open) && !there.has(this.open)) this.look(null);
    }
    // Somebody came or went whom no line spoke of.
    if (this.total !== this.roster.size && this.total <= MOST) await this.#load(operator, round);
  }

  // ---------- doing ----------

  /** Does it; null if it was refused, which is shown. */
  async operate(action: Action, place = this.place): Promise<OperationResult | null> {
    if (place === null) return null;
    // What was shown may not be the secret any more.
    if (action.action === "reset") this.secrets = new Map();
    this.failure = null;
    this.did = null;
    try {
      const result = await place.operator.operate({ platform: place.platform, ...action });
      // Whatever the log says of it, and when: what a person just did is shown.
      this.#stale.products = true;
      this.#stale.upgrades = true;
      this.#stale.around = true;
      if (place.platform === this.platform) for (const name of named(action, this.product)) this.#stale.names.add(name);
      this.#soon(0);
      return result;
    } catch (error) {
      if (this.#inWorld(place)) this.failure = refusal(error);
      return null;
    } finally {
      this.changed();
    }
  }

  /**
   * Says what was done, and keeps the way back at hand until the next action. Of what was done in another `place` than
   * the one that is looked at by now only the outcome is told, and nothing of what was done in other clouds.
   */
  tell(text: () => string, undo: (() => Promise<void>) | null = null, refused: Did["refused"] = [], place = this.place): void {
    if (place !== null && !this.#inWorld(place)) return;
    this.did = { text, undo: place === null || this.#at(place) ? undo : null, refused };
    this.changed();
  }

  dismissDid(): void {
    this.did = null;
    this.changed();
  }

  /**
   * Does the same to many, some at a time, until all are done or a person stops it. Returns those that were done; what
   * was refused is gathered by reason. Null: others are under way, and nothing was done.
   */
  async each(subjects: readonly string[], doing: () => string, action: (subject: string) => Action, place = this.place): Promise<{ done: string[]; refused: Did["refused"] } | null> {
    if (place === null || this.under !== null) return null;
    const done: string[] = [];
    const refused = new Map<string, string[]>();
    this.failure = null;
    this.did = null;
    let [next, stopped] = [0, false];
    this.under = { text: doing, total: subjects.length, done: 0, stop: () => (stopped = true) };
    this.changed();
    const work = async () => {
      while (!stopped && next < subjects.length) {
        const subject = subjects[next] ?? "";
        next += 1;
        try {
          await place.operator.operate({ platform: place.platform, ...action(subject) });
          done.push(subject);
        } catch (error) {
          const { message } = refusal(error);
          refused.set(message, [...(refused.get(message) ?? []), subject]);
        }
        if (this.under !== null) this.under = { ...this.under, done: done.length };
        this.#frame.request();
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, subjects.length) }, work));
    this.under = null;
    this.changed();
    return { done: done.sort(), refused: [...refused].map(([reason, names]) => ({ reason, subjects: names })) };
  }

  async addFirmware(version: string, module: string, bytes: Uint8Array, place = this.place): Promise<boolean> {
    if (place === null) return false;
    const { operator, platform, product } = place;
    this.failure = null;
    this.did = null;
    try {
      await operator.addFirmware({ platform, product, version, ...(module === "" ? {} : { module }) }, bytes);
      return true;
    } catch (error) {
      if (this.#inWorld(place)) this.failure = refusal(error);
      return false;
    } finally {
      this.changed();
    }
  }

  /** Those of these devices that are there, whether the roster has them by now or not. Null: it cannot be asked. */
  async find(names: readonly string[], reveal = false, place = this.place): Promise<DeviceView[] | null> {
    if (place === null) return null;
    const { operator, platform, product } = place;
    const all: DeviceView[] = [];
    try {
      for (let at = 0; at < names.length; at += PAGE) all.push(...(await operator.some(platform, product, names.slice(at, at + PAGE), reveal)).items);
      return all;
    } catch (error) {
      if (this.#inWorld(place)) this.failure = refusal(error);
      this.changed();
      return null;
    }
  }

  /** What a person should know, and why nothing was done. */
  fail(error: unknown): void {
    this.failure = refusal(error);
    this.did = null;
    this.changed();
  }

  pauseLog(on: boolean): void {
    this.log.pause(on);
    this.changed();
  }
}

/** The devices of the product that an action is about: not every line of the log names them. */
export function named(action: Action, product: string): string[] {
  const names: string[] = [];
  if ("product" in action && action.product === product) {
    if ("device" in action) names.push(action.device);
    if (action.action === "switch" && action.name.startsWith("announce.")) names.push(action.name.slice("announce.".length));
  }
  if ("sub_device" in action && action.sub_product === product) names.push(action.sub_device);
  return names;
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

export const operate = new Operate();
