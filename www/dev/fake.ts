// A stand-in for the WebAssembly, for working on the page. Never shipped: only `vite --mode fake` loads it.
// It acts out what the real devices do, with made-up bytes. `#fail` in a device's name makes it stop, `#retry` retry.

import { Armory } from "../src/muster/armory";
import { whole } from "../src/state/fault-rules";
import type {
  App, AppBindPlan, AppCall, AppOptions, AppReply, Cloud, Demo, Device, DeviceOptions, DeviceView, Entry, Intent, Load, LogLine, MqttPacket,
  Muster, Next, Operation, OperationResult, PacketLook, PlatformName, ProductView, Step, Tools, UpgradeView, What, Event, Error as CoreError,
} from "../src/muster/types";

const wait = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

class Queue<T> implements AsyncIterable<T> {
  #items: T[] = [];
  #wake: (() => void) | undefined;
  #over = false;
  push(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }
  end(): void {
    this.#over = true;
    this.#wake?.();
  }
  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#over) return;
      else await new Promise<void>((wake) => { this.#wake = wake; });
    }
  }
}

const SECRET = "k7m2p9q4x8w1z5t3";
const STARS = "*".repeat(16);

class Recorder {
  readonly queue = new Queue<Entry>();
  readonly kept = new Map<number, Entry>();
  readonly begun = performance.now();
  seq = 0;
  over = false;
  add(what: What): number {
    if (this.over) return 0;
    this.seq += 1;
    const entry = { seq: this.seq, at: performance.now() - this.begun, unix: Date.now(), ...what } as Entry;
    this.kept.set(this.seq, entry);
    this.queue.push(entry);
    return this.seq;
  }
  event(event: Event): void { this.add({ kind: "event", event }); }
  step(step: Step): void { this.event({ event: "step", step }); }
  up(packet: Partial<MqttPacket> & { type: MqttPacket["type"] }): number {
    return this.add({ kind: "mqtt", direction: "up", packet: { size: 40, masked: 0, ...packet } });
  }
  down(packet: Partial<MqttPacket> & { type: MqttPacket["type"] }): number {
    return this.add({ kind: "mqtt", direction: "down", packet: { size: 4, masked: 0, ...packet } });
  }
  look(seq: number, reveal: boolean): PacketLook | undefined {
    const entry = this.kept.get(seq);
    if (entry === undefined) return undefined;
    const shown = reveal ? (JSON.parse(JSON.stringify(entry).replaceAll(STARS, SECRET)) as Entry) : entry;
    const text = shown.kind === "mqtt" ? `2\u0000\u0010${shown.packet.topic ?? shown.packet.client_id ?? ""}${shown.packet.payload?.text ?? ""}` : JSON.stringify(shown);
    return { entry: shown, bytes: new TextEncoder().encode(text) };
  }
}

const body = (value: unknown) => {
  const text = JSON.stringify(value);
  return { size: text.length, text, json: true };
};

class FakeDevice implements Device {
  static ids = 0;
  readonly id = ++FakeDevice.ids;
  readonly platform: PlatformName;
  next: Next | null = null;
  onnext: ((next: Next | null) => void) | null = null;
  oncut: Device["oncut"] = null;
  async publish(): Promise<void> {}
  async subscribe(): Promise<void> {}
  /** Armed and shown; what is acted out here nothing strikes. */
  readonly faults: Armory = new Armory(async ({ clear, disarm = [], arm = [] }) => {
    const ids = new Set([...disarm, ...arm.map(({ id }) => id)]);
    const left = clear === true ? [] : this.faults.armed.filter(({ id }) => !ids.has(id));
    return [...left, ...arm.map((rule) => whole({ ...rule, id: rule.id ?? rule.fault }))];
  });
  readonly rec = new Recorder();
  readonly s: Record<string, string>;
  version: string;
  constructor(readonly options: DeviceOptions, readonly cloud: FakeCloud) {
    this.platform = options.platform;
    this.s = options.settings;
    this.version = this.s["firmware_version"] ?? "1.0.0";
    void this.run();
  }
  get name(): string { return this.s["device_sn"] ?? this.s["device_no"] ?? this.s["device_id"] ?? this.s["device_name"] ?? ""; }
  get product(): string { return this.s["product_sn"] ?? this.s["product_id"] ?? this.s["product_key"] ?? ""; }
  get over(): boolean { return this.rec.over; }
  async credential(): Promise<string | undefined> {
    return JSON.stringify({ product_sn: this.product, device_sn: this.name, device_secret: SECRET });
  }
  set(next: Next | null): void {
    this.next = next;
    this.onnext?.(next);
  }
  async exchange(up: Parameters<Recorder["up"]>[0], down: Parameters<Recorder["down"]>[0], ms = 18): Promise<void> {
    if (this.over) return;
    const of = this.rec.up(up);
    await wait(ms);
    this.rec.down({ of, latency: ms + Math.random(), ...down });
    await wait(6);
  }
  async connect(username: string): Promise<boolean> {
    this.rec.add({ kind: "link", what: "opening", url: this.s["broker"] ?? "ws://127.0.0.1:7878/mqtt/ucloud" });
    await wait(12);
    this.rec.add({ kind: "link", what: "open", url: this.s["broker"] ?? "ws://127.0.0.1:7878/mqtt/ucloud" });
    await this.exchange(
      { type: "CONNECT", client_id: `${this.product}.${this.name}`, username, password: STARS, masked: 1, keep_alive: 240, clean_session: true, size: 92 },
      { type: "CONNACK", return_code: this.name.includes("fail") ? 5 : 0 },
      21,
    );
    return !this.name.includes("fail");
  }
  async run(): Promise<void> {
    const r = this.rec;
    if (this.name.includes("retry")) {
      r.step("connect_to_register");
      r.add({ kind: "link", what: "opening", url: "wss://nobody.example:443" });
      await wait(300);
      const error: CoreError = { blame: "network", failure: "unreachable" };
      r.add({ kind: "link", what: "closed", url: "wss://nobody.example:443", trouble: { reason: "unreachable", url: "wss://nobody.example:443", detail: "close code 1006" } });
      r.event({ event: "retrying", error, failures: 3, in_ms: 14_000 });
      this.set({ at: Date.now() + 14_000, why: "retry" });
      return;
    }
    if (this.platform === "cmcc") return this.cmcc();
    const p = this.product, d = this.name;
    const U = `/$system/${p}/${d}`;
    r.step("connect_to_register");
    if (this.platform === "alibaba") {
      r.step("request_secret");
      await this.http("POST", `${this.s["auth_url"] ?? ""}/auth/register/device`, { productKey: p, deviceName: d, random: "7y4Jg5xdKCy9W2i", sign: "d3b560d5be0c" }, { code: 200, data: { productKey: p, deviceName: d, deviceSecret: STARS } }, 1);
    } else {
      if (!(await this.connect(`${p}|${d}|2`))) {
        r.event({ event: "stopped", error: { blame: "rejected", by: { how: "connack", code: 5 } }, advice: "import_device" });
        this.set(null);
        return;
      }
      r.step("subscribe_for_secret");
      const [set, post] = this.platform === "ucloud" ? [`${U}/password_reply`, `${U}/password`] : [`/sys/${p}/${d}/thing/register/set`, `/sys/${p}/${d}/thing/register/post`];
      await this.exchange({ type: "SUBSCRIBE", topic: set, qos: 1, packet_id: 1 }, { type: "SUBACK", packet_id: 1, return_code: 1 });
      r.step("request_secret");
      const of = r.up({ type: "PUBLISH", topic: post, qos: 1, packet_id: 2, size: 84, payload: body(this.platform === "ucloud" ? { RequestID: "1" } : { CMD: 20, ID: "1", PRODUCT_ID: p, DEVICE_ID: d }) });
      await wait(4);
      r.down({ type: "PUBACK", packet_id: 2, of, latency: 4.1 });
      await wait(7);
      r.down({ type: "PUBLISH", topic: set, qos: 1, packet_id: 4, size: 118, masked: 1, of, latency: 11.3, payload: body(this.platform === "ucloud" ? { RetCode: "0", RequestID: "1", Password: STARS } : { CMD: 21, ID: "1", DEVICE_SECRET: STARS }) });
    }
    await wait(8);
    if (this.over) return;
    r.step("store_secret");
    await wait(3);
    r.add({ kind: "store", action: "put", key: "credential", size: 98, outcome: "done", latency: 2.4 });
    r.event({ event: "registered", identity: { platform: this.platform, product: p, device: d } });
    this.cloud.seen(this.platform, p, d, "online", this.version);
    if (this.platform === "krtyun") {
      r.step("confirm_secret");
      await this.exchange({ type: "PUBLISH", topic: `/sys/${p}/${d}/thing/register/post`, qos: 1, packet_id: 3, payload: body({ CMD: 21, ID: "1", BACK: "OK" }) }, { type: "PUBACK", packet_id: 3 });
      r.add({ kind: "link", what: "closed", url: this.s["broker"] ?? "" });
    } else if (this.platform === "ucloud") {
      r.step("leave_registration");
      r.up({ type: "DISCONNECT", size: 2 });
    }
    await this.login();
  }
  async login(): Promise<void> {
    const r = this.rec, p = this.product, d = this.name;
    await wait(10);
    r.step("login");
    await this.connect(this.platform === "ucloud" ? `${p}|${d}|1` : this.platform === "krtyun" ? d : `${d}&${p}`);
    r.step("subscribe");
    const down = { ucloud: `/$system/${p}/${d}/ota/downstream`, krtyun: `/sys/${p}/${d}/thing/ota/set`, alibaba: `/ota/device/upgrade/${p}/${d}`, cmcc: "" }[this.platform];
    await this.exchange({ type: "SUBSCRIBE", topic: down, qos: 1, packet_id: 1 }, { type: "SUBACK", packet_id: 1, return_code: 1 });
    await this.report();
    r.event({ event: "ready" });
    r.event({ event: "heartbeat", next: 240_000, next_unix: Date.now() + 240_000, why: "keep_alive" });
    this.set({ at: Date.now() + 240_000, why: "heartbeat" });
    if (this.platform === "alibaba") await this.token();
  }
  async report(): Promise<void> {
    const p = this.product, d = this.name;
    this.rec.step("report_version");
    const up = { ucloud: `/$system/${p}/${d}/ota/upstream`, krtyun: `/sys/${p}/${d}/thing/ota/post`, alibaba: `/ota/device/inform/${p}/${d}`, cmcc: "" }[this.platform];
    await this.exchange({ type: "PUBLISH", topic: up, qos: 1, packet_id: 5, size: 131, payload: body(this.platform === "krtyun" ? { CMD: 10, HW_VERSION: "1.0.0", FW_VERSION: this.version } : { Method: "report_version", RequestID: "2", Payload: [{ Module: "default", Version: this.version }] }) }, { type: "PUBACK", packet_id: 5 });
    this.cloud.seen(this.platform, p, d, "online", this.version);
  }
  async token(): Promise<void> {
    const p = this.product, d = this.name;
    const token = Array.from({ length: 32 }, () => "0123456789ABCDEF"[Math.floor(Math.random() * 16)]).join("");
    this.rec.step("report_token");
    const of = this.rec.up({ type: "PUBLISH", topic: `/sys/${p}/${d}/thing/awss/enrollee/match`, qos: 1, packet_id: 6, payload: body({ id: "3", version: "1.0", method: "thing.awss.enrollee.match", params: { token } }) });
    await wait(9);
    this.rec.down({ type: "PUBLISH", topic: `/sys/${p}/${d}/thing/awss/enrollee/match_reply`, of, latency: 9, payload: body({ id: "3", code: 200, data: {} }) });
    this.rec.event({ event: "bind_token", token, for_ms: 60_000 });
  }
  async http(method: string, url: string, request: unknown, answer: unknown, masked = 0): Promise<void> {
    const of = this.rec.add({ kind: "http", direction: "up", message: { method, url, headers: [["Content-Type", "application/json"]], size: 240, masked: masked ? 1 : 0, payload: body(request) } });
    await wait(24);
    this.rec.add({ kind: "http", direction: "down", of, latency: 24.2, message: { status: 200, headers: [["Content-Type", "application/json"]], size: 180, masked, payload: body(answer) } });
    await wait(4);
  }
  async cmcc(): Promise<void> {
    const r = this.rec;
    const base = this.s["base_url"] ?? "https://ivs.chinamobiledevice.com";
    r.step("request_secret");
    await this.http("POST", `${base}/v2/customer/device/secret/info`, { deviceNoType: "CMEI", deviceNo: this.name, productId: this.product, productKey: STARS }, { code: "200", success: true, data: { deviceId: "d1029384756", deviceSecret: STARS } }, 1);
    r.step("store_secret");
    r.add({ kind: "store", action: "put", key: "credential", size: 178, outcome: "done", latency: 1.9 });
    r.event({ event: "registered", identity: { platform: "cmcc", product: this.product, device: this.name } });
    await this.cmccReport();
    r.event({ event: "ready" });
  }
  async cmccReport(): Promise<void> {
    const base = this.s["base_url"] ?? "https://ivs.chinamobiledevice.com";
    this.rec.step("heartbeat");
    await this.http("POST", `${base}/v2/customer/device/report`, { deviceId: "d1029384756", deviceSecret: STARS, productId: this.product, params: { innerIp: ["127.0.0.1"], netSpeed: "0Mbps", firmwareVersion: this.version } }, { code: "200", success: true, data: { protocolTypeTime: "1747100000000" } });
    const next = Date.now() + 43_200_000 + (Math.random() - 0.5) * 1_800_000;
    this.rec.add({ kind: "store", action: "put", key: "schedule", size: 120, outcome: "done", latency: 1.2 });
    this.rec.event({ event: "heartbeat", next: 43_200_000, next_unix: next, why: "period_with_jitter" });
    this.set({ at: next, why: "heartbeat" });
    this.cloud.seen("cmcc", this.product, this.name, "online", this.version);
  }
  async update(to: string, size: number): Promise<void> {
    const r = this.rec, p = this.product, d = this.name, from = this.version;
    r.down({ type: "PUBLISH", topic: `/$system/${p}/${d}/ota/downstream`, qos: 1, packet_id: 9, size: 320, payload: body({ Method: "update_firmware", Payload: { Module: "default", Version: to, URL: "http://127.0.0.1:7878/firmware/1/app.bin", MD5: "941546d1c333e2f0d9", Size: size } }) });
    r.event({ event: "update", update: { phase: "offered", from, to, size } });
    r.add({ kind: "store", action: "put", key: "firmware", size: 210, outcome: "done", latency: 2 });
    r.step("download");
    r.add({ kind: "http", direction: "up", message: { method: "GET", url: "http://127.0.0.1:7878/firmware/1/app.bin", headers: [], size: 120, masked: 0 } });
    for (let i = 1; i <= 20; i++) {
      await wait(120);
      r.event({ event: "update", update: { phase: "downloading", received: Math.floor((size * i) / 20), total: size } });
    }
    r.event({ event: "update", update: { phase: "verified", digest: true } });
    r.step("install");
    await wait(400);
    r.add({ kind: "install", version: to, size, sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", outcome: "done" });
    this.version = to;
    r.event({ event: "update", update: { phase: "installed", from, to } });
    await this.report();
    r.event({ event: "update", update: { phase: "reported", version: to } });
  }
  async intend(intent: Intent): Promise<void> {
    if (intent.intent === "report") return this.platform === "cmcc" ? this.cmccReport() : this.report();
    if (intent.intent === "new_bind_token") return this.token();
    if (intent.intent === "request_firmware") return void this.update("1.0.1", 1_048_576);
    if (intent.intent === "try_again") return this.run();
    if (intent.intent === "post_properties") {
      this.rec.step("post_properties");
      await this.exchange({ type: "PUBLISH", topic: `/$system/${this.product}/${this.name}/tmodel/property/post`, qos: 1, packet_id: 8, payload: body({ RequestID: "9", Property: JSON.parse(intent.json) }) }, { type: "PUBACK", packet_id: 8 });
      this.rec.event({ event: "properties_posted" });
      return;
    }
    if (intent.intent === "register_again") {
      this.rec.step("erase_secret");
      this.rec.add({ kind: "store", action: "erase", key: "credential", size: 0, outcome: "done", latency: 1 });
      return this.run();
    }
    this.rec.add({ kind: "misuse", message: "this platform has no such thing to do" });
  }
  async packet(seq: number, options?: { reveal?: boolean }): Promise<PacketLook | undefined> {
    return this.rec.look(seq, options?.reveal === true);
  }
  async recording(): Promise<undefined> {
    return undefined;
  }
  async dropNetwork(): Promise<void> {
    this.rec.add({ kind: "link", what: "closed", url: this.s["broker"] ?? "", trouble: { reason: "lost", url: this.s["broker"] ?? "" } });
    this.rec.event({ event: "retrying", error: { blame: "network", failure: "lost" }, failures: 1, in_ms: 1100 });
    this.set({ at: Date.now() + 1100, why: "retry" });
    await wait(1100);
    if (!this.over) await this.login();
  }
  async stop(): Promise<void> {
    this.rec.up({ type: "DISCONNECT", size: 2 });
    await wait(5);
    await this.cutPower();
  }
  async cutPower(): Promise<void> {
    this.rec.over = true;
    this.rec.queue.end();
    this.cloud.seen(this.platform, this.product, this.name, "offline", this.version);
  }
  [Symbol.asyncIterator](): AsyncIterator<Entry> { return this.rec.queue[Symbol.asyncIterator](); }
}

class FakeApp implements App {
  readonly rec = new Recorder();
  #token: ((token: string) => void) | undefined;
  constructor(readonly options: AppOptions) {}
  async ask(path: string, params: unknown, answer: unknown): Promise<void> {
    const of = this.rec.add({ kind: "http", direction: "up", message: { method: "POST", url: `${this.options.settings["base_url"] ?? ""}${path}`, headers: [["Accept", "application/json; charset=utf-8"], ["X-Ca-Key", "23456789"], ["X-Ca-Signature", STARS]], size: 410, masked: 1, payload: body({ id: "1509086454180", version: "1.0", request: { apiVer: "1.0.7", iotToken: STARS }, params }), string_to_sign: `POST\napplication/json; charset=utf-8\nlAZXYJYqVAxOD1upa8nVvQ==\napplication/octet-stream; charset=utf-8\nTue, 05 Jun 2018 04:18:33 GMT\nX-Ca-Key:23456789\nX-Ca-Nonce:b931bc77\n${path}` } });
    await wait(26);
    this.rec.add({ kind: "http", direction: "down", of, latency: 26.4, message: { status: 200, headers: [["Content-Type", "application/json"]], size: 160, masked: 0, payload: body({ id: "1509086454180", code: 200, data: answer }) } });
  }
  async call(call: AppCall): Promise<AppReply> {
    await this.ask(`/awss/${call.call}`, call, { total: 1 });
    this.rec.add({ kind: "reply", call: call.call, result: { ok: { total: 1 } as unknown as AppReply } });
    return { total: 1, items: [{ enrollee: { product_key: "a1muster001", device_name: "example1" } }] } as unknown as AppReply;
  }
  async bind(plan: AppBindPlan): Promise<void> {
    const device = plan.devices[0] ?? { product_key: "", device_name: "" };
    const heard = new Promise<string>((done) => { this.#token = done; });
    void (async () => {
      this.rec.add({ kind: "app_event", event: { event: "step", step: "filter" } });
      await this.ask("/awss/enrollee/product/filter", { iotDevices: plan.devices }, [device]);
      this.rec.add({ kind: "app_event", event: { event: "filtered", devices: [{ device, product_name: "Demo", net_type: 3, node_type: 0, category_key: null, category_name: null, category_id: null }] } });
      this.rec.add({ kind: "app_event", event: { event: "chosen", device } });
      this.rec.add({ kind: "app_event", event: { event: "step", step: "token" } });
      this.rec.add({ kind: "app_event", event: { event: "waiting", for_ms: 180_000 } });
      if (plan.by === "token" && plan.token === undefined) await heard;
      await this.ask("/awss/token/check", { token: "…" }, { iotId: "uPwXJVyfZs7LkVH9VH6D000100" });
      this.rec.add({ kind: "app_event", event: { event: "token_known", iot_id: "uPwXJVyfZs7LkVH9VH6D000100" } });
      this.rec.add({ kind: "app_event", event: { event: "step", step: "bind" } });
      await this.ask("/awss/token/user/bind", { ...device, token: "…" }, "uPwXJVyfZs7LkVH9VH6D000100");
      this.rec.add({ kind: "app_event", event: { event: "bound", device, iot_id: "uPwXJVyfZs7LkVH9VH6D000100" } });
    })();
  }
  async bindToken(token: string): Promise<void> { this.#token?.(token); }
  async handOver(): Promise<undefined> { return undefined; }
  async cancel(): Promise<void> { this.rec.add({ kind: "app_event", event: { event: "cancelled" } }); }
  async packet(seq: number, options?: { reveal?: boolean }): Promise<PacketLook | undefined> { return this.rec.look(seq, options?.reveal === true); }
  async stop(): Promise<void> { this.rec.queue.end(); }
  [Symbol.asyncIterator](): AsyncIterator<Entry> { return this.rec.queue[Symbol.asyncIterator](); }
}

const DEMO: Demo = {
  ucloud: { settings: { broker: "mqtt://127.0.0.1:18831", product_sn: "muster0ucloud001", product_secret: "0a1b2c3d4e5f6071", device_sn: "112233445566" }, devices: ["112233445566", "112233445567", "112233445568"] },
  cmcc: { settings: { base_url: "http://127.0.0.1:7878", product_id: "1234567890123", product_key: "0a1b2c3d4e5f6071", device_no_type: "CMEI", device_no: "111234560000011", cmei: "111234560000011" }, devices: ["111234560000011", "490154203237518", "MUSTER-SN-0001"] },
  krtyun: { settings: { broker: "mqtt://127.0.0.1:18832", product_id: "20191210", product_secret: "0a1b2c3d4e5f6071", device_id: "10001" }, devices: [] },
  alibaba: { settings: { broker: "mqtt://127.0.0.1:18833", auth_url: "http://127.0.0.1:7878", product_key: "a1muster001", product_secret: "0a1b2c3d4e5f6071", device_name: "example1" }, devices: ["example1", "example2"] },
  alibaba_app: { settings: { base_url: "http://127.0.0.1:7878", app_key: "23456789", app_secret: "0a1b2c3d4e5f6071", iot_token: "4f1b3d6a9c2e4b70a6d5f8e7c1b2a394", home_id: "1" } },
};

class FakeCloud implements Cloud {
  readonly lines = new Queue<LogLine>();
  seq = 0;
  products: Record<PlatformName, ProductView[]> = {
    ucloud: [{ id: "muster0ucloud001", name: "Demo", secret: null, switches: { DynamicRegister: "true", PreRegister: "true", ConnackSecret: "4" }, devices: 3, firmware: ["1.0.1"] }],
    cmcc: [{ id: "1234567890123", name: "Demo", secret: null, switches: { numeric_code: "false", lenient_params: "false" }, devices: 3, firmware: [] }],
    krtyun: [{ id: "20191210", name: "Demo", secret: null, switches: { DynamicRegister: "true", AutoCreate: "true", AutoCreateLimit: "1000", CheckTopics: "true" }, devices: 0, firmware: [] }],
    alibaba: [{ id: "a1muster001", name: "Demo", secret: null, switches: { DynamicRegister: "true", published: "true", netType: "3" }, devices: 2, firmware: ["1.0.1"] }, { id: "a1mustergw1", name: "Demo gateway", secret: null, switches: { DynamicRegister: "true" }, devices: 1, firmware: [] }],
  };
  devices = new Map<string, DeviceView[]>();
  upgrades: UpgradeView[] = [];
  constructor() {
    for (const platform of ["ucloud", "cmcc", "krtyun", "alibaba"] as const) {
      const names = DEMO[platform]?.devices ?? [];
      this.devices.set(platform, names.map((name) => ({ name, state: "inactive", secret: null, version: null, last_active: null, more: {} })));
    }
  }
  seen(platform: PlatformName, product: string, name: string, state: string, version: string): void {
    const list = this.devices.get(platform) ?? [];
    const known = list.find((d) => d.name === name);
    const view = { name, state, secret: null, version, last_active: Date.now(), more: {} };
    if (known === undefined) list.push(view);
    else Object.assign(known, view);
    this.lines.push({ seq: ++this.seq, unix: Date.now(), platform, subject: `${product}/${name}`, what: state === "online" ? "accepted" : "offline", detail: state === "online" ? "logged in with its own secret" : "the connection ended" });
  }
  async operate(operation: Operation): Promise<OperationResult> {
    await wait(40);
    const list = this.devices.get(operation.platform) ?? [];
    switch (operation.action) {
      case "list_products": return { result: "products", items: structuredClone(this.products[operation.platform]) };
      case "list_devices": return { result: "devices", total: list.length, items: structuredClone(list) };
      case "get_devices": return { result: "devices", total: list.length, items: structuredClone(list.filter(({ name }) => operation.devices.includes(name))) };
      case "list_firmware": return { result: "firmware", items: (this.products[operation.platform][0]?.firmware ?? []).map((version) => ({ module: null, version, size: 150_000, md5: "0".repeat(32), sha256: "0".repeat(64), url: `http://tab.invalid/${version}` })) };
      case "list_topology": return { result: "topology", items: [] };
      case "list_bind_tokens": return { result: "bind_tokens", items: [] };
      case "list_upgrades": return { result: "upgrades", items: [...this.upgrades] };
      case "list_owners": return { result: "owners", items: [{ identity: "demo", home_id: "1", iot_token: null, refresh_token: null, iot_token_until: Date.now() + 7_200_000, refresh_token_until: Date.now() + 1_728_000_000, devices: ["a1muster001/example1"] }] };
      case "import_devices": {
        const names = operation.csv.split(/\s+/).filter(Boolean);
        for (const name of names) list.push({ name, state: "inactive", secret: null, version: null, last_active: null, more: {} });
        return { result: "imported", added: names.length, existing: 0, rejected: [{ line: 3, reason: "has to be 4 to 64 letters, digits, - _ @ or :" }] };
      }
      case "switch": {
        const product = this.products[operation.platform].find((p) => p.id === operation.product);
        if (product !== undefined) product.switches[operation.name] = operation.value;
        return { result: "done" };
      }
      case "disable": {
        const device = list.find((d) => d.name === operation.device);
        if (device !== undefined) device.state = operation.disabled ? "disabled" : "offline";
        return { result: "done" };
      }
      case "push_upgrade":
        this.upgrades.push({ device: list[0]?.name ?? "", module: "default", version: operation.version, state: "downloading", detail: "64" });
        return { result: "ordered", devices: operation.devices?.length ?? list.length };
      default: return { result: "done" };
    }
  }
  async addFirmware(image: { platform: PlatformName; product: string; version: string }): Promise<void> {
    this.products[image.platform].find((p) => p.id === image.product)?.firmware.push(image.version);
  }
  async demo(): Promise<Demo> { return structuredClone(DEMO); }
  log(): AsyncIterable<LogLine> { return this.lines; }
  async kept(): Promise<ReadonlyMap<string, Uint8Array>> { return new Map(); }
  async stop(): Promise<void> {}
}

const tools: Tools = {
  cipher: async () => ({ sha256: "677d48332214926363dc5f19bd59fe74da6e1db2790b7449865db7db65edf6ac", key: "677d48332214926363dc5f19bd59fe74", steps: [{ name: "parts", value: "secret 2C random" }, { name: "bytes", value: "6666466e466c4b51573348596a6a50522c00000000000000000000000000000000" }] }),
  wifi: async ({ password = "" }) => ({ password, passwd: "DAE5D16BA88845D6C6424F238C18D7E1", steps: [{ name: "AES-128-CBC", value: "DAE5D16BA88845D6C6424F238C18D7E1" }] }),
  sign: async () => ({ string_to_sign: "POST\napplication/json; charset=utf-8\nlAZXYJYqVAxOD1upa8nVvQ==\napplication/octet-stream; charset=utf-8\nTue, 05 Jun 2018 04:18:33 GMT\nX-Ca-Key:23456789\n/awss/enrollee/list/get", content_md5: "lAZXYJYqVAxOD1upa8nVvQ==", signature: "vBd4T3BpjLkq1m0VtHj4xXr7qLxk1fzVgJQm0b8J2nE=", signature_headers: "X-Ca-Key", warning: null, steps: [] }),
  credentials: async () => ({ client_id: "a1X2bEnP82z.example1|securemode=2,signmethod=hmacsha256,timestamp=2524608000000|", username: "example1&a1X2bEnP82z", password: "b8ce8f1d706dd3c61d13bfd9855def7e321b785084ca9c93f0169a2b46785dd2", steps: [] }),
  credentialModes: async () => ({
    ucloud: [{ mode: "dynamic", settings: ["product_sn", "product_secret", "device_sn"], optional: [] }, { mode: "static", settings: ["product_sn", "device_sn", "device_secret"], optional: [] }],
    cmcc: [{ mode: "dynamic", settings: ["device_no_type", "device_no", "product_id", "product_key"], optional: [] }],
    krtyun: [{ mode: "dynamic", settings: ["product_id", "product_secret", "device_id"], optional: [] }],
    alibaba: [{ mode: "static", settings: ["product_key", "device_name", "device_secret", "timestamp"], optional: [] }],
  }),
  cmeiCheck: async () => ({ cmei: "111234561234569", valid: true, tui: "11123456", serial: "123456", free_digit: 9, luhn_digit: 9, luhn: true }),
  cmeiBuild: async () => ({ cmei: "111234561234569", valid: true, tui: "11123456", serial: "123456", free_digit: 9, luhn_digit: 9, luhn: true }),
  cmeiBatch: async () => ({ count: 3, cmeis: ["111234560000011", "111234560000029", "111234560000037"] }),
  nvs: async () => ({ bytes: new Uint8Array(4096), places: [], pages: 1, pages_used: 1, read_only: true }),
  handover: async ({ platform, form, credential }) => ({
    file: `${platform}-device.${form === "header" ? "h" : form === "nvs" ? "bin" : form}`,
    media_type: "text/plain",
    names: Object.keys(JSON.parse(credential) as object),
    places: form === "nvs" ? [{ page: 0, entry: 0, offset: 64, span: 1, namespace: "", key: "muster", kind: "namespace", bytes: 1 }] : [],
    notes: [],
    bytes: new TextEncoder().encode(credential),
  }),
  imeiCheck: async () => ({ imei: "490154203237518", valid: true, tac: "49015420", serial: "323751", check_digit: 8, luhn_digit: 8, luhn: true }),
};

export const load: Load = async () => {
  await wait(60);
  let die: (error: globalThis.Error) => void = () => {};
  const cloud = new FakeCloud();
  const muster: Muster = {
    fleet: () => Promise.reject(Object.assign(new Error("the stand-in has no fleets"), { code: "not_supported", next: "build the WebAssembly" })),
    tools,
    replay: async () => {
      throw Object.assign(new Error("this is no recording of a device's life"), { code: "replay_unreadable" });
    },
    forget: async () => {},
    died: new Promise((done) => { die = done; }),
    device: async (options) => {
      await wait(20);
      if ((options.settings["product_sn"] ?? "xxxx").length < 4) throw Object.assign(new Error("setting `product_sn`: has to be 4 to 24 letters, digits, `-` or `_`"), { code: "config", key: "product_sn" });
      return new FakeDevice(options, cloud);
    },
    app: async (options) => new FakeApp(options),
    cloud: async () => cloud,
    close: () => {},
  };
  Object.assign(globalThis, { killInstance: () => die(new Error("unreachable executed")) });
  return muster;
};
