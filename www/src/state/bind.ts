// What the Bind view works with: for each world one owner's app, what it found, the bind in hand, and the home behind it.

import type { AppBindPlan, AppCall, AppReply, AppStep, BindTokenView, DeviceNameOf, DiscoveredDevice, Entry, Error as CoreError, HandOver, LogLine, OwnerView } from "../muster/types";
import { beginRun, dropRun, failedStep, reduceRun, resumeRun, type Run } from "./bindrun";
import { clouds, type Operator, type World } from "./clouds";
import { devices, type Session } from "./devices";
import { NOBODYS_TOKEN, enrollees, judge, nameOf, pasted, sameDevice, type Enrollee, type Inside, type Verdict } from "./enrollees";
import { answers, codeOf, httpOf, isCall, pathOfUrl, type Exchange } from "./exchange";
import { refusal, type Refusal } from "./failure";
import { Log } from "./log";
import { Owner } from "./owner";
import { atOrigin } from "./settings";
import { Store } from "./store";
import { homeTree, permitOf, permitsOf, type Inventory, type Permit, type TreeNode } from "./topology";

/** After a line of the cloud's log: what it changed is fetched, once for a burst. */
const SETTLE_MS = 300;
/** Requests that are kept to be looked at. */
const KEPT = 200;
const PAGE = 100;
/** Looking takes at most a fifth of the time: on busy clouds the page has other things to do. */
const REST = 4;
/** Of each product, for the tree: the first ones by name. */
const LOOKED_AT = 1_000;
/** Each is asked about by itself. */
export const MOST_PASTED = 500;

/** What the last answer said of the iotToken. */
export type TokenState = { word: "unused" | "missing" | "good" | "refused"; unix: number };

/** How the device is to be provisioned, as the form has it. */
export type WifiForm = { on: boolean; type: string; random: string; mac: string; product_id: string; ssid: string; password: string };

/** Something of a device's own that counts down. */
export type Left = { until: number; state: "none" | "running" | "over" };

/** The owner that the local clouds come with. */
const DEMO = "demo";

/** Lines that change nothing but the device that they name: not what is bound, or under which gateway. */
const ROUTINE: ReadonlySet<LogLine["what"]> = new Set(["accepted", "refused", "dropped", "closed", "offline", "reported", "update", "secret_issued", "activated"]);

type Stale = { everything: boolean; names: Set<string>; something: boolean };
const nothingStale = (): Stale => ({ everything: false, names: new Set(), something: false });

async function wholeOf(operator: Operator): Promise<Inventory> {
  const products = await operator.products("alibaba");
  const lists = await Promise.all(products.map(({ id }) => operator.devices("alibaba", id, LOOKED_AT)));
  return products.map((product, i) => ({ product, devices: lists[i]?.items ?? [] }));
}

/** `before`, with these devices (`productKey/deviceName`) as they are now. */
async function changedOf(operator: Operator, before: Inventory, subjects: ReadonlySet<string>): Promise<Inventory> {
  return Promise.all(
    before.map(async (one) => {
      const { id } = one.product;
      const names = [...subjects].filter((subject) => subject.startsWith(`${id}/`)).map((subject) => subject.slice(id.length + 1));
      if (names.length === 0) return one;
      if (names.length > LOOKED_AT) return { ...one, devices: (await operator.devices("alibaba", id, LOOKED_AT)).items };
      const { items } = await operator.some("alibaba", id, names);
      const others = one.devices.filter(({ name }) => !names.includes(name));
      return { ...one, devices: [...others, ...items].sort((a, b) => (a.name < b.name ? -1 : 1)) };
    }),
  );
}

/** Whether a refusal says something of the device that was asked about: the vendor's codes of four digits do, and a wrong parameter. */
function isAboutDevice(error: CoreError): boolean {
  return error.blame === "rejected" && error.by.how === "code" && /^(?:\d{4}|460)$/.test(error.by.code);
}

export const NO_RANDOM = "00000000000000000000000000000000";

export class Desk extends Store {
  readonly world: World;
  readonly log = new Log();
  readonly owner: Owner;
  identity = DEMO;
  owners: readonly OwnerView[] = [];
  token: TokenState = { word: "unused", unix: 0 };
  /** Its calls go by the relay of the page's server, to a real gateway. */
  relay = false;
  /** What a person should know: a call or an operator's action that was refused. */
  failure: Refusal | null = null;
  busy: string | null = null;

  // Discovered devices.
  page: { size: number; num: number; total: number; items: readonly DiscoveredDevice[] } | null = null;
  written: readonly DeviceNameOf[] = [];
  unreadable: readonly string[] = [];
  /** More were pasted than are taken. */
  tooMany = false;
  verdicts: ReadonlyMap<string, Verdict> = new Map();
  scopeAll = false;
  chosen: DeviceNameOf | null = null;

  // The bind.
  by: "token" | "window" = "token";
  wifi: WifiForm = { on: false, type: "3", random: NO_RANDOM, mac: "", product_id: "", ssid: "", password: "" };
  /** The vendor's page says 600; newer ones 1800. */
  windowSeconds = 600;
  run: Run | null = null;
  handedOver: HandOver | null = null;

  // The home.
  inventory: Inventory | null = null;
  /** By the gateway's id in the tree. */
  permits: ReadonlyMap<string, Permit> = new Map();
  /** What the cloud itself says of devices that wait for an owner, by name. */
  waiting: ReadonlyMap<string, BindTokenView> = new Map();
  /** Names that a person gave, where no operator can be asked. */
  known: readonly { gateway: string; sub: string; product: string }[] = [];
  /** The last removal, while it can be taken back. */
  removed: { gateway: TreeNode; sub: TreeNode } | null = null;

  exchanges: readonly Exchange[] = [];
  #end: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0;
  /** Which of the tab's clouds all this is of. */
  #begun = clouds.tabBegun;
  #stale: Stale = nothingStale();
  #looking = false;
  #took = 0;
  /** Counts what the filter is asked: another question ends it. */
  #question = 0;
  #heard = "";

  constructor(world: World) {
    super();
    this.world = world;
    this.owner = new Owner(world, {}, this.log);
    this.owner.onentry = (entry) => this.#entry(entry);
    // A gateway's answers are not for web pages, as far as its documents tell: who wants the relay says so.
    this.owner.relay = () => this.relay;
    this.owner.subscribe(() => {
      if (!this.owner.running && this.run !== null) this.run = dropRun(this.run, Date.now());
      this.changed();
    });
    devices.subscribe(() => this.#listen());
    if (world === "tab") clouds.subscribe(() => this.#begunAnew());
  }

  /** The tab's clouds are others by now: the app, its tokens and all that was known are of clouds that are gone. */
  #begunAnew(): void {
    if (this.#begun === clouds.tabBegun) return;
    this.#begun = clouds.tabBegun;
    const watching = this.#end !== undefined;
    this.leave();
    // An app whose cloud is gone has nothing to end.
    void this.owner.stop().catch(() => {});
    this.owner.settings = {};
    this.identity = DEMO;
    this.owners = [];
    this.token = { word: "unused", unix: 0 };
    this.page = null;
    this.verdicts = new Map();
    this.run = null;
    this.handedOver = null;
    this.inventory = null;
    this.permits = new Map();
    this.waiting = new Map();
    this.removed = null;
    this.failure = null;
    this.error = null;
    this.#round += 1;
    this.#question += 1;
    if (watching) this.watch();
    this.changed();
  }

  get operator(): Operator | null {
    return clouds.operator(this.world);
  }

  /** Until when the cloud takes the iotToken in use; null: nobody can tell. */
  get tokenUntil(): number | null {
    const until = this.owners.find(({ identity }) => identity === this.identity)?.iot_token_until ?? 0;
    return until > 0 ? until : null;
  }

  get binding(): boolean {
    return this.run?.word === "running";
  }

  set<K extends "chosen" | "by" | "wifi" | "windowSeconds" | "scopeAll">(key: K, value: this[K]): void {
    this[key] = value;
    // Another question has another answer.
    if (key === "scopeAll") this.#ask();
    this.changed();
  }

  /** Verdicts are of another question by now, those that are under way too. */
  #ask(): void {
    this.#question += 1;
    this.verdicts = new Map();
  }

  // ---------- the account ----------

  /** Settings of the app: those that a person gave, or the demo's with the chosen owner's tokens. */
  async account(): Promise<boolean> {
    if (Object.keys(this.owner.settings).length > 0) return true;
    if (this.world === "real") return false;
    const demo = await clouds.demo(this.world);
    if (demo.alibaba_app === null) return false;
    this.owner.settings = this.world === "local" ? atOrigin("alibaba", demo.alibaba_app.settings, location) : { ...demo.alibaba_app.settings };
    this.changed();
    return true;
  }

  /** Another app: its sessions begin anew. */
  async use(settings: Record<string, string>): Promise<void> {
    await this.owner.stop();
    this.owner.settings = settings;
    this.token = { word: (settings["iot_token"] ?? "") === "" && (settings["refresh_token"] ?? "") === "" ? "missing" : "unused", unix: Date.now() };
    this.#ask();
    this.page = null;
    this.changed();
  }

  /** Straight, or by the relay: the app begins anew. */
  async go(byRelay: boolean): Promise<void> {
    this.relay = byRelay;
    await this.owner.stop();
    this.changed();
  }

  /** Another owner of the same cloud, or a new one; `anew`: with tokens that are valid from now on. */
  async logIn(identity: string, anew: boolean): Promise<void> {
    await this.#doing("login", async () => {
      const { operator, world } = this;
      if (operator === null) return;
      if (identity === DEMO) {
        // The demo's own token is renewed by asking: others work with it too.
        const settings = (await clouds.demo(world)).alibaba_app?.settings ?? {};
        this.identity = identity;
        await this.use(world === "local" ? atOrigin("alibaba", settings, location) : { ...settings });
        return this.#look();
      }
      if (!(await this.account())) return;
      let owner: OwnerView | undefined;
      if (!anew) {
        const found = await operator.operate({ platform: "alibaba", action: "list_owners", reveal: true });
        owner = found.result === "owners" ? found.items.find((item) => item.identity === identity) : undefined;
      }
      if (owner === undefined) {
        const made = await operator.operate({ platform: "alibaba", action: "create_owner", identity });
        owner = made.result === "owners" ? made.items.find((item) => item.identity === identity) : undefined;
      }
      if (owner === undefined) return;
      const settings: Record<string, string> = { ...this.owner.settings, home_id: owner.home_id, iot_token: owner.iot_token ?? "" };
      if (owner.refresh_token === null) delete settings["refresh_token"];
      else settings["refresh_token"] = owner.refresh_token;
      this.identity = identity;
      await this.use(settings);
      await this.#look();
    });
  }

  // ---------- calls ----------

  /** One call, its request among `exchanges`; throws what it was refused with. */
  async call(call: AppCall): Promise<AppReply> {
    if (!(await this.account())) throw new Error("there are no settings of an app");
    return this.owner.request(call);
  }

  /** What was asked after `last`. */
  since(last: Exchange | null, path: string): Exchange[] {
    const at = last === null ? -1 : this.exchanges.findIndex(({ life, request }) => life === last.life && request.seq === last.request.seq);
    return this.exchanges.slice(at + 1).filter(({ request }) => isCall(request, path));
  }

  #entry(entry: Entry): void {
    const { life } = this.owner.timeline;
    if (entry.kind === "http") {
      this.exchanges = httpOf(this.exchanges, entry, life).slice(-KEPT);
      this.#tokenSays(entry);
    }
    if (this.run !== null) {
      const before = this.run;
      this.run = reduceRun(before, entry, life);
      if (this.run.handedOver && !before.handedOver) void this.owner.handOver().then((handed) => this.#handed(handed ?? null), () => this.#handed(null));
      if (this.run.word !== before.word) {
        // Whether it can be bound is another question now.
        this.verdicts = new Map([...this.verdicts].filter(([name]) => name !== nameOf(before.device)));
        this.#soon();
      }
    }
    this.changed();
  }

  #handed(handed: HandOver | null): void {
    this.handedOver = handed;
    this.changed();
  }

  #tokenSays(entry: Extract<Entry, { kind: "http" }>): void {
    if (entry.direction !== "down") return;
    const exchange = this.exchanges.find((one) => answers(entry, this.owner.timeline.life, one));
    if (exchange === undefined || pathOfUrl(exchange.request.message.url ?? "").startsWith("/account/")) return;
    const code = codeOf(exchange);
    if (code !== null) this.token = { word: code === "401" ? "refused" : "good", unix: entry.unix };
  }

  // ---------- discovered devices ----------

  /** The devices of this page that could be bound in this world. */
  get sessions(): readonly Session[] {
    return devices.sessions.filter(({ plan, recording }) => plan.platform === "alibaba" && plan.world === this.world && recording === null);
  }

  session(device: DeviceNameOf | null): Session | undefined {
    if (device === null) return undefined;
    return this.sessions.find(({ names }) => sameDevice({ product_key: names.product, device_name: names.device }, device));
  }

  get rows(): Enrollee[] {
    const page = this.sessions.map(({ names }) => ({ product_key: names.product, device_name: names.device }));
    return enrollees(page, this.page?.items ?? [], this.written);
  }

  async list(size: number, num: number): Promise<void> {
    await this.#doing("list", async () => {
      const reply = await this.call({ call: "list", page_size: size, page_num: num });
      if (reply.reply === "discovered") this.page = { size, num, total: reply.page.total, items: reply.page.items };
    });
  }

  paste(text: string): boolean {
    const { devices: found, wrong } = pasted(text);
    const all = [...this.written, ...found.filter((device) => !this.written.some((other) => sameDevice(other, device)))];
    this.written = all.slice(0, MOST_PASTED);
    this.tooMany = all.length > MOST_PASTED;
    this.unreadable = wrong;
    this.chosen ??= found[0] ?? null;
    this.changed();
    return wrong.length === 0 && !this.tooMany;
  }

  /** Asks which of the rows can be bound, and of the others why not: one after the other, until a person stops it. */
  async filter(): Promise<void> {
    await this.#doing("filter", async () => {
      const asked = this.rows.map(({ device }) => device);
      const { scopeAll } = this;
      this.#ask();
      const question = this.#question;
      for (let at = 0; at < asked.length; at += PAGE) {
        const some = asked.slice(at, at + PAGE);
        const reply = await this.call({ call: "filter", devices: some, scope_all: scopeAll });
        if (reply.reply !== "filtered") continue;
        const inside = await this.#inside(some);
        for (const device of some) {
          if (question !== this.#question) return;
          const bindable = reply.devices.some((one) => sameDevice(one.device, device));
          const probe = bindable ? null : await this.#probe(device);
          if (question !== this.#question) return;
          this.verdicts = new Map(this.verdicts).set(nameOf(device), judge(device, reply.devices, scopeAll, probe, inside === null ? null : inside(device)));
          this.changed();
        }
      }
    });
  }

  /** What was asked so far stays. */
  stopFilter(): void {
    this.#question += 1;
    this.changed();
  }

  /** How a token that nobody has is refused for this device; what else goes wrong says nothing about it, and is thrown. */
  async #probe(device: DeviceNameOf): Promise<CoreError | null> {
    try {
      await this.call({ call: "token_check", token: NOBODYS_TOKEN, ...device });
      return null;
    } catch (error) {
      const data = (error as { data?: unknown }).data;
      if (typeof data === "object" && data !== null && "blame" in data && isAboutDevice(data as CoreError)) return data as CoreError;
      throw error;
    }
  }

  async #inside(some: readonly DeviceNameOf[]): Promise<((device: DeviceNameOf) => Inside) | null> {
    const { operator } = this;
    if (operator === null) return null;
    const products = await operator.products("alibaba");
    const wanted = products.filter(({ id }) => some.some(({ product_key }) => product_key === id));
    const names = (id: string) => some.filter(({ product_key }) => product_key === id).map(({ device_name }) => device_name);
    const lists = new Map(await Promise.all(wanted.map(async ({ id }) => [id, (await operator.some("alibaba", id, names(id))).items] as const)));
    return (device) => ({
      identity: this.identity,
      product: products.find(({ id }) => id === device.product_key),
      device: lists.get(device.product_key)?.find(({ name }) => name === device.device_name),
    });
  }

  // ---------- the guided bind ----------

  /** The token that the device stands by, as far as this page hears it. */
  tokenLeft(now: number): Left & { token: string } {
    const standing = this.session(this.chosen)?.facts.bindToken ?? null;
    if (standing === null) return { token: "", until: 0, state: "none" };
    return { token: standing.token, until: standing.until, state: standing.until > now ? "running" : "over" };
  }

  /** How long the cloud keeps the device's token; `none` where nobody can be asked. */
  cloudTokenLeft(now: number): Left {
    const until = this.chosen === null ? null : (this.waiting.get(nameOf(this.chosen))?.token_until ?? null);
    return until === null ? { until: 0, state: "none" } : { until, state: until > now ? "running" : "over" };
  }

  /** Whether the cloud itself says how long the window is open. */
  get windowKnown(): boolean {
    return this.chosen !== null && this.waiting.get(nameOf(this.chosen))?.window_until != null;
  }

  /** The time window, which begins when the cloud lets the device in: as the cloud says, or counted here. */
  windowLeft(now: number): Left {
    const told = this.chosen === null ? null : (this.waiting.get(nameOf(this.chosen))?.window_until ?? null);
    if (told !== null) return { until: told, state: told > now ? "running" : "over" };
    const session = this.session(this.chosen);
    const at = session?.facts.admittedUnix ?? null;
    if (at === null) return { until: 0, state: "none" };
    const until = at + this.windowSeconds * 1_000;
    return { until, state: until > now ? "running" : "over" };
  }

  #plan(): AppBindPlan | null {
    const { chosen, by, wifi } = this;
    if (chosen === null) return null;
    const plan: AppBindPlan = { devices: [chosen], choose: chosen, by, scope_all: this.scopeAll };
    const home = this.owner.settings["home_id"];
    if (home !== undefined && home !== "") plan.home_id = home;
    if (wifi.on) {
      const cipher: NonNullable<AppBindPlan["cipher"]> = { type: Number(wifi.type) };
      for (const name of ["random", "mac", "product_id", "ssid", "password"] as const) {
        const value = name === "password" ? wifi.password : wifi[name].trim();
        if (value !== "") cipher[name] = value;
      }
      plan.cipher = cipher;
    }
    const left = this.tokenLeft(Date.now());
    // Two seconds are little enough to be lost on the way.
    if (by === "token" && left.state === "running" && left.until > Date.now() + 2_000) plan.token = left.token;
    return plan;
  }

  async bind(): Promise<void> {
    const plan = this.#plan();
    if (plan === null || this.binding || this.chosen === null) return;
    await this.#follow(plan, beginRun(plan, this.chosen, Date.now()));
  }

  /** Goes on where it failed, with what the device announces by now. */
  async resume(): Promise<void> {
    const { run } = this;
    const from = run === null ? null : failedStep(run);
    if (run === null || from === null || this.binding) return;
    this.chosen = run.device;
    this.by = run.plan.by;
    const now = this.#plan();
    const plan: AppBindPlan = { ...run.plan, from };
    delete plan.token;
    if (now?.token !== undefined) plan.token = now.token;
    // Without a token the bind has to wait for one first.
    const step: AppStep = from === "bind" && plan.by === "token" && plan.token === undefined ? "token" : from;
    await this.#follow({ ...plan, from: step }, resumeRun(run, step, plan, Date.now()));
  }

  async #follow(plan: AppBindPlan, run: Run): Promise<void> {
    this.failure = null;
    this.#heard = plan.token ?? "";
    if (plan.from === undefined) this.handedOver = null;
    this.run = run;
    this.changed();
    try {
      if (!(await this.account())) throw new Error("there are no settings of an app");
      await this.owner.follow(plan);
      if (this.owner.failure !== null) throw Object.assign(new Error(this.owner.failure.message), this.owner.failure);
    } catch (error) {
      this.failure = refusal(error);
      this.run = dropRun(this.run, Date.now());
      this.changed();
      return;
    }
    // A token that ran out is of no use: the device makes another one, and the app hears it.
    if (plan.by === "token" && plan.token === undefined) await this.session(this.chosen)?.intend({ intent: "new_bind_token" });
  }

  /** The device announced it: from this page's own device, or typed in. */
  async hear(token: string): Promise<void> {
    this.#heard = token;
    await this.owner.hear(token).catch((error: unknown) => this.#refused(error));
  }

  async stop(): Promise<void> {
    await this.owner.cancel().catch((error: unknown) => this.#refused(error));
  }

  #listen(): void {
    if (this.run !== null && this.binding && this.run.plan.by === "token") {
      const standing = this.session(this.run.device)?.facts.bindToken ?? null;
      if (standing !== null && standing.token !== this.#heard && standing.until > Date.now()) void this.hear(standing.token);
    }
    this.changed();
  }

  // ---------- the home ----------

  get tree(): TreeNode | null {
    const { inventory, owners, identity } = this;
    if (inventory !== null) return homeTree(owners.find((owner) => owner.identity === identity) ?? { identity, home_id: this.owner.settings["home_id"] ?? "" }, inventory);
    if (this.operator !== null) return null;
    // Nobody can be asked: what the person named.
    const home: TreeNode = { id: this.owner.settings["home_id"] ?? "", kind: "home", product: "", name: this.owner.settings["identity_id"] ?? "", iotId: "", state: "", owner: "", children: [] };
    for (const { gateway, sub, product } of this.known) {
      let at = home.children.find(({ iotId }) => iotId === gateway);
      if (at === undefined) home.children.push((at = { id: gateway, kind: "gateway", product: "", name: gateway, iotId: gateway, state: "", owner: "", children: [] }));
      if (sub !== "" && !at.children.some(({ iotId }) => iotId === sub)) at.children.push({ id: sub, kind: "sub", product, name: sub, iotId: sub, state: "", owner: "", children: [] });
    }
    return home;
  }

  name(gateway: string, sub: string, product: string): void {
    if (this.known.some((one) => one.gateway === gateway && one.sub === sub)) return;
    this.known = [...this.known, { gateway, sub, product }];
    this.changed();
  }

  /** Opens or closes joining. */
  async permit(gateway: TreeNode, product: string, time: number): Promise<boolean> {
    return this.#doing("permit", async () => {
      await this.call({ call: "permit", iot_id: gateway.iotId, product_key: product, time });
      const permits = new Map(this.permits);
      const permit = permitOf(product, time, Date.now());
      if (permit === null) permits.delete(gateway.id);
      else permits.set(gateway.id, permit);
      this.permits = permits;
    });
  }

  async remove(gateway: TreeNode, sub: TreeNode): Promise<boolean> {
    return this.#doing("remove", async () => {
      await this.call({ call: "topo_remove", iot_id: gateway.iotId, sub_iot_id: sub.iotId });
      this.removed = { gateway, sub };
      this.known = this.known.filter((one) => !(one.gateway === gateway.iotId && one.sub === sub.iotId));
      await this.#look();
    });
  }

  /** The operator puts a sub-device under a gateway; no call of an app's can. */
  async add(gateway: Pick<TreeNode, "product" | "name">, sub: Pick<TreeNode, "product" | "name">): Promise<boolean> {
    return this.#doing("add", async () => {
      await this.operator?.operate({ platform: "alibaba", action: "add_topology", product: gateway.product, device: gateway.name, sub_product: sub.product, sub_device: sub.name });
      this.removed = null;
      await this.#look();
    });
  }

  /** Starts a device of this cloud in this page: gateways have no card of their own. */
  async startHere(product: string, device: string): Promise<Session | null> {
    const { operator, world } = this;
    if (operator === null) return null;
    let session: Session | null = null;
    await this.#doing("start", async () => {
      const demo = (await clouds.demo(world)).alibaba;
      const found = await operator.operate({ platform: "alibaba", action: "list_products", reveal: true });
      const secret = found.result === "products" ? found.items.find(({ id }) => id === product)?.secret : undefined;
      if (demo === null || secret == null) return;
      const settings = { ...demo.settings, product_key: product, product_secret: secret, device_name: device };
      const before = devices.current;
      session = devices.start({ platform: "alibaba", world, settings: world === "local" ? atOrigin("alibaba", settings, location) : settings, storage: "memory" });
      devices.open(before ?? session);
    });
    return session;
  }

  // ---------- looking ----------

  /** Begins to watch the cloud behind it; ends with `leave`. */
  watch(): void {
    const { operator } = this;
    if (this.#end !== undefined || operator === null || (this.world === "local" && clouds.localThere !== true)) return;
    this.#end = operator.follow((line) => {
      if (line.platform === "alibaba") this.#soon(line);
    });
    void this.account().catch((error: unknown) => this.#refused(error));
    this.#soon();
  }

  leave(): void {
    this.#end?.();
    this.#end = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** After a line of the log only what it names is fetched again; without one, all there is. */
  #soon(line?: LogLine): void {
    if (this.#end === undefined) return;
    if (line === undefined || !ROUTINE.has(line.what)) this.#stale.everything = true;
    else if (line.subject.includes("/")) this.#stale.names.add(line.subject);
    this.#stale.something = true;
    this.#later();
  }

  #later(): void {
    if (this.#looking || this.#end === undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#catchUp();
    }, Math.max(SETTLE_MS, this.#took * REST));
  }

  /** One look at a time; what changes meanwhile is for the next one. */
  async #catchUp(): Promise<void> {
    const stale = this.#stale;
    this.#stale = nothingStale();
    this.#looking = true;
    const begun = performance.now();
    try {
      await this.#look(stale);
    } catch (error) {
      this.#refused(error);
      // Asked for with whatever comes next.
      this.#stale.everything = true;
    }
    this.#took = performance.now() - begun;
    this.#looking = false;
    if (this.#stale.something) this.#later();
  }

  async #look(stale: Stale = { everything: true, names: new Set(), something: true }): Promise<void> {
    const { operator, inventory } = this;
    if (operator === null) return;
    this.#round += 1;
    const round = this.#round;
    const [owners, topology, waiting, found] = await Promise.all([
      operator.owners(),
      operator.operate({ platform: "alibaba", action: "list_topology" }),
      operator.operate({ platform: "alibaba", action: "list_bind_tokens" }),
      stale.everything || inventory === null ? wholeOf(operator) : changedOf(operator, inventory, stale.names),
    ]);
    if (round !== this.#round) {
      // Another look began meanwhile, perhaps at less.
      this.#stale = { ...this.#stale, everything: true, something: true };
      return this.#later();
    }
    this.owners = owners;
    if (topology.result === "topology") this.permits = permitsOf(topology.items, this.permits, Date.now());
    if (waiting.result === "bind_tokens") this.waiting = new Map(waiting.items.map((item) => [`${item.product}/${item.device}`, item]));
    this.inventory = found;
    this.changed();
  }

  async #doing(what: string, work: () => Promise<void>): Promise<boolean> {
    this.failure = null;
    this.busy = what;
    this.changed();
    try {
      await work();
      return true;
    } catch (error) {
      this.#refused(error);
      return false;
    } finally {
      this.busy = null;
      this.changed();
    }
  }

  #refused(error: unknown): void {
    const data = (error as { data?: unknown }).data;
    this.failure = refusal(error);
    this.error = typeof data === "object" && data !== null && "blame" in data ? (data as CoreError) : null;
    this.changed();
  }

  /** The core's own word on `failure`, if it was a call that was refused. */
  error: CoreError | null = null;
}

const desks = new Map<World, Desk>();

/** The desk of a world; made when first asked for. */
export function deskOf(world: World): Desk {
  let desk = desks.get(world);
  if (desk === undefined) desks.set(world, (desk = new Desk(world)));
  return desk;
}
