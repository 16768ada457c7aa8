// The clouds an operator works on: those of `muster up` over HTTP, or the ones in this tab. One face for both.

import type { Cloud, Demo, DeviceView, LogLine, Operation, OperationResult, OwnerView, PlatformName, ProductView, ReportView, UpgradeView } from "../muster/types";
import { engine } from "./engine";
import { Store, kept } from "./store";

export type DevicePage = { total: number; items: DeviceView[] };

export interface Operator {
  products(platform: PlatformName): Promise<ProductView[]>;
  devices(platform: PlatformName, product: string, limit: number, after?: string): Promise<DevicePage>;
  upgrades(platform: PlatformName, product: string): Promise<UpgradeView[]>;
  owners(): Promise<OwnerView[]>;
  reports(platform: PlatformName, product: string, device: string): Promise<ReportView[]>;
  operate(operation: Operation): Promise<OperationResult>;
  addFirmware(platform: PlatformName, product: string, version: string, bytes: Uint8Array): Promise<void>;
  demo(): Promise<Demo>;
  /** Calls `take` for the past and for what comes; returns what ends it. */
  follow(take: (line: LogLine) => void): () => void;
}

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
  abstract addFirmware(platform: PlatformName, product: string, version: string, bytes: Uint8Array): Promise<void>;
  abstract demo(): Promise<Demo>;
  abstract follow(take: (line: LogLine) => void): () => void;

  async products(platform: PlatformName): Promise<ProductView[]> {
    const result = await this.operate({ platform, action: "list_products" });
    return result.result === "products" ? result.items : [];
  }

  async devices(platform: PlatformName, product: string, limit: number, after?: string): Promise<DevicePage> {
    const place = after === undefined ? {} : { after };
    const result = await this.operate({ platform, action: "list_devices", product, limit, ...place });
    return result.result === "devices" ? { total: result.total, items: result.items } : { total: 0, items: [] };
  }

  async upgrades(platform: PlatformName, product: string): Promise<UpgradeView[]> {
    const result = await this.operate({ platform, action: "list_upgrades", product });
    return result.result === "upgrades" ? result.items : [];
  }

  async owners(): Promise<OwnerView[]> {
    const result = await this.operate({ platform: "alibaba", action: "list_owners" });
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

  async addFirmware(platform: PlatformName, product: string, version: string, bytes: Uint8Array): Promise<void> {
    const query = new URLSearchParams({ platform, product, version });
    const headers = { "Content-Type": "application/octet-stream" };
    await call(`/api/firmware?${query}`, { method: "POST", headers, body: bytes as Uint8Array<ArrayBuffer> });
  }

  async demo(): Promise<Demo> {
    return (await call("/api/demo")) as Demo;
  }

  follow(take: (line: LogLine) => void): () => void {
    const source = new EventSource("/api/log");
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

  async addFirmware(platform: PlatformName, product: string, version: string, bytes: Uint8Array): Promise<void> {
    await (await this.#cloud()).addFirmware({ platform, product, version, bytes });
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
  readonly #demos: Partial<Record<World, Demo>> = {};
  readonly #asking: Partial<Record<World, Promise<Demo>>> = {};
  #cloud: { generation: number; cloud: Promise<Cloud> } | undefined;

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
    if (this.#cloud?.generation !== engine.generation) {
      delete this.#demos["tab"];
      const options = this.tabKept ? ({ storage: "browser", name: "console" } as const) : {};
      this.#cloud = { generation: engine.generation, cloud: muster.cloud(options) };
    }
    return this.#cloud.cloud;
  }

  start(): void {
    this.tabKept = kept.get("tab") === "browser";
    void this.look();
  }

  /** Begins the clouds in this tab anew, kept or not. Whoever calls has stopped their devices. */
  async keepTab(on: boolean): Promise<void> {
    const old = this.#cloud;
    this.#cloud = undefined;
    this.tabKept = on;
    kept.set("tab", on ? "browser" : "memory");
    delete this.#demos["tab"];
    this.changed();
    await (await old?.cloud)?.stop();
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
