// The browser's API. `load()` starts a Worker that holds the WebAssembly instance; everything else goes through it.

import { fromPlain, MusterDied } from "./errors";
import type { Ask, Handle, Say, Taken } from "./protocol";
import { Armory } from "./armory";
import { lend, type Lent } from "./lend";
import { Queue } from "./queue";
import { start, type ModuleName, type Port } from "./start";
import type {
  App,
  AppBindPlan,
  AppCall,
  AppOptions,
  AppReply,
  Cloud,
  CloudOptions,
  CoveredReplay,
  Demo,
  Device,
  DeviceOptions,
  Entry,
  Fleet,
  FleetBounds,
  FleetOptions,
  FleetQuery,
  FleetRows,
  FleetStatus,
  HandOver,
  Intent,
  LoadOptions,
  LogLine,
  Muster,
  Next,
  Operation,
  OperationResult,
  PacketLook,
  PlatformName,
  Replay,
  ReplayCheck,
  ReplayMark,
  ReplayPlace,
  Storage,
  Store,
  Tools,
} from "./types";

export * from "./errors";
export * from "./types";

/** Starts the Worker and the instance in it. Owners, clouds of the tab and calculators get another one, on demand. */
export async function load(options: LoadOptions = {}): Promise<Muster> {
  const { worker, wasm, workerAll, wasmAll, lab = false } = options;
  return new Instance(await begin(lab ? "muster_lab" : "muster", worker, wasm), () => begin("muster_all", workerAll, wasmAll), lab);
}

async function begin(module: ModuleName, worker?: string | URL, wasm?: string | URL): Promise<Line> {
  const line = new Line(start(module, worker));
  try {
    await line.ask({ ask: "init", ...(wasm === undefined ? {} : { wasm: String(wasm) }) });
  } catch (error) {
    line.end(new MusterDied("it could not be loaded"));
    throw error;
  }
  return line;
}

/** The connection to a Worker. */
class Line {
  private lastId = 0;
  private lastHandle = 0;
  private readonly asked = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  private readonly heard = new Map<Handle, (message: Say) => void>();
  private dead: MusterDied | undefined;
  readonly died: Promise<MusterDied>;
  private die!: (error: MusterDied) => void;

  constructor(private readonly worker: Port) {
    this.died = new Promise((resolve) => (this.die = resolve));
    worker.onmessage = ({ data }) => this.hear(data as Say);
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.end(new MusterDied(event.message || "the Worker could not be loaded"));
    };
  }

  handle(): Handle {
    return ++this.lastHandle;
  }

  listen(handle: Handle, hear: (message: Say) => void): void {
    this.heard.set(handle, hear);
    this.tell();
  }

  forget(handle: Handle): void {
    this.heard.delete(handle);
    this.tell();
  }

  ask<T>(question: Ask, transfer: Transferable[] = []): Promise<T> {
    if (this.dead) return Promise.reject(this.dead);
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.tell();
      try {
        this.worker.postMessage({ id, ...question }, transfer);
      } catch (error) {
        // What cannot be sent is never answered.
        this.asked.delete(id);
        this.tell();
        throw error;
      }
    });
  }

  private tell(): void {
    this.worker.busy?.(this.asked.size > 0 || this.heard.size > 0);
  }

  /** Everything of this Worker is over. */
  end(why: MusterDied): void {
    if (this.dead) return;
    this.dead = why;
    this.worker.terminate();
    for (const { reject } of this.asked.values()) reject(why);
    this.asked.clear();
    for (const hear of this.heard.values()) hear({ say: "died", message: why.message });
    this.heard.clear();
    this.die(why);
  }

  private hear(message: Say): void {
    switch (message.say) {
      case "answer":
      case "error": {
        const asker = this.asked.get(message.id);
        this.asked.delete(message.id);
        this.tell();
        if (message.say === "answer") asker?.resolve(message.value as never);
        else asker?.reject(fromPlain(message.error));
        return;
      }
      case "died":
        return this.end(new MusterDied(message.message));
      default:
        this.heard.get(message.handle)?.(message);
    }
  }
}

class Instance implements Muster {
  readonly died: Promise<MusterDied>;
  readonly tools: Tools;
  private die!: (error: MusterDied) => void;
  private all: Promise<Line> | undefined;
  private enter!: () => Promise<() => void>;

  constructor(
    private readonly line: Line,
    private readonly loadAll: () => Promise<Line>,
    private readonly lab: boolean,
  ) {
    this.died = new Promise((resolve) => (this.die = resolve));
    void line.died.then((why) => this.over(why));
    const tool = async <T>(name: string, input: unknown): Promise<T> =>
      (await this.everything()).ask({ ask: "tool", tool: name, input });
    this.tools = {
      cipher: (input) => tool("cipher", input),
      wifi: (input) => tool("wifi", input),
      sign: (request) => tool("sign", request),
      credentials: (input) => tool("credentials", input),
      credentialModes: () => tool("credential_modes", null),
      cmeiCheck: (cmei) => tool("cmei_check", { cmei }),
      cmeiBuild: (parts) => tool("cmei_build", parts),
      cmeiBatch: (parts) => tool("cmei_batch", parts),
      imeiCheck: (imei) => tool("imei_check", { imei }),
      nvs: (input) => tool("nvs", input),
      handover: (input) => tool("handover", input),
    };
  }

  async device(options: DeviceOptions): Promise<Device> {
    const { platform, settings, name = "", cloud } = options;
    // The smallest module knows neither faults nor recordings, nor the relay.
    const small = this.lab || (options.faults === undefined && options.record !== true && options.relay !== true);
    // A device of a cloud lives where the cloud does.
    const line = cloud ? remote(cloud).line : small ? this.line : await this.everything();
    // Not before the module is there: what is lent has to come back, and from here on somebody sees to that.
    const { storage, lent } = kept(options.storage);
    const device = new RemoteDevice(line, await this.room(line, cloud), platform);
    const way = { ...(cloud && { cloud: remote(cloud).id }), ...by(options.relay), ...(options.record === true ? { record: true as const } : {}) };
    const faults = device.faults.first(options.faults ?? []);
    return device.begin({ ask: "device", handle: device.id, platform, settings, storage, name, faults, ...way }, lent);
  }

  async app({ settings, cloud, relay }: AppOptions): Promise<App> {
    const app = new RemoteApp(cloud ? remote(cloud).line : await this.everything());
    const way = { ...(cloud && { cloud: remote(cloud).id }), ...by(relay) };
    return app.begin({ ask: "app", handle: app.id, settings, ...way });
  }

  async cloud(options: CloudOptions = {}): Promise<Cloud> {
    const line = await this.everything();
    const { storage, lent } = kept(options.storage);
    const cloud = new RemoteCloud(line);
    return cloud.begin({ ask: "cloud", handle: cloud.id, storage, name: options.name ?? "" }, lent);
  }

  async replay(recording: Uint8Array | string): Promise<Replay> {
    return new RemoteReplay(await this.everything()).open(recording);
  }

  async fleet(options: FleetOptions): Promise<Fleet> {
    const { platform, settings, columns, rows, lines, bounds = {}, storage = "memory", name = "", cloud } = options;
    const line = cloud ? remote(cloud).line : await this.everything();
    // A device of a cloud in this tab lives where the cloud does; every other one has a Worker of its own.
    const fleet = new RemoteFleet(line, await this.room(line, cloud), cloud ? line : this.line);
    const plan = { platform, settings, columns, rows, ...(lines && { lines }), bounds, ...by(options.relay) };
    const home = cloud && { cloud: remote(cloud).id };
    return fleet.begin({ ask: "fleet", handle: fleet.id, plan, storage, name, ...home });
  }

  async forget(kind: "device" | "cloud", name: string): Promise<void> {
    await this.line.ask({ ask: "forget", kind, name });
    if (this.all) await (await this.all).ask({ ask: "forget", kind, name });
  }

  close(): void {
    this.over(new MusterDied("it was closed"));
  }

  /** Who connects from the second Worker takes of the first one's handshakes. */
  private async room(line: Line, cloud: Cloud | undefined): Promise<(() => void) | undefined> {
    return cloud || line === this.line ? undefined : this.enter();
  }

  private everything(): Promise<Line> {
    if (!this.all) {
      this.all = this.loadAll().then(async (line) => {
        this.enter = (await import("./handshakes")).handshakes(this.line, line);
        void line.died.then((why) => this.over(why));
        return line;
      });
      // One that could not be loaded may be asked for again.
      this.all.catch(() => (this.all = undefined));
    }
    return this.all;
  }

  /** One of the two is over: what is left of the other would only mislead. */
  private over(why: MusterDied): void {
    this.line.end(why);
    void this.all?.then(
      (line) => line.end(why),
      () => {},
    );
    this.die(why);
  }
}

function by(relay: boolean | undefined): { relay?: true } {
  return relay === true ? { relay } : {};
}

function remote(cloud: Cloud): RemoteCloud {
  if (cloud instanceof RemoteCloud) return cloud;
  throw new TypeError("this cloud is of another instance");
}

/** A store of the page's own stays in the page; the Worker gets the other end of a channel. */
function kept(storage: Storage | Store = "memory"): { storage: Storage | MessagePort; lent?: Lent } {
  if (typeof storage === "string") return { storage };
  const lent = lend(storage);
  return { storage: lent.port, lent };
}

/** Something that lives in the Worker. */
abstract class Remote {
  readonly id: Handle;
  private lent: Lent | undefined;

  /** `leave`: gives back what it takes of handshakes. */
  constructor(
    readonly line: Line,
    private leave?: (() => void) | undefined,
  ) {
    this.id = line.handle();
    line.listen(this.id, (message) => this.hear(message));
  }

  async begin(question: Ask, lent?: Lent): Promise<this> {
    this.lent = lent;
    try {
      await this.line.ask(question, lent ? [lent.port] : []);
    } catch (error) {
      this.over();
      await this.lent?.over();
      throw error;
    }
    return this;
  }

  async stop(): Promise<void> {
    try {
      this.left(await this.line.ask({ ask: "stop", handle: this.id }));
    } finally {
      this.over();
      await this.givenBack();
    }
  }

  /** What is left of it. */
  protected left(_rest: unknown): void {}

  protected async givenBack(): Promise<void> {
    await this.lent?.over();
  }

  protected over(): void {
    this.line.forget(this.id);
    this.leave?.();
    this.leave = undefined;
    // A store that cannot even be given back says so to whoever stops it.
    this.lent?.over().catch(() => {});
  }

  protected abstract hear(message: Say): void;
}

/** Something with a timeline. */
abstract class Traced extends Remote implements AsyncIterable<Entry> {
  private readonly entries = new Queue<Entry>();

  [Symbol.asyncIterator](): AsyncIterator<Entry> {
    return this.entries;
  }

  packet(seq: number, options: { reveal?: boolean } = {}): Promise<PacketLook | undefined> {
    return this.line.ask({ ask: "packet", handle: this.id, seq, reveal: options.reveal ?? false });
  }

  protected override hear(message: Say): void {
    if (message.say === "entries") for (const entry of message.entries) this.entries.push(entry);
    if (message.say === "died") this.over();
  }

  protected override over(): void {
    super.over();
    this.entries.end();
  }
}

class RemoteDevice extends Traced implements Device {
  next: Next | null = null;
  onnext: ((next: Next | null) => void) | null = null;
  oncut: ((cut: { restart_ms: number | null }) => void) | null = null;
  readonly faults = new Armory((change) => this.line.ask({ ask: "faults", handle: this.id, change }));
  #ended = false;
  #recording: Uint8Array | undefined;
  #begun = false;
  /** A cut in the first moments, when nobody had the device yet who could hear of it. */
  #early: Say | undefined;

  constructor(
    line: Line,
    leave: (() => void) | undefined,
    readonly platform: PlatformName,
  ) {
    super(line, leave);
  }

  override async begin(question: Ask, lent?: Lent): Promise<this> {
    await super.begin(question, lent);
    this.#begun = true;
    const early = this.#early;
    // Whoever has it now listens first.
    if (early !== undefined) setTimeout(() => this.hear(early));
    return this;
  }

  intend(intent: Intent): Promise<void> {
    return this.line.ask({ ask: "intend", handle: this.id, intent });
  }

  publish(topic: string, payload: string | Uint8Array, { qos = 0 }: { qos?: 0 | 1 } = {}): Promise<void> {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    return this.line.ask({ ask: "publish", handle: this.id, topic, payload: bytes, qos });
  }

  subscribe(topic: string, { qos = 0 }: { qos?: 0 | 1 } = {}): Promise<void> {
    return this.line.ask({ ask: "subscribe", handle: this.id, topic, qos });
  }

  dropNetwork(): Promise<void> {
    return this.line.ask({ ask: "dropNetwork", handle: this.id });
  }

  credential(): Promise<string | undefined> {
    return this.line.ask({ ask: "credential", handle: this.id });
  }

  async cutPower(): Promise<void> {
    try {
      this.left(await this.line.ask({ ask: "cutPower", handle: this.id }));
    } finally {
      this.over();
      await this.givenBack();
    }
  }

  recording(): Promise<Uint8Array | undefined> {
    if (this.#ended) return Promise.resolve(this.#recording);
    return this.line.ask({ ask: "recording", handle: this.id });
  }

  protected override left(rest: unknown): void {
    this.#recording = rest as Uint8Array | undefined;
  }

  protected override hear(message: Say): void {
    super.hear(message);
    if (message.say === "next") this.announce(message.next);
    if (message.say === "faults") this.faults.hear(message.armed);
    if (message.say === "cut" && !this.#begun) this.#early = message;
    else if (message.say === "cut") {
      this.#ended = true;
      this.left(message.recording);
      this.oncut?.({ restart_ms: message.restart_ms });
      this.over();
      // A store that cannot be given back is told to whoever stops the device; nobody does this one.
      this.givenBack().catch(() => {});
    }
  }

  protected override over(): void {
    super.over();
    this.#ended = true;
    this.announce(null);
  }

  private announce(next: Next | null): void {
    this.next = next;
    this.onnext?.(next);
  }
}

class RemoteApp extends Traced implements App {
  call(call: AppCall): Promise<AppReply> {
    return this.line.ask({ ask: "call", handle: this.id, call });
  }

  bind(plan: AppBindPlan): Promise<void> {
    return this.line.ask({ ask: "bind", handle: this.id, plan });
  }

  bindToken(token: string): Promise<void> {
    return this.line.ask({ ask: "bindToken", handle: this.id, token });
  }

  cancel(): Promise<void> {
    return this.line.ask({ ask: "cancel", handle: this.id });
  }

  handOver(): Promise<HandOver | undefined> {
    return this.line.ask({ ask: "handOver", handle: this.id });
  }
}

class RemoteCloud extends Remote implements Cloud {
  private readonly readers = new Set<Queue<LogLine>>();

  operate(operation: Operation): Promise<OperationResult> {
    return this.line.ask({ ask: "operate", handle: this.id, operation });
  }

  addFirmware({
    bytes,
    ...image
  }: {
    platform: PlatformName;
    product: string;
    version: string;
    module?: string;
    bytes: Uint8Array;
  }): Promise<void> {
    return this.line.ask({ ask: "addFirmware", handle: this.id, image, bytes });
  }

  demo(): Promise<Demo> {
    return this.line.ask({ ask: "demo", handle: this.id });
  }

  kept(): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.line.ask({ ask: "kept", handle: this.id });
  }

  async *log(): AsyncGenerator<LogLine> {
    const coming = new Queue<LogLine>(10_000);
    this.readers.add(coming);
    try {
      let last = 0;
      for (const line of await this.line.ask<LogLine[]>({ ask: "log", handle: this.id })) {
        last = line.seq;
        yield line;
      }
      // A line may be in the past and come as well.
      for await (const line of coming) if (line.seq > last) yield line;
    } finally {
      this.readers.delete(coming);
      // Nobody reads: nothing has to be told.
      if (this.readers.size === 0) this.line.ask({ ask: "logRead", handle: this.id }).catch(() => {});
    }
  }

  protected override hear(message: Say): void {
    if (message.say === "log") {
      for (const reader of this.readers) for (const line of message.lines) reader.push(line);
    }
    if (message.say === "died") this.over();
  }

  protected override over(): void {
    super.over();
    for (const reader of this.readers) reader.end();
  }
}

class RemoteReplay extends Remote implements Replay {
  check!: ReplayCheck;
  marks: readonly ReplayMark[] = [];

  async open(recording: Uint8Array | string): Promise<this> {
    try {
      const { check, marks } = await this.line.ask<{ check: ReplayCheck; marks: ReplayMark[] }>({ ask: "replay", handle: this.id, recording });
      this.check = check;
      this.marks = marks;
      return this;
    } catch (error) {
      this.over();
      throw error;
    }
  }

  goTo(step: number): Promise<ReplayPlace> {
    return this.line.ask({ ask: "replayTo", handle: this.id, step });
  }

  cover(): Promise<CoveredReplay> {
    return this.line.ask({ ask: "replayCover", handle: this.id });
  }

  close(): Promise<void> {
    return this.stop();
  }

  protected override hear(message: Say): void {
    if (message.say === "died") this.over();
  }
}

class RemoteFleet extends Remote implements Fleet {
  onstatus: ((status: FleetStatus) => void) | null = null;

  /** `home`: where a device of it lives alone. */
  constructor(
    line: Line,
    leave: (() => void) | undefined,
    private readonly home: Line,
  ) {
    super(line, leave);
  }

  run(): Promise<void> {
    return this.do("run");
  }

  pause(): Promise<void> {
    return this.do("pause");
  }

  halt(): Promise<void> {
    return this.do("stop");
  }

  tryAgain(): Promise<void> {
    return this.do("tryAgain");
  }

  status(): Promise<FleetStatus> {
    return this.do("status");
  }

  credentials(): Promise<[n: number, credential: string][]> {
    return this.do("credentials");
  }

  set(bounds: FleetBounds): Promise<void> {
    return this.line.ask({ ask: "fleetSet", handle: this.id, bounds });
  }

  rows(query: FleetQuery): Promise<FleetRows> {
    return this.line.ask({ ask: "fleetRows", handle: this.id, query });
  }

  async take(n: number, to: { storage: Storage; name: string }): Promise<Record<string, string> | undefined> {
    const taken = await this.line.ask<Taken | undefined>({ ask: "fleetTake", handle: this.id, n });
    if (taken === undefined) return undefined;
    if (taken.stored.length > 0) await this.home.ask({ ask: "keep", ...to, values: taken.stored });
    // Only what is kept there may be forgotten here.
    const names = taken.stored.map(([name]) => `${taken.key}/${name}`);
    await this.line.ask({ ask: "fleetTaken", handle: this.id, n, names });
    return taken.settings;
  }

  protected override hear(message: Say): void {
    if (message.say === "fleet") this.onstatus?.(message.status);
    if (message.say === "died") this.over();
  }

  private do<T>(what: "run" | "pause" | "stop" | "tryAgain" | "status" | "credentials"): Promise<T> {
    return this.line.ask({ ask: "fleetDo", handle: this.id, what });
  }
}
