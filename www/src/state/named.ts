// A profile with a name: what is saved, written to files and carried by links. Whatever comes from outside is looked at
// here, setting by setting, by the same table that the settings dialog uses.

import type { PlatformName, Storage } from "../muster/types";
import type { Plan } from "./devices";
import type { World } from "./clouds";
import { isSecretSetting } from "./mask";
import { addressKeys, ownAddresses, placeOf, type Page } from "./places";
import { MOST_DEVICES, profileOf, type Profile } from "./profiles";
import { SETTINGS, cleaned, nameKeys, problems } from "./settings";

export type NamedProfile = Profile & { name: string };

export const MOST = { name: 64, value: 512, key: 64, profiles: MOST_DEVICES, fileBytes: 512 * 1024 * 1024 };

export const PLATFORM_NAMES: readonly PlatformName[] = ["ucloud", "cmcc", "krtyun", "alibaba"];
const WORLD_NAMES: readonly World[] = ["local", "tab", "real"];

export type FaultKind = "not_object" | "missing" | "not_text" | "control" | "long" | "choice" | "number" | "url" | "scheme" | "host" | "secret" | "user" | "query";

/** What is wrong with one member of one item. `key`: of the item itself where it is empty. */
export type Fault = { key: string; fault: FaultKind };

export type Examined = { name: string; unknown: readonly string[] } & ({ profile: NamedProfile; faults: readonly [] } | { profile: null; faults: readonly Fault[] });

/** What a link may not have, a file may: secrets, if its maker chose so, and numbers that are written as such. */
export type Strictness = "link" | "file";

/**
 * Characters that show something else than they are: control characters, marks of direction, what has no width.
 * A name made of them is not the name that a person reads.
 */
// eslint-disable-next-line no-control-regex
const DECEIVING = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff]|\p{Cs}/u;

export function isDeceiving(text: string): boolean {
  return DECEIVING.test(text);
}

/** A name of somebody else's, to be shown: short, and what it looks like. */
export function shownName(text: string): string {
  const plain = [...text].map((c) => (isDeceiving(c) ? "�" : c));
  return plain.length > 40 ? `${plain.slice(0, 39).join("")}…` : plain.join("");
}

const KNOWN = new Set(["name", "platform", "world", "storage", "settings", "missing", "label", "relay"]);

export function examine(item: unknown, how: Strictness): Examined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return { name: "", unknown: [], profile: null, faults: [{ key: "", fault: "not_object" }] };
  const found = item as Record<string, unknown>;
  const faults: Fault[] = [];
  const unknown = Object.keys(found).filter((key) => !KNOWN.has(key));
  const fault = (key: string, kind: FaultKind) => {
    faults.push({ key, fault: kind });
  };

  const text = (key: string, most: number): string => {
    const value = found[key];
    if (value === undefined) fault(key, "missing");
    else if (typeof value !== "string") fault(key, "not_text");
    else if (isDeceiving(value)) fault(key, "control");
    else if (value.length > most) fault(key, "long");
    else return value.trim();
    return "";
  };
  const name = text("name", MOST.name);
  if (name === "" && !faults.some(({ key }) => key === "name")) fault("name", "missing");
  const one = <T extends string>(key: string, values: readonly T[], fallback?: T): T | undefined => {
    const value = found[key] ?? fallback;
    const known = values.find((v) => v === value);
    if (known === undefined) fault(key, value === undefined ? "missing" : "choice");
    return known;
  };
  const platform = one("platform", PLATFORM_NAMES);
  const world = one("world", WORLD_NAMES);
  const storage = one<Storage>("storage", ["memory", "browser"], "memory");
  const { settings: given, missing: lacking = [], relay = false } = found;
  if (typeof relay !== "boolean") fault("relay", "choice");
  if (typeof given !== "object" || given === null || Array.isArray(given)) fault("settings", given === undefined ? "missing" : "not_object");
  if (!Array.isArray(lacking)) fault("missing", "not_object");
  const shown = shownName(typeof found["name"] === "string" ? found["name"] : "");
  if (platform === undefined || world === undefined || storage === undefined || typeof given !== "object" || given === null || Array.isArray(given) || !Array.isArray(lacking)) return { name: shown, unknown: unknown.map(shownName), profile: null, faults };

  const settings: Record<string, string> = {};
  for (const [key, raw] of Object.entries(given as Record<string, unknown>)) {
    const setting = SETTINGS[platform].find((s) => s.key === key);
    if (setting === undefined) {
      unknown.push(`settings.${key}`);
      continue;
    }
    const value = how === "file" && (typeof raw === "number" || typeof raw === "boolean") ? String(raw) : raw;
    const wrong = wrongValue(platform, key, value, how);
    if (wrong !== null) fault(key, wrong);
    else settings[key] = (value as string).trim();
  }
  for (const { key, problem } of problems(SETTINGS[platform].map((s) => ({ ...s, required: false })), settings)) if (problem !== "required" && !faults.some((f) => f.key === key)) fault(key, problem);
  const missing: string[] = [];
  for (const key of lacking as unknown[]) {
    const known = typeof key === "string" && SETTINGS[platform].some((s) => s.key === key && (isSecretSetting(platform, key) || s.kind.type === "url"));
    if (known) missing.push(key as string);
    else unknown.push(`missing: ${typeof key === "string" ? key : typeof key}`);
  }
  const rest = unknown.map(shownName);
  if (faults.length > 0) return { name: shown, unknown: rest, profile: null, faults };
  // Of this page's own clouds the addresses are this page's.
  if (world !== "real") for (const key of addressKeys(platform)) delete settings[key];
  const tidy = cleaned(platform, settings);
  return { name, unknown: rest, faults: [], profile: { name, platform, world, storage, settings: tidy, missing: lackingOf(platform, world, tidy, missing), ...byRelay(world, relay === true) } };
}

/** Only real clouds are reached by the relay. */
const byRelay = (world: World, relay: boolean | undefined) => (world === "real" && relay === true ? { relay: true } : {});

/** An address may be there and yet be missed: without its password. Of the page's own clouds none is. */
export function lackingOf(platform: PlatformName, world: World, settings: Record<string, string>, missing: readonly string[]): string[] {
  const address = (key: string) => addressKeys(platform).includes(key);
  return [...new Set(missing)].filter((key) => (address(key) ? world === "real" : settings[key] === undefined));
}

function wrongValue(platform: PlatformName, key: string, value: unknown, how: Strictness): FaultKind | null {
  if (typeof value !== "string") return "not_text";
  if (isDeceiving(value)) return "control";
  if (value.length > MOST.value) return "long";
  if (how === "link" && isSecretSetting(platform, key) && value !== "") return "secret";
  const { kind } = SETTINGS[platform].find((s) => s.key === key) ?? { kind: { type: "text" } as const };
  if (value.trim() === "") return null;
  if (kind.type === "choice" && !kind.values.includes(value.trim())) return "choice";
  if (kind.type === "flag" && value !== "true" && value !== "false") return "choice";
  if (kind.type !== "url") return null;
  // Who reads `https://vendor@elsewhere/` reads the wrong host.
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]*@/i.test(value.trim())) return how === "link" ? "user" : null;
  if (how === "link" && /[?#]/.test(value)) return "query";
  if (/[\\\s]/.test(value.trim())) return "url";
  // What is no address at all is found by the dialog's own check.
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(value.trim()) && placeOf(platform, value) === null ? "host" : null;
}

/** A device's settings under a name, without secrets. */
export function named(name: string, plan: Plan): NamedProfile {
  const { platform, world, storage, settings, missing, relay } = profileOf(plan);
  const mine = { ...settings };
  const own = plan.world === "real" ? [] : addressKeys(plan.platform);
  for (const key of own) delete mine[key];
  return { name, platform, world, storage, settings: cleaned(platform, mine), missing: missing.filter((key) => !own.includes(key)), ...byRelay(world, relay) };
}

/** The same with its secrets, for a file that a person asked for. */
export function namedWithSecrets(name: string, plan: Plan): NamedProfile {
  const settings = { ...plan.settings };
  if (plan.world !== "real") for (const key of addressKeys(plan.platform)) delete settings[key];
  return { name, platform: plan.platform, world: plan.world, storage: plan.storage, settings: cleaned(plan.platform, settings), missing: [], ...byRelay(plan.world, plan.relay) };
}

/** What a device of this page is made of. */
export function planOf(profile: Profile, page: Page): Plan {
  const { platform, world, storage, settings, relay } = profile;
  return { platform, world, storage, settings: { ...settings, ...ownAddresses(platform, world, page) }, ...byRelay(world, relay) };
}

/** Settings that a person still has to give: secrets that were left out, and what the platform cannot do without. */
export function toGive(profile: Profile): string[] {
  const { platform, world, settings, missing } = profile;
  const own = world === "real" ? [] : addressKeys(platform);
  const needed = problems(SETTINGS[platform], settings).flatMap(({ key, problem }) => (problem === "required" && !own.includes(key) ? [key] : []));
  return [...new Set([...missing, ...needed])];
}

/** What a device is called if nobody gave it a name. */
export function nameFor(plan: Pick<Plan, "platform" | "settings">): string {
  const { product, device } = nameKeys(plan.platform);
  const name = plan.settings[device] ?? plan.settings[product] ?? "";
  return (name === "" || isDeceiving(name) ? plan.platform : name).slice(0, MOST.name);
}

/** The name, or the first free one after it. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  for (let i = 2; ; i += 1) {
    const end = ` (${i})`;
    const next = `${name.slice(0, MOST.name - end.length)}${end}`;
    if (!taken.has(next)) return next;
  }
}

/** Two profiles that are the same but for their names. */
export function sameProfile(a: Profile, b: Profile): boolean {
  const key = ({ platform, world, storage, settings, missing, relay = false }: Profile) => JSON.stringify([platform, world, storage, relay, Object.entries(settings).sort(), [...missing].sort()]);
  return key(a) === key(b);
}
