// What came from outside, a file or a link, as it is shown before anything is done with it; and what is done with it
// once a person says so. Nothing of it ever starts by itself.

import type { FaultRule } from "../muster/types";
import { readBundle, type BundleUnread } from "./bundle";
import { readToml } from "./device-profile";
import { devices, type Session } from "./devices";
import { library } from "./library";
import { readLink, type LinkRefusal } from "./link";
import { isSecretSetting } from "./mask";
import { MOST, planOf, toGive, type Examined, type Fault, type NamedProfile } from "./named";
import { placesOf, type Page, type Place } from "./places";
import { readProfilesFile, type ProfilesUnread } from "./profile-file";
import { readParsed, type SessionFile, type Unreadable } from "./recording";

export type Item = {
  /** A device of a whole page, or a profile. */
  kind: "device" | "profile";
  name: string;
  profile: NamedProfile | null;
  faults: readonly Fault[];
  /** What nobody knows, and is left out. */
  unknown: readonly string[];
  label: string;
  /** What is armed, and the script, of a device of a whole page. */
  rules: readonly FaultRule[];
  script: string;
  recording: SessionFile | null;
  /** There is a timeline, and it cannot be read. */
  unplayed: Unreadable | null;
};

export type Incoming = {
  by: "link" | "file";
  file: string;
  exported: string;
  /** Whole pages are taken as a whole; of profiles a person says what to make. */
  page: boolean;
  items: readonly Item[];
  unknown: readonly string[];
};

export type Refused = LinkRefusal | ProfilesUnread | BundleUnread | Unreadable | { why: "too_large" | "not_ours" };

export function fromLink(hash: string): Incoming | Refused {
  const found = readLink(hash);
  if ("why" in found) return found;
  const items = found.profiles.map(({ profile, unknown }) => item({ name: profile.name, profile, faults: [], unknown }, "profile"));
  return { by: "link", file: "", exported: "", page: false, items, unknown: [] };
}

/** A file of any kind that the page writes, or a profile of `muster device`. A recording is handed back as it is. */
export function fromFile(text: string, file: string): Incoming | SessionFile | Refused {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    const name = file.replace(/\.[^.]*$/, "").slice(0, MOST.name) || "profile";
    const toml = /\.toml$/i.test(file) ? readToml(text, name) : null;
    return toml === null ? { why: "not_json" } : { by: "file", file, exported: "", page: false, items: [item(toml, "profile")], unknown: [] };
  }
  const format = typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>)["format"] : undefined;
  if (format === "muster-session") return readParsed(parsed);
  if (format === "muster-page") {
    const page = readBundle(parsed as Record<string, unknown>);
    if ("why" in page) return page;
    const devs = page.devices.map((device): Item => ({ ...item(device, "device"), label: device.label, rules: device.rules, script: device.script, recording: device.recording, unplayed: device.unplayed }));
    return { by: "file", file, exported: page.exported, page: true, items: [...devs, ...page.profiles.map((profile) => item(profile, "profile"))], unknown: page.unknown };
  }
  if (format === "muster-profiles") {
    const read = readProfilesFile(parsed as Record<string, unknown>);
    return "why" in read ? read : { by: "file", file, exported: read.exported, page: false, items: read.items.map((one) => item(one, "profile")), unknown: read.unknown };
  }
  return { why: "not_ours" };
}

function item({ name, profile, faults, unknown }: Examined, kind: Item["kind"]): Item {
  return { kind, name, profile, faults, unknown, label: "", rules: [], script: "", recording: null, unplayed: null };
}

/** Names of the secrets that it brings. */
export function secretsIn({ platform, settings }: NamedProfile): string[] {
  return Object.keys(settings).filter((key) => isSecretSetting(platform, key) || /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(settings[key] ?? ""));
}

export type Look = {
  places: readonly Place[];
  /** Settings that a person will have to give. */
  give: readonly string[];
  secrets: readonly string[];
  /** What saving it does to the saved profiles. */
  save: "add" | "replace" | "same";
  /** The device is on the list already. */
  there: Session | undefined;
};

export function lookAt(profile: NamedProfile, page: Page): Look {
  return {
    places: placesOf(profile.platform, profile.world, profile.settings),
    give: toGive(profile),
    secrets: secretsIn(profile),
    save: library.would(profile),
    there: devices.with(planOf(profile, page)),
  };
}

/** What became of devices that were taken: how many came and which was the last, how many had no place, and whose timeline could not be shown. */
export type Added = { added: number; last: Session | null; left: number; unshown: readonly string[] };

/** Puts the devices on the list, off. */
export function addDevices(items: readonly Item[], page: Page): Added {
  let added = 0;
  let left = 0;
  let last: Session | null = null;
  const unshown: string[] = [];
  for (const { profile, label, kind, rules, script, recording } of items) {
    if (profile === null) continue;
    const called = kind === "device" ? label : profile.name;
    const plan = planOf(profile, page);
    if (devices.room === 0 && devices.with(plan) === undefined) {
      left += 1;
      continue;
    }
    const made = devices.add({ ...plan, ...(rules.length > 0 && { faults: rules }), ...(script !== "" && { script }) }, { label: called, missing: profile.missing, keep: false });
    last = made.session;
    if (!made.added) continue;
    added += 1;
    try {
      if (recording !== null) made.session.precede(recording);
    } catch {
      // What passed every check and cannot be shown all the same keeps nobody else out.
      unshown.push(made.session.title);
    }
  }
  devices.keep();
  return { added, last, left, unshown };
}

/** Saves them; without their secrets, which no browser's storage gets. False if it has no room. */
export function saveProfiles(items: readonly Item[]): boolean {
  return library.save(...items.flatMap(({ profile }) => profile ?? []));
}
