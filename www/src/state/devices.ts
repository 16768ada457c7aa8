// The devices of this page.

import { named } from "../muster/armory";
import { MusterError } from "../muster/errors";
import type { ArmedFault, Device, Entry, FaultRule, Intent, Next, PacketLook, PlatformName, Storage } from "../muster/types";
import { clouds, type World } from "./clouds";
import { engine } from "./engine";
import { refusal, type Refusal } from "./failure";
import { MOST_RULES, whole } from "./fault-rules";
import { Owner } from "./owner";
import { arranged, type ListLook } from "./device-list";
import { duplicated } from "./duplicate";
import { MOST_DEVICES, completed, mergedProfiles, profileKey, profileOf, readProfiles, type Profile } from "./profiles";
import { play, type Life, type Replay as FileReplay, type SessionFile } from "./recording";
import { Player, Places } from "./replay";
import { notices } from "./notices";
import { Store, kept, keptHere } from "./store";
import { nameKeys } from "./settings";
import { t } from "../i18n";
import { Frame } from "./frame";
import { NO_FILTER, type Filter } from "./filter";
import { Log } from "./log";
import { Timeline, freshFacts, reduce, type DeviceFacts, type EntryRow, type Row } from "./timeline";

/** Lives whose recordings are kept. */
const MAX_RECORDINGS = 8;
/** Faults strike many times a second; the list is written down once. */
const STRIKES = 1_000;

export type TimelineView = "diagram" | "table";

export type Plan = {
  platform: PlatformName;
  world: World;
  settings: Record<string, string>;
  storage: Storage;
  /** By the relay of the page's server, on real clouds. */
  relay?: boolean;
  /** What is armed, as it would be for a new device. */
  faults?: readonly FaultRule[];
  /** Its script. */
  script?: string;
};

export class Session extends Store {
  readonly id: number;
  plan: Plan;
  /** What a person calls it. */
  label = "";
  readonly log = new Log();
  readonly timeline: Timeline = new Timeline("device", this.log);
  /** When each life began. */
  readonly lives: Life[] = [];
  facts: DeviceFacts = { ...freshFacts(), word: "off" };
  next: Next | null = null;
  /** Why it could not even be started. */
  failure: Refusal | null = null;
  /** What an intent met. */
  misuse: string | null = null;
  owner: Owner | null = null;
  /** Key of the selected row. */
  selected: string | null = null;
  /** Of another row that is compared with the selected one. */
  mark: string | null = null;
  follow = true;
  view: TimelineView = kept.get("timeline") === "table" ? "table" : "diagram";
  filter: Filter = NO_FILTER;
  /** Which panel is open beside the timeline. */
  panel: string | null = null;
  /** The rows as they were when the person paused. */
  frozen: readonly Row[] | null = null;
  /** Entries that had come when the person last saw the end. */
  seen = 0;
  /** It was opened from a file: to look at, not to run. */
  recording: { file: string; exported: string } | null = null;
  /** Whoever wants to hear of each entry of the device's as it comes. */
  readonly heard = new Set<(entry: Entry) => void>();
  /** The faults that are armed, and how far each is. */
  faults: readonly ArmedFault[] = [];
  /** After a fault has cut the power: when it is back by itself. */
  back: number | null = null;
  #power: ReturnType<typeof setTimeout> | undefined;
  /** From before a reload, and not started since. */
  remembered = false;
  /** Settings that are secrets and were therefore not remembered. */
  missing: readonly string[] = [];
  /** When this life began: what both sides' times count from. */
  begunUnix = 0;
  #device: Device | undefined;
  /** The owner's part of what was played. */
  #before: Timeline | null = null;
  /** Plays a recorded life; the timeline shows how far it is. */
  player: Player | null = null;
  /** Of lives that are over. */
  readonly #recordings = new Map<number, Uint8Array>();
  readonly #arrived = new Frame(() => this.changed());
  #starting = false;
  /** Whether it is to run; what it takes to get there is done one thing after the other. */
  #wanted = false;
  /** How often it was told to stop: what was begun before that is not gone on with. */
  #stops = 0;
  #settling: Promise<void> | null = null;

  constructor(id: number, plan: Plan) {
    super();
    this.id = id;
    this.plan = plan;
    this.faults = named(plan.faults ?? [], []).map(whole);
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

  /** What it is called on the page. */
  get title(): string {
    return this.label === "" ? this.names.device : this.label;
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
      const stops = this.#stops;
      // A demo that does not answer knows nothing.
      const demo = world === "real" ? undefined : await clouds.demo(world).catch(() => undefined);
      if (stops !== this.#stops) return true;
      const { settings, missing } = completed({ ...this.plan, missing: this.missing }, demo?.[platform]);
      this.plan = { ...this.plan, settings };
      this.missing = missing;
      this.changed();
      if (missing.length > 0) return false;
    }
    await this.start();
    return true;
  }

  /** Fills it with what was exported. */
  play(file: SessionFile, name: string): void {
    this.recording = { file: name, exported: file.exported };
    this.missing = file.device.missing;
    for (const life of file.lives) this.lives.push(life);
    this.#before = play(file, this.log).app;
    this.begunUnix = file.lives.find((life) => life.side === "device")?.begun ?? 0;
    this.#learn();
  }

  /** Goes on from what was exported: its timeline stands before what comes, and it can be started. */
  precede(file: SessionFile): void {
    for (const life of file.lives) this.lives.push(life);
    const { app } = play(file, this.log, this.timeline);
    if (app.life > 0) this.#before = app;
    this.#learn();
  }

  #learn(): void {
    for (const row of this.log.rows) if (row.type === "entry" && row.side === "device") this.facts = reduce(this.facts, row.entry);
    // Who it was is shown; what was about to happen is over.
    this.facts = { ...this.facts, word: "off", ready: false, trouble: null, bindToken: null };
    this.follow = false;
    this.seen = this.log.added;
    this.changed();
  }

  /** Other settings, from a person. What they leave out that was missed before is missed still. */
  replan(change: Pick<Plan, "settings" | "storage" | "relay">): void {
    this.plan = { ...this.plan, ...change };
    this.missing = this.missing.filter((key) => (change.settings[key] ?? "") === "");
    this.changed();
  }

  /** A person has said that it goes without the settings that are missing. */
  without(): void {
    this.missing = [];
    this.changed();
  }

  start(): Promise<void> {
    if (this.recording !== null) return Promise.resolve();
    this.#wanted = true;
    return this.#settle();
  }

  /** On its way out it is heard. One that is only starting is let go as soon as it can be. */
  stop(): Promise<void> {
    this.#stops += 1;
    this.#wanted = false;
    this.#stayOff();
    return this.#settle();
  }

  #settle(): Promise<void> {
    return (this.#settling ??= this.#toWanted().finally(() => (this.#settling = null)));
  }

  async #toWanted(): Promise<void> {
    while (this.#wanted !== (this.#device !== undefined)) {
      if (this.#wanted) await this.#begin();
      else await this.#end();
    }
  }

  #stayOff(): void {
    clearTimeout(this.#power);
    if (this.back === null) return;
    this.back = null;
    this.changed();
  }

  async #begin(): Promise<void> {
    const other = devices.sameStore(this);
    if (other !== undefined) {
      // Two devices with one store would void each other's secrets.
      const { device } = nameKeys(this.plan.platform);
      this.failure = { code: "same_store", message: "another device of this page is this one, with the same secrets", next: "stop it, or give this one another name", key: device };
      this.#wanted = false;
      this.changed();
      return;
    }
    const { remembered } = this;
    const stops = this.#stops;
    this.#stayOff();
    this.#starting = true;
    this.remembered = false;
    this.failure = null;
    this.misuse = null;
    this.facts = freshFacts();
    this.changed();
    try {
      const muster = await engine.get();
      const { platform, world, settings, storage, relay = false } = this.plan;
      const place = world === "tab" ? { cloud: await clouds.inTab() } : { relay: relay && world === "real" };
      if (stops !== this.#stops) return this.#calledOff(remembered);
      const device = await muster.device({ platform, settings, storage, name: this.storeName, record: true, faults: this.faults, ...place });
      if (stops !== this.#stops) {
        await device.stop().catch((error: unknown) => {
          // A fault may have cut its power before that.
          if (refusal(error).code !== "stopped") throw error;
        });
        return this.#calledOff(remembered);
      }
      this.#device = device;
      this.timeline.begin();
      this.begunUnix = Date.now();
      this.lives.push({ side: "device", life: this.timeline.life, begun: this.begunUnix, replay: null });
      this.timeline.note(this.timeline.life > 1 ? "restarted" : "started", Date.now());
      this.next = device.next;
      device.onnext = (next) => {
        this.next = next;
        this.changed();
      };
      device.faults.onchange = (armed) => this.#armed(armed);
      // Some strike at its birth.
      if (device.faults.armed.length > 0) this.#armed(device.faults.armed);
      device.oncut = ({ restart_ms }) => {
        // Who told it to stop meanwhile does not want it back.
        const back = this.#wanted && restart_ms !== null;
        this.#ended("cut");
        if (!back) return;
        this.back = Date.now() + restart_ms;
        this.#power = setTimeout(() => void this.start(), restart_ms);
        this.changed();
      };
      void this.#read(device);
    } catch (error) {
      this.#wanted = false;
      this.failure = refusal(error);
      this.facts = { ...freshFacts(), word: "off" };
    } finally {
      this.#starting = false;
      this.changed();
    }
  }

  /** It was to stop before it had started: nothing of it is left. */
  #calledOff(remembered: boolean): void {
    this.remembered = remembered;
    this.facts = { ...freshFacts(), word: "off" };
  }

  async #end(): Promise<void> {
    const device = this.#device;
    if (device === undefined) return;
    try {
      // What it still says on its way out is shown.
      await device.stop();
    } catch (error) {
      // A power cut may have come first.
      if (this.#device === device) throw error;
    } finally {
      if (this.#device === device) this.#ended("off");
    }
  }

  async #read(device: Device): Promise<void> {
    try {
      for await (const entry of device) {
        this.timeline.push(entry);
        this.facts = reduce(this.facts, entry);
        for (const hear of this.heard) hear(entry);
        if (entry.kind === "misuse") this.misuse = entry.message;
        if (entry.kind === "event" && entry.event.event === "bind_token") void this.owner?.hear(entry.event.token);
        this.#arrived.request();
      }
    } catch {
      // The instance died; the page says so.
    }
    if (this.#device !== device) return;
    // That the instance died is told a moment after the last entry.
    await new Promise((done) => setTimeout(done));
    if (this.#device === device) this.#ended(engine.state === "dead" ? "dead" : "off");
  }

  #ended(word: "off" | "cut" | "dead"): void {
    const device = this.#device;
    if (device !== undefined) {
      device.onnext = null;
      device.oncut = null;
      device.faults.onchange = null;
      void this.#keepRecording(device, this.timeline.life);
    }
    this.#device = undefined;
    this.#wanted = false;
    this.next = null;
    const note = word === "off" ? "stopped" : word === "cut" ? "power_cut" : "died";
    this.timeline.note(note, Date.now());
    this.facts = { ...this.facts, word, ready: false, bindToken: null };
    this.changed();
  }

  /** Sends a packet beside the core; rejects if there is no device. */
  async sendPublish(topic: string, payload: string | Uint8Array, qos: 0 | 1): Promise<void> {
    await this.#on().publish(topic, payload, { qos });
  }

  async sendSubscribe(topic: string, qos: 0 | 1): Promise<void> {
    await this.#on().subscribe(topic, { qos });
  }

  /** An intent of a script's: it hears itself what came of it. */
  async attempt(intent: Intent): Promise<void> {
    await this.#on().intend(intent);
  }

  #on(): Device {
    if (this.#device === undefined) throw new MusterError("offline", "the device is off", "start it");
    return this.#device;
  }

  /** Keeps what a person wrote. */
  setScript(script: string): void {
    this.plan = { ...this.plan, script };
    devices.keep();
  }

  /** Arms these as well, or in the place of those with the same id; they are kept with the device. */
  arm(rules: readonly FaultRule[]): Promise<void> {
    return this.#told(() => this.harm({ arm: rules }));
  }

  disarm(ids: readonly string[]): Promise<void> {
    return this.#told(() => this.harm({ disarm: ids }));
  }

  /** These and no others. */
  setFaults(rules: readonly FaultRule[]): Promise<void> {
    return this.#told(() => this.harm({ set: rules }));
  }

  async #told(work: () => Promise<void>): Promise<void> {
    this.misuse = null;
    try {
      await work();
    } catch (error) {
      this.misuse = refusal(error).message;
    }
    this.changed();
  }

  /** The same for who hears itself what came of it: it throws what it was refused with, and nothing has changed then. */
  async harm(change: { arm: readonly FaultRule[] } | { disarm: readonly string[] } | { set: readonly FaultRule[] }): Promise<void> {
    const faults = this.#device?.faults;
    if ("disarm" in change) {
      this.#armed(faults === undefined ? this.faults.filter(({ id }) => !change.disarm.includes(id)) : await faults.disarm(change.disarm));
    } else {
      const stay = "set" in change ? [] : this.faults;
      const fresh = named("set" in change ? change.set : change.arm, stay);
      const ids = new Set(fresh.map(({ id }) => id));
      const all = [...stay.filter(({ id }) => !ids.has(id)), ...fresh.map(whole)];
      // Of more the device could not be started again.
      if (all.length > MOST_RULES) throw new MusterError("misuse", `faults has more than ${MOST_RULES} rules`, "disarm some that have struck");
      this.#armed(faults === undefined ? all : await ("set" in change ? faults.set(fresh) : faults.arm(fresh)));
    }
    devices.keep();
  }

  /** How far each of them is, is kept with it. */
  #armed(faults: readonly ArmedFault[]): void {
    this.faults = faults;
    this.plan = { ...this.plan, faults };
    devices.keepSoon();
    this.changed();
  }

  async #keepRecording(device: Device, life: number): Promise<void> {
    const recording = await device.recording().catch(() => undefined);
    if (recording === undefined) return;
    this.#recordings.set(life, recording);
    for (const old of [...this.#recordings.keys()].slice(0, -MAX_RECORDINGS)) this.#recordings.delete(old);
    this.changed();
  }

  /** Lives that can be replayed, the latest last. */
  get recorded(): readonly Life[] {
    const now = this.#device === undefined ? null : this.timeline.life;
    return this.lives.filter((life) => life.side === "device" && (life.replay !== null || life.life === now || this.#recordings.has(life.life)));
  }

  /** What a life is replayed from: bytes with secrets of one of this page, Base64 without of one from a file. */
  async recordingOf(life: number): Promise<Uint8Array | string | undefined> {
    const known = this.lives.find((other) => other.side === "device" && other.life === life);
    if (known?.replay != null) return known.replay.recording;
    if (this.#device !== undefined && life === this.timeline.life) return this.#device.recording();
    return this.#recordings.get(life);
  }

  /** Opens the player on a life, at its beginning, unless nobody wants it by then. False if there is nothing to play. */
  async replay(life: number, wanted: () => boolean = () => true): Promise<boolean> {
    const recording = await this.recordingOf(life);
    if (recording === undefined) return false;
    const replay = await (await engine.get()).replay(recording);
    if (!wanted()) {
      // It holds the recording, secrets and all.
      await replay.close();
      return false;
    }
    const entries = this.log.rows.flatMap((row) => (row.type === "entry" && row.side === "device" && row.life === life ? [row.entry] : []));
    const player = new Player(life, replay.check, replay.marks, new Places(replay.marks, entries), replay);
    await player.go(0);
    if (!wanted()) {
      player.close();
      return false;
    }
    this.endReplay();
    player.subscribe(() => this.changed());
    this.player = player;
    this.update({ follow: false });
    return true;
  }

  endReplay(): void {
    if (this.player === null) return;
    this.player.close();
    this.player = null;
    this.changed();
  }

  /** For a file: what each life is replayed from, without secrets. What could not be made is told. */
  async covered(): Promise<{ lives: Life[]; problem: Refusal | null }> {
    const lives: Life[] = [];
    let problem: Refusal | null = null;
    for (const life of this.lives) {
      const recording = life.side === "device" && life.replay === null ? await this.recordingOf(life.life) : undefined;
      let made: FileReplay | null = life.replay;
      if (recording !== undefined) {
        try {
          const replay = await (await engine.get()).replay(recording);
          made = await replay.cover().finally(() => void replay.close());
        } catch (error) {
          problem = refusal(error);
        }
      }
      lives.push({ ...life, replay: made });
    }
    return { lives, problem };
  }

  /** What it stored of its registration, if it runs and has. */
  async credential(): Promise<string | undefined> {
    return this.#device?.credential();
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
    const stopped = this.stop();
    const stops = this.#stops;
    await stopped;
    // Whoever told it to stop meanwhile, or took it off the list, has the last word.
    if (stops === this.#stops) await this.start();
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
    return key === null ? undefined : this.log.find(key);
  }

  /** The owner's app has a part in the timeline. */
  get hasApp(): boolean {
    return this.owner !== null || (this.#before?.life ?? 0) > 0;
  }

  /** What is new comes into view by itself. */
  get following(): boolean {
    return this.follow && this.selected === null && this.frozen === null;
  }

  update(change: Partial<Pick<Session, "selected" | "mark" | "follow" | "view" | "filter" | "panel">>): void {
    const followed = this.following;
    Object.assign(this, change);
    if (change.selected != null) this.#replayTo(change.selected);
    if (change.panel !== undefined && change.panel !== "replay") this.endReplay();
    if (change.view !== undefined) kept.set("timeline", change.view);
    if (followed && !this.following) this.seen = this.log.added;
    this.changed();
  }

  /** Who opens an entry of the life that is played goes to its step. */
  #replayTo(key: string): void {
    const row = this.find(key);
    const { player } = this;
    if (player === null || row === undefined || row.side !== "device" || row.life !== player.life) return;
    const step = player.places.stepOf(row.entry.seq);
    if (step !== player.at) void player.go(step);
  }

  /** How an entry stands to the step that is played. */
  standing(row: EntryRow): "" | "past" | "now" | "ahead" {
    const { player } = this;
    return player === null || row.side !== "device" || row.life !== player.life ? "" : player.standing(row.entry.seq);
  }

  /** While it is paused the list stays as it is; what comes is kept, and shown afterwards. */
  pause(on: boolean): void {
    if (on === (this.frozen !== null)) return;
    if (this.following) this.seen = this.log.added;
    this.frozen = on ? [...this.log.rows] : null;
    this.changed();
  }

  /** To the end, and on with it. */
  latest(): void {
    this.frozen = null;
    this.update({ follow: true, selected: null });
  }

  /** The owner's side; made when first asked for. */
  withOwner(settings: Record<string, string>): Owner {
    if (this.owner === null) {
      this.owner = new Owner(this.plan.world, settings, this.log, this.#before ?? undefined);
      this.owner.relay = () => this.plan.relay === true;
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
  /** How the list is looked at. */
  look: ListLook = { search: "", sort: "added" };
  #ids = 0;
  #keeping: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    engine.subscribe(() => {
      if (engine.state === "dead") for (const session of this.sessions) session.died();
    });
  }

  /** Whether there is a place for it on the list: for no more than are remembered. If not, that is told. */
  fits(plan: Pick<Plan, "platform" | "world" | "settings">): boolean {
    if (this.room > 0 || this.with(plan) !== undefined) return true;
    notices.tell("full", () => t().devs.full(MOST_DEVICES), { bad: true });
    return false;
  }

  /** Devices for which there is still a place. */
  get room(): number {
    return Math.max(0, MOST_DEVICES - this.sessions.filter((session) => session.recording === null).length);
  }

  #full(): MusterError {
    return new MusterError("full", `the list has ${MOST_DEVICES} devices, and no place for another one`, "take one off the list");
  }

  /**
   * The same device as one of the list is that one. One whose own secret is missing stays off: only a person can say that
   * it is to register anew. Throws if the list is full.
   */
  start(plan: Plan): Session {
    const known = this.with(plan);
    if (known === undefined && this.room === 0) throw this.#full();
    const session = known ?? this.#add(plan);
    this.current = session;
    if (session.running || session.busy) {
      notices.tell("same-store", () => t().devs.there(session.title));
      this.changed();
      return session;
    }
    session.replan(plan);
    this.keep();
    this.changed();
    if (session.missing.length === 0) void session.start();
    return session;
  }

  /** Puts it on the list, without starting it. One that is there already stays as it is. Throws if the list is full. */
  add(plan: Plan, more: { label?: string; missing?: readonly string[]; keep?: false } = {}): { session: Session; added: boolean } {
    const known = this.with(plan);
    if (known !== undefined) return { session: known, added: false };
    if (this.room === 0) throw this.#full();
    const session = this.#add(plan);
    session.label = more.label ?? "";
    session.missing = more.missing ?? [];
    // Of many, whoever adds them writes the list down once.
    if (more.keep !== false) this.keep();
    this.changed();
    return { session, added: true };
  }

  /** Another device like this one, with the next free name; off. None if the list is full: that is told. */
  duplicate(session: Session): Session | null {
    const { platform, world } = session.plan;
    const { product } = session.names;
    const same = this.sessions.filter((other) => other.recording === null && other.plan.platform === platform && other.plan.world === world && other.names.product === product);
    const demo = clouds.known(world)?.[platform];
    const offered = demo != null && demo.settings[nameKeys(platform).product] === product ? demo.devices : [];
    const { plan, missing } = duplicated(session.plan, session.missing, new Set(same.map((other) => other.names.device)), offered);
    if (!this.fits(plan)) return null;
    const made = this.add(plan, { missing }).session;
    this.open(made);
    return made;
  }

  /** Who on the list has these settings' store. */
  with(plan: Pick<Plan, "platform" | "world" | "settings">): Session | undefined {
    const key = profileKey(plan);
    return this.sessions.find((session) => session.recording === null && session.storeName === key);
  }

  /** Another one that runs with the same store. */
  sameStore(session: Session): Session | undefined {
    return this.sessions.find((other) => other !== session && (other.running || other.busy) && other.storeName === session.storeName);
  }

  rename(session: Session, label: string): void {
    session.label = label === session.names.device ? "" : label;
    this.keep();
    this.changed();
  }

  /** Opens what was exported, beside the devices. */
  openRecording(file: SessionFile, name: string): Session {
    const { platform, world, settings, storage } = file.device;
    const session = this.#add({ platform, world, settings, storage });
    try {
      session.play(file, name);
    } catch (error) {
      // What passed every check and cannot be shown all the same is no device of this page.
      this.sessions.splice(this.sessions.indexOf(session), 1);
      this.changed();
      throw error;
    }
    this.current = session;
    this.changed();
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
      session.label = profile.label ?? "";
    }
    this.changed();
  }

  /** Writes the list down in a moment: what changes many times a second is worth one writing. */
  keepSoon(): void {
    this.#keeping ??= setTimeout(() => this.keep(), STRIKES);
  }

  /** The page goes: what was to be written in a moment is written now. */
  keepNow(): void {
    if (this.#keeping !== undefined) this.keep();
  }

  /** Writes the list down, without secrets. */
  keep(gone: ReadonlySet<string> = new Set()): void {
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    const mine = this.sessions.filter((session) => session.recording === null).map((session): Profile => {
      const profile = profileOf(session.plan);
      const label = session.label === "" ? {} : { label: session.label };
      return { ...profile, ...label, missing: [...new Set([...profile.missing, ...session.missing])] };
    });
    keptHere.set("devices", JSON.stringify(mine));
    kept.set("devices", JSON.stringify(mergedProfiles(readProfiles(kept.get("devices")), mine, gone)));
  }

  open(session: Session | null): void {
    this.current = session;
    this.changed();
  }

  /** Takes it off the list and stops it. Returns what puts it back, off, with its timeline. */
  remove(session: Session): () => void {
    const at = this.sessions.indexOf(session);
    if (at >= 0) this.sessions.splice(at, 1);
    session.endReplay();
    const open = this.current === session;
    if (open) this.current = this.sessions[Math.min(at, this.sessions.length - 1)] ?? null;
    this.keep(new Set(session.recording === null ? [session.storeName] : []));
    this.changed();
    void session.owner?.stop();
    void session.stop();
    return () => {
      // Meanwhile the same device may have come back by another way.
      if (at < 0 || this.sessions.includes(session) || (session.recording === null && this.with(session.plan) !== undefined)) return;
      this.sessions.splice(Math.min(at, this.sessions.length), 0, session);
      if (open) this.current = session;
      this.keep();
      this.changed();
    };
  }

  /** Starts those that are off. Returns those that only a person can start: a secret is missing. */
  async startSome(sessions: readonly Session[]): Promise<readonly Session[]> {
    const off = sessions.filter((session) => session.recording === null && !session.running && !session.busy);
    const went = await Promise.all(off.map(async (session) => [session, await session.goOn()] as const));
    return went.filter(([, done]) => !done).map(([session]) => session);
  }

  async stopSome(sessions: readonly Session[]): Promise<void> {
    await Promise.all(sessions.flatMap((session) => [session.owner?.stop(), session.stop()]));
  }

  /** Opens the one that is `by` further down the list as it is shown. */
  step(by: 1 | -1): boolean {
    const shown = arranged(this.sessions, this.look).flatMap((group) => group.sessions);
    const at = this.current === null ? -1 : shown.indexOf(this.current);
    const to = shown[at < 0 ? 0 : (at + by + shown.length) % shown.length];
    if (to === undefined || to === this.current) return false;
    this.open(to);
    return true;
  }

  lookAt(change: Partial<ListLook>): void {
    this.look = { ...this.look, ...change };
    this.changed();
  }

  /** Stops what runs on these clouds. */
  async stopAll(world: World): Promise<void> {
    const these = this.sessions.filter((session) => session.plan.world === world);
    await Promise.all(these.flatMap((session) => [session.owner?.stop(), session.stop()]));
  }

  /** Device names in use, so that the first page offers a free one. */
  taken(platform: PlatformName, world: World): Set<string> {
    const same = this.sessions.filter((s) => s.plan.platform === platform && s.plan.world === world && !s.remembered && s.recording === null);
    return new Set(same.map((s) => s.names.device));
  }
}

export const devices = new Devices();
