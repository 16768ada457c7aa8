// Profiles as a file, `muster-profiles`: JSON that people read, compare and put under version control. Without secrets
// unless a person asked for them; what was left out is named.

import { MOST, examine, shownName, type Examined, type NamedProfile } from "./named";

export const PROFILES_FORMAT = "muster-profiles";
export const PROFILES_VERSION = 1;

export function profilesText(profiles: readonly NamedProfile[], now: Date, secrets: boolean): string {
  const items = profiles.map(({ name, platform, world, storage, settings, missing, relay }) => ({ name, platform, world, storage, settings, missing, ...(relay === true ? { relay } : {}) }));
  return `${JSON.stringify({ format: PROFILES_FORMAT, version: PROFILES_VERSION, exported: now.toISOString(), secrets, profiles: items }, null, 2)}\n`;
}

export type ProfilesUnread = { why: "not_json" | "not_profiles" | "too_many" } | { why: "newer"; version: number };

export type ProfilesFile = {
  exported: string;
  items: readonly Examined[];
  /** Members of the file that nobody knows. */
  unknown: readonly string[];
};

const KNOWN = new Set(["format", "version", "exported", "secrets", "profiles"]);

/** `file` is what the text parsed to. */
export function readProfilesFile(file: Record<string, unknown>): ProfilesFile | ProfilesUnread {
  if (file["format"] !== PROFILES_FORMAT || typeof file["version"] !== "number" || !Array.isArray(file["profiles"])) return { why: "not_profiles" };
  if (file["version"] !== PROFILES_VERSION) return { why: "newer", version: file["version"] };
  if (file["profiles"].length > MOST.profiles) return { why: "too_many" };
  return {
    exported: typeof file["exported"] === "string" ? file["exported"] : "",
    items: file["profiles"].map((item) => examine(item, "file")),
    unknown: Object.keys(file).filter((key) => !KNOWN.has(key)).map(shownName),
  };
}
