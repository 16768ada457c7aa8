// The devices of this page, as they are remembered beyond a reload: who they are and where they connect, never a
// secret. This tab's own list is in sessionStorage; devices whose secrets the browser keeps outlive the tab, and so do
// their profiles.

import type { DemoDevice, FaultRule, PlatformName, Storage } from "../muster/types";
import type { World } from "./clouds";
import { usableRules } from "./fault-rules";
import { isSecretSetting } from "./mask";
import { SETTINGS, nameKeys } from "./settings";

export type Profile = {
  platform: PlatformName;
  world: World;
  settings: Record<string, string>;
  storage: Storage;
  /** Settings that were there and are not remembered. */
  missing: readonly string[];
  /** What a person calls the device. */
  label?: string;
  /** By the relay. */
  relay?: boolean;
  /** What is armed whenever it starts. */
  faults?: readonly FaultRule[];
  /** Its script, as a person wrote it. */
  script?: string;
};

/** Devices of a page's list, and of a file. The list takes no more: what is read back is never cut. */
export const MOST_DEVICES = 500;
/** Characters of a script. */
export const LONGEST_SCRIPT = 64 * 1024;
const PLATFORMS: readonly string[] = ["ucloud", "cmcc", "krtyun", "alibaba"];
const WORLDS: readonly string[] = ["local", "tab", "real"];

/** What may be written down of a device. An address may carry a password or a token: both are left out, and missed. */
export function profileOf(plan: Omit<Profile, "missing">): Profile {
  const { platform, world, storage } = plan;
  const settings: Record<string, string> = {};
  const missing: string[] = [];
  for (const [key, value] of Object.entries(plan.settings)) {
    if (isSecretSetting(platform, key)) {
      if (value !== "") missing.push(key);
      continue;
    }
    const bare = SETTINGS[platform].find((setting) => setting.key === key)?.kind.type === "url" ? withoutSecrets(value) : value;
    if (bare !== value) missing.push(key);
    settings[key] = bare;
  }
  return { platform, world, storage, settings, missing, ...(plan.relay === true ? { relay: true } : {}), ...(plan.faults === undefined || plan.faults.length === 0 ? {} : { faults: plan.faults }), ...(plan.script === undefined || plan.script === "" ? {} : { script: plan.script }) };
}

function withoutSecrets(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, "$1").replace(/[?#].*$/s, "");
}

/** Reads what was written, by this or another version of the page: what is no profile is left out. */
export function readProfiles(text: string | null): Profile[] {
  if (text === null) return [];
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return [];
  }
  return Array.isArray(list) ? list.flatMap((item: unknown) => read(item) ?? []) : [];
}

function read(item: unknown): Profile | null {
  if (typeof item !== "object" || item === null) return null;
  const { platform, world, storage, settings, missing, label, relay, faults, script } = item as Record<string, unknown>;
  if (typeof platform !== "string" || !PLATFORMS.includes(platform) || typeof world !== "string" || !WORLDS.includes(world)) return null;
  if (storage !== "memory" && storage !== "browser") return null;
  if (typeof settings !== "object" || settings === null || !Array.isArray(missing)) return null;
  const pairs = Object.entries(settings).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  const rules = usableRules(faults, platform as PlatformName);
  const armed = rules.length === 0 ? {} : { faults: rules };
  const plan = { platform: platform as PlatformName, world: world as World, storage, settings: Object.fromEntries(pairs), relay: relay === true, ...armed, ...(typeof script === "string" && script !== "" && script.length <= LONGEST_SCRIPT ? { script } : {}) } as const;
  const profile = profileOf(plan);
  const called = typeof label === "string" && label !== "" ? { label: label.slice(0, 64) } : {};
  return { ...profile, ...called, missing: [...new Set([...profile.missing, ...missing.filter((key): key is string => typeof key === "string")])] };
}

/** Which device it is: two profiles of one key are the same one. */
export function profileKey({ platform, world, settings }: Pick<Profile, "platform" | "world" | "settings">): string {
  const { product, device } = nameKeys(platform);
  // China Mobile's environments are two places without an address.
  const preset = settings["environment"] === "test" ? "test" : "real";
  const place = world === "real" ? withoutSecrets(settings["broker"] ?? settings["base_url"] ?? preset) : world;
  return [platform, place, settings[product] ?? "", settings[device] ?? settings[product] ?? ""].join("/");
}

/** The settings with what the demo's product knows of the missing ones, and what only a person can add. */
export function completed(profile: Pick<Profile, "platform" | "settings" | "missing">, demo: DemoDevice | null | undefined): { settings: Record<string, string>; missing: string[] } {
  const { product } = nameKeys(profile.platform);
  const settings = { ...profile.settings };
  const same = demo != null && demo.settings[product] === settings[product];
  const missing = profile.missing.filter((key) => {
    // A device's own secret is not the demo's to give: without it the device would register anew.
    const known = same && key !== "device_secret" ? demo.settings[key] : undefined;
    if (known !== undefined && known !== "") settings[key] = known;
    return known === undefined || known === "";
  });
  return { settings, missing };
}

/** The list of all tabs with this tab's part of it. */
export function mergedProfiles(all: readonly Profile[], mine: readonly Profile[], gone: ReadonlySet<string>): Profile[] {
  const keys = new Set(mine.map(profileKey));
  const others = all.filter((profile) => !keys.has(profileKey(profile)) && !gone.has(profileKey(profile)));
  // None is dropped: nothing else in the browser leads to the secrets that it keeps of it.
  return [...others, ...mine.filter((profile) => profile.storage === "browser")];
}
