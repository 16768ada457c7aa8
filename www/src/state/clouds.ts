// The clouds an operator works on: those of `muster up` over HTTP, or the ones in this tab. One face for both.

import type { BindTokenView, Cloud, Demo, DeviceView, FirmwareView, GatewayView, LogLine, Operation, OperationResult, OwnerView, PlatformName, ProductView, ReportView, Store as Place, UpgradeView } from "../muster/types";
import { engine } from "./engine";
import { Store, kept } from "./store";

export type DevicePage = { total: number; items: DeviceView[] };

export interface Operator {
  products(platform: PlatformName): Promise<ProductView[]>;
  devices(platform: PlatformName, product: string, limit: number, after?: string): Promise<DevicePage>;
  /** These, at most 1,000; who is not there is left out. */
  some(platform: PlatformName, product: string, names: readonly string[], reveal?: boolean): Promise<DevicePage>;
  images(platform: PlatformName, product: string): Promise<FirmwareView[]>;
  upgrades(platform: PlatformName, product: string): Promise<UpgradeView[]>;
  owners(reveal?: boolean): Promise<OwnerView[]>;
  gateways(): Promise<GatewayView[]>;
  /** Devices that wait for an owner. */
  waiting(reveal?: boolean): Promise<BindTokenView[]>;
  reports(platform: PlatformName, product: string, device: string): Promise<ReportView[]>;
  operate(operation: Operation): Promise<OperationResult>;
  addFirmware(image: Image, bytes: Uint8Array): Promise<void>;
  demo(): Promise<Demo>;
  /** Calls `take` for the past and for what comes, `missed` when something was left out between; returns what ends it. */
  follow(take: (line: LogLine) => void, missed?: () => void): () => void;
}

export type Image = { platform: PlatformName; product: string; version: string; module?: string };

/** A refusal of the operator API. */
export class Refused extends Error {
  readonly code: string;
  readonly next: string | undefined;
  constructor(code: string, message: string, next: string | undefined) {
    super(message);
    this.code = code;
    this.next = next;
  }
}

abstract class Base implements Operator {
  abstract operate(operation: Operation): Promise<OperationResult>;
  abstract addFirmware(image: Image, bytes: Uint8Array): Promise<void>;
  abstract demo(): Promise<Demo>;
  abstract follow(take: (line: LogLine) => void, missed?: () => void): () => void;

  async products(platform: PlatformName): Promise<ProductView[]> {
    const result = await this.operate({ platform, action: "list_products" });
    return result.result === "products" ? result.items : [];
  }

  async devices(platform: PlatformName, product: string, limit: number, after?: string): Promise<DevicePage> {
    const place = after === undefined ? {} : { after };
    const result = await this.operate({ platform, action: "list_devices", product, limit, ...place });
    return result.result === "devices" ? { total: result.total, items: result.items } : { total: 0, items: [] };
  }

  async some(platform: PlatformName, product: string, names: readonly string[], reveal = false): Promise<DevicePage> {
    const result = await this.operate({ platform, action: "get_devices", product, devices: [...names], reveal });
    return result.result === "devices" ? { total: result.total, items: result.items } : { total: 0, items: [] };
  }

  async images(platform: PlatformName, product: string): Promise<FirmwareView[]> {
    const result = await this.operate({ platform, action: "list_firmware", product });
    return result.result === "firmware" ? result.items : [];
  }

  async gateways(): Promise<GatewayView[]> {
    const result = await this.operate({ platform: "alibaba", action: "list_topology" });
    return result.result === "topology" ? result.items : [];
  }

  async waiting(reveal = false): Promise<BindTokenView[]> {
    const result = await this.operate({ platform: "alibaba", action: "list_bind_tokens", reveal });
    return result.result === "bind_tokens" ? result.items : [];
  }

  async upgrades(platform: PlatformName, product: string): Promise<UpgradeView[]> {
    const result = await this.operate({ platform, action: "list_upgrades", product });
    return result.result === "upgrades" ? result.items : [];
  }

  async owners(reveal = false): Promise<OwnerView[]> {
    const result = await this.operate({ platform: "alibaba", action: "list_owners", reveal });
    return result.result === "owners" ? result.items : [];
  }

  async reports(platform: PlatformName, product: string, device: string): Promise<ReportView[]> {
    const result = await this.operate({ platform, action: "list_reports", product, device });
    return result.result === "reports" ? result.items : [];
  }
}

class Local extends Base {
  async operate(operation: Operation): Promise<OperationResult> {
    const headers = { "Content-Type": "application/json" };
    return (await call("/api/operate", { method: "POST", headers, body: JSON.stringify(operation) })) as OperationResult;
  }

  async addFirmware(image: Image, bytes: Uint8Array): Promise<void> {
    const query = new URLSearchParams(image);
    const headers = { "Content-Type": "application/octet-stream" };
    await call(`/api/firmware?${query}`, { method: "POST", headers, body: bytes as Uint8Array<ArrayBuffer> });
  }

  async demo(): Promise<Demo> {
    return (await call("/api/demo")) as Demo;
  }

  follow(take: (line: LogLine) => void, missed?: () => void): () => void {
    const source = new EventSource("/api/log");
    // Opened a second time after a break: the clouds may be others by now.
    let opened = false;
    source.onopen = () => {
      if (opened) missed?.();
      opened = true;
    };
    source.addEventListener("missed", () => missed?.());
    source.onmessage = (event: MessageEvent<string>) => {
      const line = JSON.parse(event.data) as LogLine & { at?: number };
      take({ ...line, unix: line.unix ?? line.at ?? 0 });
    };
    return () => source.close();
  }
}

class InTab extends Base {
  readonly #cloud: () => Promise<Cloud>;

  constructor(cloud: () => Promise<Cloud>) {
    super();
    this.#cloud = cloud;
  }

  async operate(operation: Operation): Promise<OperationResult> {
    return (await this.#cloud()).operate(operation);
  }

  async addFirmware(image: Image, bytes: Uint8Array): Promise<void> {
    await (await this.#cloud()).addFirmware({ ...image, bytes });
  }

  async demo(): Promise<Demo> {
    return (await this.#cloud()).demo();
  }

  follow(take: (line: LogLine) => void): () => void {
    let over = false;
    void (async () => {
      for await (const line of (await this.#cloud()).log()) {
        if (over) return;
        take(line);
      }
    })().catch(() => {
      // The instance died; the page says so elsewhere.
    });
    return () => {
      over = true;
    };
  }
}

async function call(path: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(new URL(path, location.origin), init);
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const refused = (body ?? {}) as { kind?: string; message?: string; next?: string };
  throw new Refused(refused.kind ?? String(response.status), refused.message ?? `HTTP ${response.status}`, refused.next);
}

export type World = "local" | "tab" | "real";
export const WORLDS: readonly World[] = ["local", "tab", "real"];

export type Addresses = { http: string; mqtt: Record<string, string>; ws: Record<string, string>; api: string; firmware: string; data: string };

/** Under which the clouds in this tab are kept. */
const TAB = "console";

/** A store in this page's memory that holds these values. */
function held(values: ReadonlyMap<string, Uint8Array>): Place {
  const mine = new Map(values);
  return {
    load: async () => mine,
    async write(changes) {
      for (const [name, value] of changes) {
        if (value === undefined) mine.delete(name);
        else mine.set(name, value);
      }
    },
    release: () => {},
  };
}

/** A lock that was just given back may still be held for a moment. */
async function patiently(work: () => Promise<void>): Promise<void> {
  for (let left = 20; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || (error as { code?: unknown }).code !== "in_use") throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

/** Which clouds are there. */
class Clouds extends Store {
  world: World = "local";
  /** null: not known yet. */
  localThere: boolean | null = null;
  version = "";
  addresses: Addresses | null = null;
  readonly local: Operator = new Local();
  readonly tab: Operator = new InTab(() => this.inTab());
  /** Whether the clouds in this tab survive a reload. */
  tabKept = false;
  /** How often the clouds in this tab began anew: whoever watches them has to begin anew too. */
  tabBegun = 0;
  readonly #demos: Partial<Record<World, Demo>> = {};
  readonly #asking: Partial<Record<World, Promise<Demo>>> = {};
  #cloud: { generation: number; cloud: Promise<Cloud> } | undefined;
  /** While the clouds in this tab are between two lives. */
  #between: Promise<void> | undefined;

  async look(): Promise<void> {
    try {
      const status = (await call("/api/status")) as { version?: string; addresses?: Addresses };
      this.version = status.version ?? "";
      this.addresses = status.addresses ?? null;
      this.localThere = status.addresses !== undefined;
    } catch {
      this.localThere = false;
    }
    this.changed();
  }

  choose(world: World): void {
    this.world = world;
    this.changed();
  }

  operator(world: World): Operator | null {
    return world === "local" ? this.local : world === "tab" ? this.tab : null;
  }

  /** The one cloud in this tab; a new one after the instance died. */
  async inTab(): Promise<Cloud> {
    const muster = await engine.get();
    await this.#between;
    if (this.#cloud?.generation !== engine.generation) {
      delete this.#demos["tab"];
      const options = this.tabKept ? ({ storage: "browser", name: TAB } as const) : {};
      const cloud = muster.cloud(options);
      this.#cloud = { generation: engine.generation, cloud };
      // Those that could not begin, because another tab has them, may be asked for again.
      cloud.catch(() => {
        if (this.#cloud?.cloud === cloud) this.#cloud = undefined;
      });
    }
    return this.#cloud.cloud;
  }

  start(): void {
    this.tabKept = kept.get("tab") === "browser";
    void this.look();
  }

  /** Begins the clouds in this tab anew, kept or not. Whoever calls has stopped their devices. */
  async keepTab(on: boolean): Promise<void> {
    this.tabKept = on;
    kept.set("tab", on ? "browser" : "memory");
    await this.#again();
  }

  /** With the demo's products, and nothing else. Whoever calls has stopped their devices. */
  async startOver(): Promise<void> {
    await this.#again(async () => {
      if (this.tabKept) await (await engine.get()).forget("cloud", TAB);
    });
  }

  /** Everything that the clouds in this tab keep, secrets and images included. */
  async takeOut(): Promise<ReadonlyMap<string, Uint8Array>> {
    return (await this.inTab()).kept();
  }

  /**
   * Goes on from what other clouds kept, in place of these. What cannot be read is refused before anything is touched.
   * Whoever calls has stopped their devices.
   */
  async takeIn(values: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const muster = await engine.get();
    const trial = await muster.cloud({ storage: held(values) });
    await trial.stop();
    await this.#again(async () => {
      if (!this.tabKept) {
        this.#cloud = { generation: engine.generation, cloud: muster.cloud({ storage: held(values) }) };
        return;
      }
      const { browser } = await import("../muster/storage");
      const store = await browser("cloud", TAB);
      try {
        const gone = [...(await store.load()).keys()].filter((name) => !values.has(name));
        await store.write([...values, ...gone.map((name): [string] => [name])]);
      } finally {
        await store.release();
      }
    });
  }

  /** Ends the clouds in this tab, does what is to be done while there are none, and begins them. */
  async #again(meanwhile?: () => Promise<void>): Promise<void> {
    const old = this.#cloud;
    this.#cloud = undefined;
    delete this.#demos["tab"];
    // Views ask all the time: they wait, or there would be clouds again meanwhile.
    let go = () => {};
    this.#between = new Promise((done) => (go = done));
    try {
      // Clouds that never began need not be ended.
      await (await old?.cloud.catch(() => undefined))?.stop();
      if (meanwhile !== undefined) await patiently(meanwhile);
    } finally {
      this.#between = undefined;
      // Whatever failed meanwhile: the clouds before are gone, and what they were asked is not for those that come.
      this.tabBegun += 1;
      delete this.#asking["tab"];
      go();
      this.changed();
    }
    await this.demo("tab");
  }

  known(world: World): Demo | undefined {
    return this.#demos[world];
  }

  /** Asked once at a time: asking is written to the cloud's log, and views that follow the log ask again. */
  demo(world: World): Promise<Demo> {
    return (this.#asking[world] ??= this.#ask(world).finally(() => delete this.#asking[world]));
  }

  async #ask(world: World): Promise<Demo> {
    const operator = this.operator(world);
    if (operator === null) return { ucloud: null, cmcc: null, krtyun: null, alibaba: null, alibaba_app: null };
    const demo = await operator.demo();
    this.#demos[world] = demo;
    this.changed();
    return demo;
  }
}

export const clouds = new Clouds();
