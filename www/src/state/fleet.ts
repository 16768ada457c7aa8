// The fleet of this page: which devices, how they start, how they are.

import type { Fleet, FleetProblem, FleetRow, FleetRows, FleetState, FleetStatus, PlatformName, Storage } from "../muster/types";
import { MusterError } from "../muster/errors";
import { clouds, type World } from "./clouds";
import { decoded, readList, writeCsv, type CsvProblem, type List } from "./csv";
import { devices } from "./devices";
import { engine } from "./engine";
import { refusal, type Refusal } from "./failure";
import { Series, judge, type Goal, type Verdict } from "./fleet-series";
import { profileKey } from "./profiles";
import { SETTINGS, atOrigin, isSecret, nameKeys, withDevice } from "./settings";
import { Store } from "./store";

/** A Chromium tab's WebSockets, all Workers and hosts together; measured. */
export const SOCKETS = 255;
/** Devices of one list. */
export const MOST = 100_000;
/** MiB of a file with a list: 100,000 rows with long settings. */
const MOST_FILE = 32;
/** Rows that are imported with one request. */
const IMPORT = 10_000;
/** Rows that are fetched at once. */
const PAGE = 1_000;

export type Source = "count" | "list";
export type Making = "idle" | "importing" | "making" | "ready";

/** What the person sets. */
export type Setup = {
  platform: PlatformName;
  source: Source;
  count: number;
  prefix: string;
  /** `key=value`, one a line: settings that all have in common. */
  common: string;
  /** Devices that start in a second; 0: as fast as it goes. */
  rate: number;
  /** Seconds between two reports of a device; 0: as its platform has it. */
  reportEvery: number;
  storage: Storage;
  goal: Goal;
};

/** A fleet that was made: what is set for the next one does not change it. */
type Made = { begun: string; platform: PlatformName; world: World; storage: Storage; settings: Record<string, string>; list: List; file: string; fleet: Fleet };

class FleetStore extends Store {
  setup: Setup = {
    platform: "ucloud",
    source: "count",
    count: 50,
    prefix: `fleet-${tag()}-`,
    common: "",
    rate: 0,
    reportEvery: 0,
    storage: "memory",
    goal: { kind: "online", minutes: 0 },
  };
  /** The file that was given, and what is wrong with it. */
  file: { name: string; list: List; problems: readonly CsvProblem[] } | null = null;
  making: Making = "idle";
  made: Made | null = null;
  status: FleetStatus | null = null;
  readonly series = new Series();
  verdict: Verdict | null = null;
  failure: Refusal | null = null;
  /** Rows that cannot be used, and how many more there are. */
  problems: readonly FleetProblem[] = [];
  wrong = 0;
  /** Rows that left the fleet and could not be opened: what they stored is in the fleet still. */
  readonly unopened = new Set<number>();
  /** A run that ends with its time. */
  #ended: Promise<void> | null = null;
  #judged = false;

  constructor() {
    super();
    engine.subscribe(() => {
      if (engine.state === "dead" && this.made !== null) this.#gone();
    });
  }

  update(change: Partial<Setup>): void {
    this.setup = { ...this.setup, ...change };
    this.problems = [];
    this.wrong = 0;
    this.failure = null;
    this.changed();
    if (this.made !== null && (change.rate !== undefined || change.reportEvery !== undefined)) void this.made.fleet.set(this.#bounds(this.made.world, this.made.platform)).catch(() => {});
  }

  get phase(): FleetStatus["phase"] {
    return this.status?.phase ?? "idle";
  }

  /** The platform and world of what is shown: those of the fleet that was made, or those that are set. */
  get world(): World {
    return this.made?.world ?? clouds.world;
  }

  get platform(): PlatformName {
    return this.made?.platform ?? this.setup.platform;
  }

  /** Whether this world takes devices that nobody has listed: then they are imported, as an operator would. */
  get counts(): boolean {
    return clouds.world !== "real";
  }

  /** WebSockets that single devices of this page have. */
  get taken(): number {
    return devices.sessions.filter(({ running, plan }) => running && plan.world !== "tab" && plan.platform !== "cmcc").length;
  }

  /** So many devices of this platform fit in this world; none: there is no limit but that of lists. */
  room(world: World, platform: PlatformName): number | null {
    return world === "tab" || platform === "cmcc" ? null : Math.max(1, SOCKETS - this.taken);
  }

  /** Reads a list from a file, unless it is far too long to be one. */
  async read(file: File): Promise<void> {
    this.failure = null;
    try {
      if (file.size > MOST_FILE * 1024 * 1024) throw new MusterError("invalid", `file: has to be at most ${MOST_FILE} MiB`, `a list has at most ${MOST} devices`);
      this.take(file.name, new Uint8Array(await file.arrayBuffer()));
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Takes a list of devices in; what is wrong with it is told, and nothing of it is skipped. */
  take(name: string, bytes: Uint8Array): void {
    const text = decoded(bytes);
    const { list, problems } = typeof text === "string" ? readList(text) : { list: { columns: [], rows: [], lines: [] }, problems: [text] };
    this.file = { name, list, problems };
    this.update({ source: "list" });
  }

  forgetFile(): void {
    this.file = null;
    this.update({});
  }

  /** Starts it, or goes on after a pause. */
  async run(): Promise<void> {
    if (this.making === "importing" || this.making === "making") return;
    this.failure = null;
    // What is said of the run before is not said of this one, not even until its first device moves.
    if (this.phase === "idle") this.verdict = null;
    // From here on, another press of the button makes no second fleet.
    const there = this.made?.begun === begun(this.world) ? this.made : null;
    if (there === null) this.making = "making";
    this.changed();
    try {
      const made = there ?? (await this.#make());
      if (made === null) return this.#set("idle");
      if (this.phase === "idle") {
        this.series.clear();
        this.#judged = false;
        await made.fleet.set(this.#bounds(made.world, made.platform));
      }
      await made.fleet.run();
      this.#hear(await made.fleet.status());
    } catch (error) {
      this.#refused(error);
    }
  }

  async pause(): Promise<void> {
    await this.#do((fleet) => fleet.pause());
  }

  /** All log out. What they stored stays, for the next run. */
  async halt(): Promise<void> {
    await this.#do((fleet) => fleet.halt());
  }

  async tryAgain(): Promise<void> {
    await this.#do((fleet) => fleet.tryAgain());
  }

  async #do(what: (fleet: Fleet) => Promise<void>): Promise<void> {
    const { made } = this;
    if (made === null) return;
    try {
      await what(made.fleet);
      this.#hear(await made.fleet.status());
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Lets the fleet go; another one may be made. */
  async clear(): Promise<void> {
    const { made } = this;
    if (made === null) return;
    this.#gone();
    await made.fleet.stop().catch(() => {});
  }

  #gone(): void {
    if (this.made !== null) this.made.fleet.onstatus = null;
    this.made = null;
    this.making = "idle";
    this.status = null;
    this.verdict = null;
    this.unopened.clear();
    this.series.clear();
    this.changed();
  }

  rows(query: { states?: readonly FleetState[]; search?: string; from: number; count: number }): Promise<FleetRows> {
    return this.made?.fleet.rows(query) ?? Promise.resolve({ total: 0, rows: [] });
  }

  async allRows(states?: readonly FleetState[]): Promise<FleetRow[]> {
    const all: FleetRow[] = [];
    for (;;) {
      const { total, rows } = await this.rows({ from: all.length, count: PAGE, ...(states && { states }) });
      all.push(...rows);
      if (rows.length === 0 || all.length >= total) return all;
    }
  }

  /** Secrets, for a person who asked. */
  credentials(): Promise<[n: number, credential: string][]> {
    return this.made?.fleet.credentials() ?? Promise.resolve([]);
  }

  /** The rows of these devices as a list of their own, in the columns of the one that they came from. */
  listOf(rows: readonly FleetRow[]): string {
    const list = this.made?.list ?? { columns: [], rows: [], lines: [] };
    return writeCsv(list.columns, rows.map((row) => list.rows[row.n] ?? []));
  }

  /** Settings that all have in common beyond what the local clouds' demo says. */
  commonOf(made: Made): Record<string, string> {
    return made.world === "real" ? made.settings : parseCommon(this.setup.common).settings;
  }

  /** Takes a device out of the fleet and opens it alone, with what it stored. False if it could not be: then it can be again. */
  async open(row: FleetRow): Promise<boolean> {
    const { made } = this;
    if (made === null) return false;
    const { platform, world, storage } = made;
    this.failure = null;
    const { columns, rows } = made.list;
    const own = Object.fromEntries(columns.map((key, at) => [key, rows[row.n]?.[at] ?? ""]).filter(([, value]) => value !== ""));
    const plan = { platform, world, storage, settings: { ...made.settings, ...own } };
    if (!devices.fits(plan)) return false;
    this.unopened.add(row.n);
    try {
      const settings = await made.fleet.take(row.n, { storage, name: profileKey(plan) });
      this.unopened.delete(row.n);
      if (settings !== undefined) devices.start(plan);
      this.#hear(await made.fleet.status());
      return true;
    } catch (error) {
      this.#refused(error);
      return false;
    }
  }

  #bounds(world: World, platform: PlatformName) {
    const tab = world === "tab";
    const { rate, reportEvery } = this.setup;
    return { sockets: this.room(world, platform) ?? 0, requests: 6, at_once: tab ? 256 : platform === "cmcc" ? 64 : 32, rate, report_every: reportEvery * 1000 };
  }

  /** The fleet of what is set, in the place of one whose clouds are gone. */
  async #make(): Promise<Made | null> {
    const { setup, file } = this;
    const { platform, storage } = setup;
    const world = this.made?.world ?? clouds.world;
    const cleared = this.clear();
    this.#set("making");
    await cleared;
    const { settings: common, wrong } = parseCommon(setup.common);
    if (wrong !== null) throw new MusterError("invalid", `line ${wrong} of the common settings is no key=value`);
    if (setup.source === "list" && (file === null || file.problems.length > 0)) return null;
    // A real cloud knows the devices that its operator has listed, and no others.
    if (setup.source === "count" && world === "real") throw new MusterError("invalid", "a fleet on a real cloud needs a list of its devices", "give a list");

    const muster = await engine.get();
    const demo = world === "real" ? undefined : (await clouds.demo(world))[platform];
    const page = { origin: location.origin, host: location.host, protocol: location.protocol };
    const base = demo == null ? {} : world === "local" ? atOrigin(platform, demo.settings, page) : demo.settings;
    const named = setup.source === "list" ? { ...base, ...common } : { ...withDevice(platform, base, "x"), ...common };
    const list = setup.source === "list" && file !== null ? file.list : numbered(platform, setup.prefix, setup.count);
    if (setup.source === "count") {
      this.#set("importing");
      await this.#import(world, platform, named[nameKeys(platform).product] ?? "", list);
    }
    this.#set("making");
    // The host reads a list in the same way: what is demo's and what is common to all, and each row on top of it.
    const home = world === "tab" ? { cloud: await clouds.inTab() } : {};
    const bounds = this.#bounds(world, platform);
    const name = `fleet-${world}-${platform}`;
    const fleet = await muster.fleet({ platform, settings: named, columns: list.columns, rows: list.rows, lines: list.lines, bounds, storage, name, ...home });
    const made: Made = { begun: begun(world), platform, world, storage, settings: named, list, file: setup.source === "list" ? (file?.name ?? "") : "", fleet };
    this.made = made;
    fleet.onstatus = (status) => this.#hear(status);
    this.#set("ready");
    return made;
  }

  async #import(world: World, platform: PlatformName, product: string, list: List): Promise<void> {
    const operator = clouds.operator(world);
    if (operator === null) return;
    const header = { ucloud: "device_sn", cmcc: "device_no,device_no_type", krtyun: "device_id", alibaba: "DeviceName" }[platform];
    for (let at = 0; at < list.rows.length; at += IMPORT) {
      const rows = list.rows.slice(at, at + IMPORT).map(([name]) => (platform === "cmcc" ? `${name},SN` : name));
      // Rows that are there from before are said to be rejected; the devices are there all the same.
      await operator.operate({ platform, action: "import_devices", product, csv: `${[header, ...rows].join("\n")}\n` });
    }
  }

  #set(making: Making): void {
    this.making = making;
    this.changed();
  }

  #refused(error: unknown): void {
    this.making = this.made === null ? "idle" : "ready";
    const data = error instanceof MusterError && error.code === "rows" ? (error.data as { count: number; problems: FleetProblem[] }) : null;
    if (data === null) this.failure = refusal(error);
    else [this.problems, this.wrong] = [data.problems, data.count];
    this.changed();
  }

  #hear(status: FleetStatus): void {
    this.status = status;
    if (status.phase !== "idle") this.series.add(status);
    if (!this.#judged) {
      this.verdict = judge(this.setup.goal, status);
      this.#judged = this.verdict !== null;
      // A test that runs for a time ends with it.
      if (this.#judged && this.setup.goal.kind === "for") this.#ended ??= this.halt().finally(() => (this.#ended = null));
    }
    this.changed();
  }
}

/** Which life of the clouds and of the instance a fleet belongs to: it does not outlive them. */
function begun(world: World): string {
  return JSON.stringify([engine.generation, world === "tab" ? clouds.tabBegun : 0]);
}

/** `key=value`, one a line; a line that is none of it by its number. */
export function parseCommon(text: string): { settings: Record<string, string>; wrong: number | null } {
  const settings: Record<string, string> = {};
  let wrong: number | null = null;
  text.split(/\r?\n/).forEach((line, at) => {
    const plain = line.trim();
    if (plain === "" || plain.startsWith("#")) return;
    const [, key, value] = /^([A-Za-z0-9_.]+)\s*=\s*(.*)$/.exec(plain) ?? [];
    if (key === undefined) wrong ??= at + 1;
    // As TOML has it, quotes may be around a value.
    else settings[key] = (value ?? "").replace(/^"(.*)"$/, "$1");
  });
  return { settings, wrong };
}

/** New devices of the demo's product, as `muster fleet --count` names them. */
export function numbered(platform: PlatformName, prefix: string, count: number): List {
  const { device } = nameKeys(platform);
  const rows = Array.from({ length: count }, (_, at) => [`${prefix}${String(at + 1).padStart(6, "0")}`]);
  return { columns: [device], rows, lines: [] };
}

/** Which of these settings are secrets. */
export function secretKeys(platform: PlatformName, settings: Record<string, string>): string[] {
  return Object.keys(settings).filter((key) => isSecret(platform, key));
}

/** Names of the settings that a list may have. */
export function columnNames(platform: PlatformName): string[] {
  return SETTINGS[platform].map(({ key }) => key).filter((key) => /^[A-Za-z0-9_]+$/.test(key));
}

/** The secrets in memory go with the page, and the clouds remember: so each page has names of its own. */
function tag(): string {
  return Math.floor(Math.random() * 36 ** 4)
    .toString(36)
    .padStart(4, "0");
}

export const fleet = new FleetStore();
