// The whole page as a file, `muster-page`: its devices with their timelines, and the saved profiles. A device's timeline
// in it is the `muster-session` that it would be alone.

import type { FaultRule } from "../muster/types";
import type { Session } from "./devices";
import { isWrong, readRules } from "./fault-rules";
import { MOST, examine, named, namedWithSecrets, shownName, type Examined, type NamedProfile } from "./named";
import { LONGEST_SCRIPT, profileOf } from "./profiles";
import { fileParts, readParsed, redaction, type SessionFile, type Unreadable } from "./recording";

export const PAGE_FORMAT = "muster-page";
export const PAGE_VERSION = 1;

export type BundleOptions = { timelines: boolean; secrets: boolean };

/** The text in parts: a page with long timelines need not be one string. */
export function* bundleParts(sessions: readonly Session[], profiles: readonly NamedProfile[], options: BundleOptions, now: Date): Generator<string> {
  const head = { format: PAGE_FORMAT, version: PAGE_VERSION, exported: now.toISOString(), secrets: options.secrets };
  yield `${JSON.stringify(head, null, 1).replace(/\n}$/, "")},\n "profiles": ${JSON.stringify(profiles.map(plain))},\n "devices": [`;
  let first = true;
  for (const session of sessions) {
    const make = options.secrets ? namedWithSecrets : named;
    const profile = make(session.title.slice(0, MOST.name) || session.plan.platform, session.plan);
    const missing = [...new Set([...profile.missing, ...session.missing])];
    const { faults, script } = profileOf(session.plan);
    const item = { ...plain({ ...profile, missing }), ...(session.label === "" ? {} : { label: session.label }), ...(faults && { faults }), ...(script !== undefined && { script }) };
    yield `${first ? "" : ","}\n  ${JSON.stringify(item).replace(/}$/, "")}`;
    first = false;
    if (options.timelines && session.log.rows.length > 0) {
      const identity = session.facts.identity?.device;
      const cover = redaction(session.plan, session.log.rows, identity === undefined ? [] : [identity], false);
      yield ',"recording":';
      yield* fileParts({ plan: session.plan, rows: session.log.rows, lives: [...session.lives, ...(session.owner?.lives ?? [])] }, now, cover);
    }
    yield "}";
  }
  yield "\n ]\n}\n";
}

function plain({ name, platform, world, storage, settings, missing, relay }: NamedProfile): NamedProfile {
  return { name, platform, world, storage, settings, missing, ...(relay === true ? { relay } : {}) };
}

export type BundleItem = Examined & { label: string; rules: readonly FaultRule[]; script: string; recording: SessionFile | null; unplayed: Unreadable | null };
export type Bundle = { exported: string; devices: readonly BundleItem[]; profiles: readonly Examined[]; unknown: readonly string[] };
export type BundleUnread = { why: "not_page" | "too_many" } | { why: "newer"; version: number };

const KNOWN = new Set(["format", "version", "exported", "secrets", "profiles", "devices"]);

/** `file` is what the text parsed to. */
export function readBundle(file: Record<string, unknown>): Bundle | BundleUnread {
  const { devices, profiles = [] } = file;
  if (file["format"] !== PAGE_FORMAT || typeof file["version"] !== "number" || !Array.isArray(devices) || !Array.isArray(profiles)) return { why: "not_page" };
  if (file["version"] !== PAGE_VERSION) return { why: "newer", version: file["version"] };
  if (devices.length + profiles.length > MOST.profiles) return { why: "too_many" };
  return {
    exported: typeof file["exported"] === "string" ? file["exported"] : "",
    devices: devices.map(readDevice),
    profiles: profiles.map((item) => examine(item, "file")),
    unknown: Object.keys(file).filter((key) => !KNOWN.has(key)).map(shownName),
  };
}

function readDevice(item: unknown): BundleItem {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return { ...examine(item, "file"), label: "", rules: [], script: "", recording: null, unplayed: null };
  const { recording, label, faults = [], script = "", ...rest } = item as Record<string, unknown>;
  const examined = examine({ ...rest, ...(label === undefined ? {} : { label }) }, "file");
  const armed = readRules(faults);
  const written = typeof script === "string" && script.length <= LONGEST_SCRIPT;
  // What is armed wrongly, or is no script, is left out and named.
  const found = { ...examined, unknown: [...examined.unknown, ...(isWrong(armed) ? ["faults"] : []), ...(written ? [] : ["script"])] };
  const more = { rules: isWrong(armed) ? [] : armed, script: written ? script : "" };
  const read = recording === undefined ? null : readParsed(recording);
  const called = typeof label === "string" ? shownName(label.slice(0, MOST.name)) : "";
  return read !== null && "why" in read ? { ...found, ...more, label: called, recording: null, unplayed: read } : { ...found, ...more, label: called, recording: read, unplayed: null };
}
