// The devices of this page.

import type { Device, Intent, Next, PacketLook, PlatformName, Storage } from "../muster/types";
import { clouds, type World } from "./clouds";
import { engine } from "./engine";
import { refusal, type Refusal } from "./failure";
import { Owner } from "./owner";
import { completed, mergedProfiles, profileKey, profileOf, readProfiles, type Profile } from "./profiles";
import { Store, kept, keptHere } from "./store";
import { nameKeys } from "./settings";
import { Frame } from "./frame";
import { Timeline, freshFacts, reduce, windowed, type DeviceFacts, type EntryRow, type Row } from "./timeline";

/** Rows that are drawn at once. */
export const WINDOW = 200;

export type Plan = {
  platform: PlatformName;
  world: World;
  settings: Record<string, string>;
  storage: Storage;
};

export class Session extends Store {
  readonly id: number;
  plan: Plan;
  readonly timeline = new Timeline("device");
  facts: DeviceFacts = { ...freshFacts(), word: "off" };
  next: Next | null = null;
  /** Why it could not even be started. */
  failure: Refusal | null = null;
  /** What an intent met. */
  misuse: string | null = null;
  owner: Owner | null = null;
  /** Key of the selected row. */
  selected: string | null = null;
  follow = true;
  /** The last row that is drawn, while the person looks at something else than the end. */
  last: string | null = null;
  side: "both" | "device" | "app" = "both";
  /** From before a reload, and not started since. */
  remembered = false;
  /** Settings that are secrets and were therefore not remembered. */
  missing: readonly string[] = [];
  /** When this life began: what both sides' times count from. */
  begunUnix = 0;
  #device: Device | undefined;
  readonly #arrived = new Frame(() => this.changed());
  #starting = false;

  constructor(id: number, plan: Plan) {
    super();
    this.id = id;
    this.plan = plan;
  }

  get running(): boolean {
    return this.#device !== undefined;
  }

  get busy(): boolean {
    return this.#starting;
  }

  /** Product and device, as the settings name them. */
  get names(): { product: string; device: string } {
    const { product, device } = nameKeys(this.plan.platform);
    const { settings } = this.plan;
    return { product: settings[product] ?? "", device: settings[device] ?? settings[product] ?? "" };
  }

  /** Under which its secrets are kept: the same device comes back to them, another one does not. */
  get storeName(): string {
    return profileKey(this.plan);
  }

  /**
   * Starts it after a reload. False if it cannot be, because a secret setting went with the page and only a person
   * knows it: started without, it would register anew.
   */
  async goOn(): Promise<boolean> {
    if (this.missing.length > 0) {
      const { platform, world } = this.plan;
      // A demo that does not answer knows nothing.
      const demo = world === "real" ? undefined : await clouds.demo(world).catch(() => undefined);
      const { settings, missing } = completed({ ...this.plan, missing: this.missing }, demo?.[platform]);
      this.plan = { ...this.plan, settings };
      this.missing = missing;
      this.changed();
      if (missing.length > 0) return false;
    }
    await this.start();
    return true;
  }

  /** Other settings, from a person. */
  replan(change: Pick<Plan, "settings" | "storage">): void {
    this.plan = { ...this.plan, ...change };
    this.missing = [];
    this.changed();
  }

  async start(): Promise<void> {
    if (this.#device !== undefined || this.#starting) return;
    this.#starting = true;
    this.remembered = false;
    this.failure = null;
    this.misuse = null;
    this.facts = freshFacts();
    this.changed();
    try {
      const muster = await engine.get();
      const { platform, world, settings, storage } = this.plan;
      const place = world === "tab" ? { cloud: await clouds.inTab() } : {};
      const device = await muster.device({ platform, settings, storage, name: this.storeName, ...place });
      this.#device = device;
      this.timeline.begin();
      this.begunUnix = Date.now();
      this.timeline.note(this.timeline.life > 1 ? "restarted" : "started", Date.now());
      this.next = device.next;
      device.onnext = (next) => {
        this.next = next;
        this.changed();
      };
      void this.#read(device);
    } catch (error) {
      this.failure = refusal(error);
      this.facts = { ...freshFacts(), word: "off" };
    } finally {
      this.#starting = false;
      this.changed();
    }
  }

  async #read(device: Device): Promise<void> {
    try {
      for await (const entry of device) {
        this.timeline.push(entry);
        this.facts = reduce(this.facts, entry);
        if (entry.kind === "misuse") this.misuse = entry.message;
        if (entry.kind === "event" && entry.event.event === "bind_token") void this.owner?.hear(entry.event.token);
        this.#arrived.request();
      }
    } catch {
      // The instance died; the page says so.
    }
    if (this.#device === device) this.#ended("off");
  }

  #ended(word: "off" | "cut" | "dead"): void {
    const device = this.#device;
    if (device !== undefined) device.onnext = null;
    this.#device = undefined;
    this.next = null;
    const note = word === "off" ? "stopped" : word === "cut" ? "power_cut" : "died";
    this.timeline.note(note, Date.now());
    this.facts = { ...this.facts, word, ready: false, bindToken: null };
    this.changed();
  }

  async stop(): Promise<void> {
    const device = this.#device;
    if (device === undefined) return;
    // What it still says on its way out is shown.
    await device.stop();
    if (this.#device === device) this.#ended("off");
  }

  async cutPower(): Promise<void> {
    const device = this.#device;
    if (device === undefined) return;
    this.#ended("cut");
    await device.cutPower();
  }

  async dropNetwork(): Promise<void> {
    this.timeline.note("network_dropped", Date.now());
    this.changed();
    await this.#device?.dropNetwork();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async intend(intent: Intent): Promise<void> {
    this.misuse = null;
    try {
      await this.#device?.intend(intent);
    } catch (error) {
      this.misuse = refusal(error).message;
    }
    this.changed();
  }

  /** Forgets what this browser keeps of the device; it has to be off. */
  async forget(): Promise<void> {
    try {
      await (await engine.get()).forget("device", this.storeName);
      this.timeline.note("forgotten", Date.now());
    } catch (error) {
      this.misuse = refusal(error).message;
    }
    this.changed();
  }

  /** The instance is gone, and with it whatever this device had in memory. */
  died(): void {
    if (this.#device !== undefined) this.#ended("dead");
  }

  async packet(row: EntryRow, reveal: boolean): Promise<PacketLook | undefined> {
    if (row.side === "app") return this.owner?.packet(row.life, row.entry.seq, reveal);
    if (row.life !== this.timeline.life) return undefined;
    return this.#device?.packet(row.entry.seq, { reveal });
  }

  find(key: string | null): EntryRow | undefined {
    if (key === null) return undefined;
    return this.timeline.find(key) ?? this.owner?.timeline.find(key);
  }

  /** Rows of the device, and of the app beside it, as far as they are wanted. */
  get sides(): readonly [readonly Row[], readonly Row[]] {
    return [this.side === "app" ? [] : this.timeline.rows, this.side === "device" ? [] : (this.owner?.timeline.rows ?? [])];
  }

  update(change: Partial<Pick<Session, "selected" | "follow" | "last" | "side">>): void {
    Object.assign(this, change);
    // Who reads is not moved on by what comes.
    if (this.follow && this.selected === null) this.last = null;
    else this.last ??= windowed(...this.sides, WINDOW, null).rows.at(-1)?.key ?? null;
    this.changed();
  }

  /** The owner's side; made when first asked for. */
  withOwner(settings: Record<string, string>): Owner {
    if (this.owner === null) {
      this.owner = new Owner(this.plan.world, settings);
      this.owner.subscribe(() => this.changed());
      this.changed();
    }
    return this.owner;
  }

  /** Binds this device to the owner: both halves at once. */
  async bind(by: "token" | "window"): Promise<void> {
    const { product, device } = this.names;
    const standing = this.facts.bindToken;
    const token = by === "token" && standing !== null && standing.until > Date.now() + 2_000 ? standing.token : null;
    await this.owner?.bind(by, { product_key: product, device_name: device }, token);
    // A token that ran out is of no use: the device makes another one, and the app hears it.
    if (by === "token" && token === null) await this.intend({ intent: "new_bind_token" });
  }
}

class Devices extends Store {
  readonly sessions: Session[] = [];
  current: Session | null = null;
  #ids = 0;

  constructor() {
    super();
    engine.subscribe(() => {
      if (engine.state === "dead") for (const session of this.sessions) session.died();
    });
  }

  start(plan: Plan): Session {
    // The same device as one from before the reload is that one.
    const known = this.sessions.find((session) => session.remembered && session.storeName === profileKey(plan));
    const session = known ?? this.#add(plan);
    session.replan(plan);
    this.current = session;
    this.keep();
    this.changed();
    void session.start();
    return session;
  }

  #add(plan: Plan): Session {
    this.#ids += 1;
    const session = new Session(this.#ids, plan);
    session.subscribe(() => this.changed());
    this.sessions.push(session);
    return session;
  }

  /** What is remembered from before a reload; of another tab only what the browser keeps secrets of. */
  remember(): void {
    const here = keptHere.get("devices");
    for (const profile of readProfiles(here ?? kept.get("devices"))) {
      const session = this.#add(profile);
      session.remembered = true;
      session.missing = profile.missing;
    }
    this.changed();
  }

  /** Writes the list down, without secrets. */
  keep(gone: ReadonlySet<string> = new Set()): void {
    const mine = this.sessions.map((session): Profile => {
      const profile = profileOf(session.plan);
      return { ...profile, missing: [...new Set([...profile.missing, ...session.missing])] };
    });
    keptHere.set("devices", JSON.stringify(mine));
    kept.set("devices", JSON.stringify(mergedProfiles(readProfiles(kept.get("devices")), mine, gone)));
  }

  open(session: Session | null): void {
    this.current = session;
    this.changed();
  }

  async remove(session: Session): Promise<void> {
    const at = this.sessions.indexOf(session);
    if (at >= 0) this.sessions.splice(at, 1);
    if (this.current === session) this.current = this.sessions[Math.min(at, this.sessions.length - 1)] ?? null;
    this.keep(new Set([session.storeName]));
    this.changed();
    await session.owner?.stop();
    await session.stop();
  }

  /** Stops what runs on these clouds. */
  async stopAll(world: World): Promise<void> {
    const these = this.sessions.filter((session) => session.plan.world === world);
    await Promise.all(these.flatMap((session) => [session.owner?.stop(), session.stop()]));
  }

  /** Device names in use, so that the first page offers a free one. */
  taken(platform: PlatformName, world: World): Set<string> {
    const same = this.sessions.filter((s) => s.plan.platform === platform && s.plan.world === world && !s.remembered);
    return new Set(same.map((s) => s.names.device));
  }
}

export const devices = new Devices();
