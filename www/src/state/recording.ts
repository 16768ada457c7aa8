// A session as a file: who the device was, and what happened, in the words of the timeline. Without secrets: those of
// packets were covered before the page saw them, those of settings are left out by name.
//
// `lives` hold what it takes to live the life again (`Replay`): a recording of the core's, in which a stand-in of the same
// length and alphabet is where a secret was.

import type { Entry } from "../muster/types";
import type { Log } from "./log";
import { profileOf, readProfiles, type Profile } from "./profiles";
import { nameKeys } from "./settings";
import { isAppEvent, isError, isEvent, isFault, isLink, isNumber, isObject, isStoreKey, isText, isTrouble, may } from "./shapes";
import { Timeline, type NoteKind, type Row, type Side } from "./timeline";

export const FORMAT = "muster-session";
export const VERSION = 1;

/** What it takes to live a life again. */
export type Replay = {
  /** The version of the core that was recorded. */
  core: string;
  /** How many inputs there are. */
  steps: number;
  /** Earlier ones that were let go. */
  dropped: number;
  /** The first step at which the stand-ins for secrets lead elsewhere; null: none. */
  strays: number | null;
  /** The core's recording in Base64: `docs/console/replay.md`. */
  recording: string;
};

export type Life = { side: Side; life: number; begun: number; replay: Replay | null };
export type NoteLine = { side: Side; note: NoteKind; unix: number; detail?: string };
export type EntryLine = Entry & { side: Side; life: number };
export type Line = NoteLine | EntryLine;

export type SessionFile = {
  format: typeof FORMAT;
  version: typeof VERSION;
  /** ISO 8601. */
  exported: string;
  /** `missing`: settings that are secrets, left out. */
  device: Profile;
  lives: readonly Life[];
  rows: readonly Line[];
};

/** What a file is made of. */
export type Source = { plan: Omit<Profile, "missing">; rows: readonly Row[]; lives: readonly Life[] };

export function lineOf(row: Row): Line | null {
  switch (row.type) {
    case "phase": {
      // A step has no row of its own: it is what a phase begins with.
      const { entry } = row;
      const step = (entry.kind === "event" || entry.kind === "app_event") && entry.event.event === "step";
      return step ? { side: row.side, life: row.life, ...entry } : null;
    }
    case "note":
      // What is handed over is a right to bind, for a minute.
      return { side: row.side, note: row.note, unix: row.unix };
    case "entry":
      return { side: row.side, life: row.life, ...row.entry };
  }
}

/** The text of a file in parts, so that 100,000 entries need not be one string. */
export function* fileParts(source: Source, now: Date, cover: (text: string) => string): Generator<string> {
  // What was armed is in the entries; a script is what a person wrote, and nobody's who gets a ticket.
  const { faults: _faults, script: _script, ...device } = profileOf(source.plan);
  const head = { format: FORMAT, version: VERSION, exported: now.toISOString(), device };
  yield `${cover(JSON.stringify(head, null, 1)).replace(/\n}$/, "")},\n "lives": [`;
  // Base64 holds nothing that is to be covered, and whatever is replaced in it would break it.
  yield source.lives.map((life) => `\n  ${JSON.stringify(life)}`).join(",");
  yield `\n ],\n "rows": [`;
  let first = true;
  for (const row of source.rows) {
    const line = lineOf(row);
    if (line === null) continue;
    yield `${first ? "" : ","}\n  ${cover(JSON.stringify(line))}`;
    first = false;
  }
  yield "\n ]\n}\n";
}

// ---------- reading ----------

export type Unreadable = { why: "not_json" | "not_session" } | { why: "newer"; version: number } | { why: "wrong_entry"; number: number };

export function readFile(text: string): SessionFile | Unreadable {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return { why: "not_json" };
  }
  return readParsed(file);
}

/** What a text parsed to. */
export function readParsed(file: unknown): SessionFile | Unreadable {
  if (!isObject(file) || file["format"] !== FORMAT || typeof file["version"] !== "number") return { why: "not_session" };
  if (file["version"] !== VERSION) return { why: "newer", version: file["version"] };
  const { exported, device, rows, lives } = file;
  const [profile] = readProfiles(JSON.stringify([device ?? null]));
  if (typeof exported !== "string" || profile === undefined || !Array.isArray(rows)) return { why: "not_session" };
  const wrong = rows.findIndex((row: unknown) => !isLine(row));
  if (wrong >= 0) return { why: "wrong_entry", number: wrong + 1 };
  return { format: FORMAT, version: VERSION, exported, device: profile, lives: Array.isArray(lives) ? lives.filter(isLife).map((life) => ({ ...life, replay: life.replay ?? null })) : [], rows: rows as Line[] };
}

/** Puts a file's lines into a log as they once came. */
export function play(file: SessionFile, log: Log, device = new Timeline("device", log)): { device: Timeline; app: Timeline } {
  const sides = { device, app: new Timeline("app", log) };
  for (const line of file.rows) {
    const timeline = sides[line.side];
    if ("note" in line) {
      timeline.note(line.note, line.unix, line.detail ?? "");
      continue;
    }
    if (line.life !== timeline.life) timeline.begin(line.life);
    const { side: _side, life: _life, ...entry } = line;
    timeline.push(entry as Entry);
  }
  return sides;
}

const NOTES: ReadonlySet<unknown> = new Set<NoteKind>(["started", "restarted", "stopped", "power_cut", "network_dropped", "died", "forgotten", "token_handed_over", "app_started", "app_stopped"]);

function isLife(value: unknown): value is Life {
  return isObject(value) && (value["side"] === "device" || value["side"] === "app") && isNumber(value["life"]) && isNumber(value["begun"]) && (value["replay"] == null || isReplay(value["replay"]));
}

function isReplay(value: unknown): value is Replay {
  if (!isObject(value) || !isText(value["core"]) || !isText(value["recording"])) return false;
  return isNumber(value["steps"]) && isNumber(value["dropped"]) && (value["strays"] === null || isNumber(value["strays"]));
}

/** Whether the page can show it: what it takes apart is of the kind that it expects. One event amiss, and a list stays blank. */
function isLine(value: unknown): value is Line {
  if (!isObject(value) || (value["side"] !== "device" && value["side"] !== "app") || !isNumber(value["unix"])) return false;
  if ("note" in value) return NOTES.has(value["note"]) && may(isText)(value["detail"]);
  if (![value["seq"], value["at"], value["life"]].every(isNumber)) return false;
  const outcome = value["outcome"] === "done" || value["outcome"] === "failed";
  switch (value["kind"]) {
    case "event":
      return isEvent(value["event"]);
    case "app_event":
      return isAppEvent(value["event"]);
    case "reply":
      return isText(value["call"]) && isObject(value["result"]) && may(isError)(value["result"]["error"]);
    case "mqtt":
      return isDirection(value["direction"]) && isPacket(value["packet"]);
    case "http":
      return isDirection(value["direction"]) && isMessage(value["message"]) && may(isNumber)(value["of"]) && may(isNumber)(value["latency"]);
    case "store":
      return outcome && (value["action"] === "put" || value["action"] === "erase") && isStoreKey(value["key"]) && isNumber(value["size"]) && isNumber(value["latency"]) && may(isText)(value["reason"]);
    case "install":
      return outcome && isText(value["version"]) && isText(value["sha256"]) && isNumber(value["size"]) && may(isText)(value["reason"]);
    case "link":
      return isLink(value["what"]) && isText(value["url"]) && may(isTrouble)(value["trouble"]);
    case "misuse":
      return isText(value["message"]);
    case "fault":
      return isText(value["rule"]) && isFault(value["done"]) && may(isText)(value["detail"]) && may(isDirection)(value["direction"]) && may(isPacket)(value["packet"]) && may(isMessage)(value["message"]);
    default:
      return false;
  }
}

const isDirection = (value: unknown) => value === "up" || value === "down";
const isPayload = (value: unknown) => isObject(value) && isNumber(value["size"]) && may(isText)(value["text"]);

function isPacket(value: unknown): boolean {
  if (!isObject(value) || !isText(value["type"]) || !isNumber(value["size"]) || !isNumber(value["masked"])) return false;
  const texts = ["topic", "client_id", "username", "password"].every((key) => may(isText)(value[key]));
  const numbers = ["packet_id", "qos", "keep_alive", "return_code", "of", "latency"].every((key) => may(isNumber)(value[key]));
  return texts && numbers && may(isPayload)(value["payload"]);
}

function isMessage(value: unknown): boolean {
  if (!isObject(value) || !isNumber(value["size"]) || !isNumber(value["masked"]) || !Array.isArray(value["headers"])) return false;
  const headers = value["headers"].every((header: unknown) => Array.isArray(header) && header.length === 2 && header.every(isText));
  const texts = ["method", "url", "string_to_sign"].every((key) => may(isText)(value[key]));
  return headers && texts && may(isNumber)(value["status"]) && may(isPayload)(value["payload"]) && may(isTrouble)(value["trouble"]);
}

// ---------- what others need not know ----------

/** Settings that say which device it is. */
const NAMING = ["imei", "cmei", "mac", "instance_id", "home_id", "inner_ip"];

/**
 * Covers what a file must not tell: tokens by which a device can be bound, and the rights of access in addresses. With
 * `names`, also who the device is: `device-1` stands for it everywhere.
 */
export function redaction(plan: Source["plan"], rows: readonly Row[], identities: readonly string[], names: boolean): (text: string) => string {
  const tokens = new Map<string, string>();
  for (const row of rows) {
    if (row.type === "note" && row.detail !== "") tokens.set(row.detail, "*".repeat(row.detail.length));
    if (row.type === "entry" && row.entry.kind === "event" && row.entry.event.event === "bind_token") {
      const { token } = row.entry.event;
      tokens.set(token, "*".repeat(token.length));
    }
  }
  const { product, device } = nameKeys(plan.platform);
  const known = new Map<string, string>();
  if (names) {
    const name = (value: string | undefined, as: string) => {
      if (value !== undefined && value !== "" && !known.has(value)) known.set(value, `${as}-${[...known.values()].filter((other) => other.startsWith(`${as}-`)).length + 1}`);
    };
    name(plan.settings[device], "device");
    name(plan.settings[product], "product");
    for (const identity of identities) name(identity, "device");
    for (const key of NAMING) name(plan.settings[key], key);
  }
  // The longest first: one name may begin with another.
  const pairs = [...tokens, ...known].sort(([a], [b]) => b.length - a.length);
  const found = pairs.length === 0 ? null : new RegExp(pairs.map(([text]) => pattern(text)).join("|"), "g");
  const by = new Map(pairs);
  return (text) => {
    const bare = text.replace(/(\b[a-z]{2,5}:\/\/[^\s"'\\<>?#]+)\?[^\s"'\\<>]*/gi, "$1?…").replace(/(\b[a-z]{2,5}:\/\/)[^\s"'\\/@]+@/gi, "$1");
    return found === null ? bare : bare.replace(found, (hit) => by.get(hit) ?? hit);
  };
}

/** A short name stands alone where it is one; a long one may be glued to other words, as in a string to sign. */
function pattern(text: string): string {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.length >= 5 ? escaped : `(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])`;
}
