// A link that carries profiles in the fragment of its address, which browsers do not send to servers. Never a secret:
// they are left out when it is made, and a link that has one is refused. Nothing happens when one is opened but that it
// is shown.
//
// `#/open/1.<base64url of JSON>`: a list of `[name, platform, world, settings, missing]`,
// and `true` behind them if it goes by the relay. Where secrets are kept is the
// receiver's choice, and of the page's own clouds the addresses are the receiver's.

import { ROUTE } from "./link-hash";
import { addressKeys } from "./places";
import { examine, lackingOf, named, type Fault, type NamedProfile } from "./named";

export const LINK_VERSION = 1;
/** Longer ones are cut by mail, chat and some browsers. */
export const LONGEST = 8_000;
export const MOST_IN_LINK = 20;

export type LinkRefusal =
  | { why: "too_long" | "malformed" | "empty" | "too_many" }
  | { why: "newer"; version: string }
  | { why: "item"; number: number; name: string; faults: readonly Fault[] };

export type Opened = { profiles: readonly { profile: NamedProfile; unknown: readonly string[] }[] };

/** Null if it would be too long: a file is the way then. */
export function linkOf(profiles: readonly NamedProfile[], page: string): string | null {
  if (profiles.length === 0 || profiles.length > MOST_IN_LINK) return null;
  // Once more without secrets, whoever made them.
  const bare = profiles.map(({ name, missing: before, ...plan }) => {
    const { settings, missing } = named(name, plan);
    return [name, plan.platform, plan.world, settings, lackingOf(plan.platform, plan.world, settings, [...before, ...missing]), ...(plan.world === "real" && plan.relay === true ? [true] : [])];
  });
  const payload = encode(JSON.stringify(bare));
  return payload.length > LONGEST ? null : `${page.replace(/#.*$/s, "")}${ROUTE}${LINK_VERSION}.${payload}`;
}

export function readLink(hash: string): Opened | LinkRefusal {
  const payload = hash.slice(ROUTE.length);
  if (payload.length > LONGEST + 8) return { why: "too_long" };
  const [, version, body] = /^(\d{1,6})\.([A-Za-z0-9_-]*)$/.exec(payload) ?? [];
  if (version === undefined || body === undefined) return { why: "malformed" };
  if (version !== String(LINK_VERSION)) return { why: "newer", version };
  let list: unknown;
  try {
    list = JSON.parse(decode(body));
  } catch {
    return { why: "malformed" };
  }
  if (!Array.isArray(list)) return { why: "malformed" };
  if (list.length === 0) return { why: "empty" };
  if (list.length > MOST_IN_LINK) return { why: "too_many" };
  const profiles: { profile: NamedProfile; unknown: readonly string[] }[] = [];
  for (const [at, item] of list.entries()) {
    if (!Array.isArray(item) || (item.length !== 5 && (item.length !== 6 || item[5] !== true))) return { why: "item", number: at + 1, name: "", faults: [{ key: "", fault: "not_object" }] };
    const [name, platform, world, settings, missing] = item as unknown[];
    const found = examine({ name, platform, world, settings, missing, ...(item.length === 6 ? { relay: true } : {}) }, "link");
    if (found.profile === null) return { why: "item", number: at + 1, name: found.name, faults: found.faults };
    // An address that is of no use here was not ours to carry either.
    const odd = world === "real" ? [] : addressKeys(found.profile.platform).filter((key) => Object.hasOwn(settings as object, key)).map((key) => `settings.${key}`);
    profiles.push({ profile: found.profile, unknown: [...found.unknown, ...odd] });
  }
  return { profiles };
}

function encode(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function decode(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (c) => c.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

