// From entries to what a person reads: phases of the flow, and rows in them.

import { latencyOf } from "./entry";
import { Log } from "./log";
import type { AppStep, Entry, Error, Advice, Due, Identity, Next, Step, Trouble, Update, BindFailure, DeviceNameOf } from "../muster/types";

export type Side = "device" | "app";

export type DevicePhase =
  | "start"
  | "register"
  | "ask"
  | "keep"
  | "confirm"
  | "login"
  | "session"
  | "report"
  | "online"
  | "token"
  | "download"
  | "install"
  | "erase"
  | "properties";
export type AppPhase = "calls" | AppStep;
export type PhaseId = DevicePhase | `app_${AppPhase}`;
export type PhaseState = "now" | "done" | "failed" | "retrying";

/** What the page itself has to say in a timeline. */
export type NoteKind =
  | "started"
  | "restarted"
  | "stopped"
  | "power_cut"
  | "network_dropped"
  | "died"
  | "forgotten"
  | "token_handed_over"
  | "app_started"
  | "app_stopped";

export type PhaseRow = {
  type: "phase";
  key: string;
  side: Side;
  life: number;
  phase: PhaseId;
  state: PhaseState;
  at: number;
  unix: number;
  /** When its work was over, on the clock of `at`; null while it is not, or if nobody knows. */
  until: number | null;
  /** Entries under it that are still kept. */
  rows: number;
  /** Milliseconds of its slowest answer. */
  slowest: number | null;
  /** What it began with. */
  entry: Entry;
};
export type EntryRow = { type: "entry"; key: string; side: Side; life: number; entry: Entry; phase: PhaseRow };
export type NoteRow = { type: "note"; key: string; side: Side; note: NoteKind; unix: number; detail: string };
export type Row = PhaseRow | EntryRow | NoteRow;

const PHASE_OF: Record<Step, DevicePhase> = {
  connect_to_register: "register",
  subscribe_for_secret: "ask",
  request_secret: "ask",
  store_secret: "keep",
  confirm_secret: "confirm",
  leave_registration: "login",
  login: "login",
  subscribe: "session",
  report_version: "session",
  heartbeat: "report",
  report_token: "token",
  download: "download",
  install: "install",
  erase_secret: "erase",
  post_properties: "properties",
};

/** Makes rows of one side's entries, and puts them into a log that both sides may share. */
export class Timeline {
  readonly side: Side;
  readonly log: Log;
  /** Counts the device's lives: each start is one. */
  life = 0;
  #notes = 0;
  #phase: PhaseRow | undefined;
  /** The work of the current phase is over; what comes next belongs to the quiet time after it. */
  #settled = false;
  #ready = false;
  #progress: EntryRow | undefined;

  constructor(side: Side, log = new Log()) {
    this.side = side;
    this.log = log;
  }

  /** The rows of this side. */
  get rows(): Row[] {
    return this.log.rows.filter((row) => row.side === this.side);
  }

  note(note: NoteKind, unix: number, detail = ""): void {
    this.#notes += 1;
    this.log.add({ type: "note", key: `${this.side}:n${this.#notes}`, side: this.side, note, unix, detail });
    if (note === "power_cut" || note === "stopped" || note === "died" || note === "app_stopped") this.#endLife();
  }

  /** A new life begins: sequence numbers start again. `life`: which one it was, where that is on record. */
  begin(life = this.life + 1): void {
    this.life = life;
    this.#endLife();
  }

  push(entry: Entry): void {
    if (entry.kind === "event") {
      this.#deviceEvent(entry, entry.event.event);
    } else if (entry.kind === "app_event") {
      this.#appEvent(entry);
    } else {
      this.#plain(entry);
    }
  }

  /** The row of a packet of the same life. */
  bySeq(life: number, seq: number): EntryRow | undefined {
    return this.log.find(`${this.side}:${life}:${seq}`);
  }

  #deviceEvent(entry: Entry & { kind: "event" }, name: string): void {
    const { event } = entry;
    if (event.event === "step") {
      this.#enter(PHASE_OF[event.step], entry);
      return;
    }
    if (event.event === "update" && event.update.phase === "downloading") {
      // One row that moves on, not hundreds.
      if (this.#progress !== undefined) {
        this.#progress.entry = entry;
        return;
      }
      this.#progress = this.#add(entry);
      return;
    }
    if (event.event === "update" && event.update.phase === "offered") this.#progress = undefined;
    if (name === "ready") {
      this.#ready = true;
      this.#enter("online", entry);
      this.#add(entry);
      return;
    }
    this.#add(entry);
    if (name === "retrying") this.#mark("retrying");
    if (name === "stopped") this.#mark("failed", entry.at);
    if (name === "heartbeat" || name === "properties_posted" || name === "bind_token") this.#settle(entry.at);
    if (event.event === "update" && ["reported", "failed", "cancelled"].includes(event.update.phase)) {
      this.#settle(entry.at);
      this.#progress = undefined;
    }
  }

  #appEvent(entry: Entry & { kind: "app_event" }): void {
    const { event } = entry;
    if (event.event === "step") {
      this.#enter(`app_${event.step}`, entry);
      return;
    }
    this.#add(entry);
    if (event.event === "failed") this.#mark("failed", entry.at);
    if (event.event === "retrying") this.#mark("retrying");
    if (event.event === "bound") this.#mark("done", entry.at);
  }

  #plain(entry: Entry): void {
    if (this.side === "device" && this.#ready && this.#settled && this.#phase?.phase !== "online") {
      this.#enter("online", entry);
    }
    this.#add(entry);
  }

  #add(entry: Entry): EntryRow {
    const phase = this.#phase ?? this.#enter(this.side === "app" ? "app_calls" : "start", entry);
    if (phase.state === "retrying" && entry.kind !== "event" && entry.kind !== "app_event") phase.state = "now";
    const key = `${this.side}:${this.life}:${entry.seq}`;
    const row: EntryRow = { type: "entry", key, side: this.side, life: this.life, entry, phase };
    phase.rows += 1;
    const latency = latencyOf(entry);
    if (latency !== undefined) phase.slowest = Math.max(latency, phase.slowest ?? 0);
    this.log.add(row);
    return row;
  }

  #enter(phase: PhaseId, entry: Entry): PhaseRow {
    this.#settled = false;
    const now = this.#phase;
    if (now?.phase === phase && now.state !== "failed") {
      now.state = "now";
      now.until = null;
      return now;
    }
    if (now !== undefined && (now.state === "now" || now.state === "retrying")) {
      now.state = "done";
      now.until = entry.at;
    }
    const key = `${this.side}:${this.life}:p${entry.seq}`;
    const row: PhaseRow = { type: "phase", key, side: this.side, life: this.life, phase, state: "now", at: entry.at, unix: entry.unix, until: null, rows: 0, slowest: null, entry };
    this.#phase = row;
    this.log.add(row);
    return row;
  }

  #settle(at: number): void {
    if (!this.#ready || this.#phase?.phase === "online") return;
    this.#settled = true;
    if (this.#phase?.state === "now") this.#mark("done", at);
  }

  #mark(state: PhaseState, at: number | null = null): void {
    if (this.#phase === undefined) return;
    this.#phase.state = state;
    this.#phase.until = at;
  }

  #endLife(): void {
    if (this.#phase?.state === "now" || this.#phase?.state === "retrying") {
      this.#phase.state = this.#phase.phase === "online" ? "done" : "failed";
    }
    this.#phase = undefined;
    this.#settled = false;
    this.#ready = false;
    this.#progress = undefined;
  }
}

// ---------- the state of a device ----------

export type DeviceWord =
  | "starting"
  | "registering"
  | "login"
  | "online"
  | "updating"
  | "retrying"
  | "stopped"
  | "off"
  | "cut"
  | "dead";

export type UpdateCard = {
  phase: Update["phase"];
  from: string;
  to: string;
  size: number | null;
  received: number;
  digest: boolean | null;
  failure: (Update & { phase: "failed" })["reason"] | null;
};

export type TroubleCard = {
  error: Error;
  /** Only when it stopped. */
  advice: Advice | null;
  failures: number;
  retryAt: number | null;
  /** What a second look at the connection found. */
  link: Trouble | null;
};

export type DeviceFacts = {
  word: DeviceWord;
  ready: boolean;
  registered: boolean;
  identity: Identity | null;
  trouble: TroubleCard | null;
  update: UpdateCard | null;
  heartbeat: { nextUnix: number | null; why: Due; acceptedUnix: number | null } | null;
  bindToken: { token: string; until: number } | null;
  /** When the cloud let it in last: what a time window is counted from. */
  admittedUnix: number | null;
  link: Trouble | null;
};

export function freshFacts(): DeviceFacts {
  return {
    word: "starting",
    ready: false,
    registered: false,
    identity: null,
    trouble: null,
    update: null,
    heartbeat: null,
    bindToken: null,
    admittedUnix: null,
    link: null,
  };
}

const REGISTERING: ReadonlySet<Step> = new Set([
  "connect_to_register",
  "subscribe_for_secret",
  "request_secret",
  "store_secret",
  "confirm_secret",
  "erase_secret",
]);

/** What is true of the device after `entry`. */
export function reduce(facts: DeviceFacts, entry: Entry): DeviceFacts {
  if (entry.kind === "link") {
    if (entry.what === "open") return { ...facts, link: null };
    return entry.trouble === undefined ? facts : withLink(facts, entry.trouble);
  }
  if (entry.kind === "http" && entry.direction === "down") {
    const { trouble, status } = entry.message;
    if (trouble !== undefined) return withLink(facts, trouble);
    return facts.link !== null && (status ?? 0) > 0 ? { ...facts, link: null } : facts;
  }
  if (entry.kind === "mqtt") return entry.packet.type === "CONNACK" && entry.packet.return_code === 0 ? { ...facts, admittedUnix: entry.unix } : facts;
  if (entry.kind !== "event") return facts;
  const { event } = entry;
  switch (event.event) {
    case "step":
      return { ...facts, ...step(facts, event.step) };
    case "registered":
      return { ...facts, registered: true, identity: event.identity, trouble: null };
    case "ready":
      return { ...facts, ready: true, word: updating(facts) ? "updating" : "online", trouble: null };
    case "heartbeat":
    case "scheduled": {
      const acceptedUnix = event.event === "heartbeat" ? entry.unix : null;
      const heartbeat = { nextUnix: event.next_unix, why: event.why, acceptedUnix };
      const word = facts.ready && !updating(facts) ? "online" : facts.word;
      return { ...facts, heartbeat, word, trouble: null };
    }
    case "retrying": {
      const { error, failures, in_ms } = event;
      const trouble = { error, advice: null, failures, retryAt: entry.unix + in_ms, link: facts.link };
      return { ...facts, word: "retrying", trouble };
    }
    case "stopped": {
      const trouble = { error: event.error, advice: event.advice, failures: 0, retryAt: null, link: facts.link };
      return { ...facts, word: "stopped", ready: false, trouble };
    }
    case "update":
      return update(facts, event.update);
    case "bind_token":
      return { ...facts, bindToken: { token: event.token, until: entry.unix + event.for_ms } };
    default:
      return facts;
  }
}

/** What keeps a browser from an address, where no second look has told: its own rules, if they say so plainly. */
export function guessReason(error: Error, url: string, pageProtocol: string): Trouble["reason"] | null {
  if (error.blame !== "network" || error.failure !== "forbidden") return null;
  return pageProtocol === "https:" && /^(http|ws):/i.test(url) ? "mixed_content" : "cors";
}

/** A second look may come after the failure that it explains. */
function withLink(facts: DeviceFacts, link: Trouble): DeviceFacts {
  const trouble = facts.trouble === null ? null : { ...facts.trouble, link };
  return { ...facts, link, trouble };
}

function updating(facts: DeviceFacts): boolean {
  return facts.update !== null && !["reported", "failed", "cancelled"].includes(facts.update.phase);
}

function step(facts: DeviceFacts, step: Step): Partial<DeviceFacts> {
  const trouble = facts.trouble?.advice == null ? facts.trouble : null;
  if (updating(facts)) return { word: "updating", trouble };
  if (REGISTERING.has(step)) return { word: "registering", ready: false, trouble };
  if (step === "login" || step === "leave_registration") return { word: "login", ready: false, trouble };
  if (facts.ready) return { word: "online", trouble };
  return { word: "login", trouble };
}

function update(facts: DeviceFacts, update: Update): DeviceFacts {
  const before: UpdateCard = facts.update ?? {
    phase: "offered",
    from: "",
    to: "",
    size: null,
    received: 0,
    digest: null,
    failure: null,
  };
  const card = ((): UpdateCard => {
    switch (update.phase) {
      case "offered":
        return { ...update, received: 0, digest: null, failure: null };
      case "downloading":
        return { ...before, phase: "downloading", received: update.received, size: update.total ?? before.size };
      case "verified":
        return { ...before, phase: "verified", digest: update.digest, received: before.size ?? before.received };
      case "installed":
        return { ...before, phase: "installed", from: update.from, to: update.to };
      case "reported":
        return { ...before, phase: "reported", to: update.version };
      case "failed":
        return { ...before, phase: "failed", failure: update.reason };
      case "cancelled":
        return { ...before, phase: "cancelled" };
    }
  })();
  // What a download met on its way is over with it.
  const over = facts.trouble?.advice === null && ["verified", "installed", "reported", "failed", "cancelled"].includes(update.phase);
  const next = { ...facts, update: card, trouble: over ? null : facts.trouble };
  if (updating(next)) return { ...next, word: "updating" };
  return { ...next, word: facts.ready ? "online" : facts.word === "updating" ? "login" : facts.word };
}

/** Percent of a download, where its size is known. */
export function percent(card: UpdateCard): number | null {
  if (card.size === null || card.size === 0) return null;
  return Math.min(100, Math.floor((card.received / card.size) * 100));
}

// ---------- the state of a bind ----------

export type OwnerWord = "off" | "ready" | "binding" | "bound" | "failed";

export type OwnerFacts = {
  word: OwnerWord;
  step: AppStep | null;
  discovered: number | null;
  filtered: number | null;
  chosen: DeviceNameOf | null;
  waitingUntil: number | null;
  iotId: string | null;
  failure: BindFailure | null;
};

export function freshOwner(): OwnerFacts {
  return {
    word: "off",
    step: null,
    discovered: null,
    filtered: null,
    chosen: null,
    waitingUntil: null,
    iotId: null,
    failure: null,
  };
}

export function reduceOwner(facts: OwnerFacts, entry: Entry): OwnerFacts {
  if (entry.kind !== "app_event") return facts;
  const { event } = entry;
  switch (event.event) {
    case "step":
      return { ...facts, word: "binding", step: event.step, failure: null };
    case "discovered":
      return { ...facts, discovered: event.devices.length };
    case "filtered":
      return { ...facts, filtered: event.devices.length };
    case "chosen":
      return { ...facts, chosen: event.device };
    case "waiting":
      return { ...facts, waitingUntil: entry.unix + event.for_ms };
    case "token_known":
      return { ...facts, iotId: event.iot_id, waitingUntil: null };
    case "bound":
      return { ...facts, word: "bound", chosen: event.device, iotId: event.iot_id, waitingUntil: null, step: null };
    case "failed":
      return { ...facts, word: "failed", step: event.step, failure: event.failure, waitingUntil: null };
    case "cancelled":
      return { ...facts, word: "ready", step: null, waitingUntil: null };
    default:
      return facts;
  }
}

export type { Next };
