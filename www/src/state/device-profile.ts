// A profile as `muster device` reads it (docs/device.md): TOML of flat keys, and the command line that goes with it.
// Without secrets: their places are marked, for a person to fill in where nobody else looks.

import type { PlatformName } from "../muster/types";
import type { Examined, NamedProfile } from "./named";
import { examine, toGive } from "./named";
import { SETTINGS } from "./settings";

const quoted = (text: string) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");
const bareKey = (key: string) => (/^[A-Za-z0-9_-]+$/.test(key) ? key : quoted(key));

/** Null for the clouds in the tab: no terminal reaches them. */
export function profileToml(profile: NamedProfile): string | null {
  if (profile.world === "tab") return null;
  const lines = [`# ${profile.name}`, `platform = ${quoted(profile.platform)}`];
  for (const { key } of SETTINGS[profile.platform]) {
    const value = profile.settings[key];
    if (value !== undefined) lines.push(`${bareKey(key)} = ${quoted(value)}`);
  }
  // An address without its password is there, and missed.
  for (const key of toGive(profile)) if (profile.settings[key] === undefined) lines.push(`# ${bareKey(key)} = ""`);
  return `${lines.join("\n")}\n`;
}

export function profileFileName(profile: NamedProfile): string {
  return `${profile.name.replace(/[^\w.-]+/g, "_").replace(/^\.+/, "") || profile.platform}.toml`;
}

const shell = (text: string) => (/^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/**
 * The command that runs the same device. On the local clouds their demo fills in addresses and the product's secret; on
 * a real one the settings are in the file. Null for the clouds in the tab.
 */
export function profileCommand(profile: NamedProfile, local: string): string | null {
  const { platform, world, settings } = profile;
  if (world === "tab") return null;
  if (world === "real") return `muster device --platform ${platform} --config ${shell(profileFileName(profile))}`;
  const sets = SETTINGS[platform].flatMap(({ key }) => (settings[key] === undefined ? [] : ` --set ${shell(`${key}=${settings[key]}`)}`));
  return `muster device --platform ${platform}${local}${sets.join("")}`;
}

/** Reads such a file. Tables are the host's own part: they are named as left out. Null if it is none. */
export function readToml(text: string, name: string): Examined | null {
  const settings: Record<string, string> = {};
  const tables: string[] = [];
  let platform = "";
  for (const raw of text.replace(/^\ufeff/, "").split(/\r\n|\n/)) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const table = /^\[\[?\s*([^\]]+?)\s*\]/.exec(line);
    if (table !== null) tables.push(`[${table[1] ?? ""}]`);
    if (tables.length > 0) continue;
    const [, key = "", value = ""] = /^("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*'|[+-]?\d[\d_]*|true|false)\s*(?:#.*)?$/.exec(line) ?? [];
    const read = [/^["']/.test(key) ? unquoted(key) : key, unquoted(value)];
    if (key === "" || read[0] === null || read[1] === null) return null;
    const [k = "", v = ""] = read as string[];
    if (k === "platform") platform = v;
    else settings[k] = v;
  }
  if (platform === "") return null;
  const found = examine({ name, platform, world: "real", storage: "memory", settings, missing: absent(platform, settings) }, "file");
  return { ...found, unknown: [...found.unknown, ...tables] };
}

function absent(platform: string, settings: Record<string, string>): string[] {
  const list = Object.hasOwn(SETTINGS, platform) ? SETTINGS[platform as PlatformName] : [];
  const secrets = list.filter(({ kind }) => kind.type === "secret").map(({ key }) => key);
  // One secret is enough for every platform; which one, the core says.
  return secrets.some((key) => (settings[key] ?? "") !== "") ? [] : secrets.slice(0, 1);
}

function unquoted(text: string): string | null {
  if (text.startsWith("'")) return text.slice(1, -1);
  if (!text.startsWith('"')) return /^[+-]?\d/.test(text) ? text.replaceAll("_", "") : text;
  try {
    // TOML's \UXXXXXXXX and \e are not JSON's; nobody needs them in a setting.
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}

