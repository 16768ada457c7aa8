// Where a profile connects: the addresses of the page's own clouds, which no file or link carries, and what can be said
// of an address that came from somewhere else before anything goes there.

import type { PlatformName } from "../muster/types";
import type { World } from "./clouds";
import { SETTINGS } from "./settings";

/** The clouds in the tab have no network: these names stand for them, as in src/web/tab.rs. */
const TAB = { ws: "ws://tab.invalid", http: "http://tab.invalid" };

export type Page = { origin: string; host: string; protocol: string };

/** Settings that hold an address. */
export function addressKeys(platform: PlatformName): readonly string[] {
  return SETTINGS[platform].filter(({ kind }) => kind.type === "url").map(({ key }) => key);
}

/** The addresses of this page's own clouds. None for real ones: those are a person's to give. */
export function ownAddresses(platform: PlatformName, world: World, page: Page): Record<string, string> {
  if (world === "real") return {};
  const ws = world === "tab" ? TAB.ws : `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}`;
  const http = world === "tab" ? TAB.http : page.origin;
  const broker = `${ws}/mqtt/${platform}`;
  switch (platform) {
    case "cmcc":
      return { base_url: http };
    case "alibaba":
      return { broker, auth_url: http };
    default:
      return { broker };
  }
}

/** Domains that the vendors' documents name (docs/protocols, docs/device.md). */
const DOMAINS: Record<PlatformName, readonly string[]> = {
  ucloud: ["ucloud.cn"],
  cmcc: ["chinamobiledevice.com", "62b98tux.cxzfdm.com"],
  krtyun: ["krtyun.com"],
  alibaba: ["aliyuncs.com", "aliyun.com"],
};

/** The document's two addresses, which hold unless there is a `base_url` (src/platform/cmcc/mod.rs). */
const CMCC: Record<string, string> = { production: "ivs.chinamobiledevice.com:11443", test: "62b98tux.cxzfdm.com:30101" };

export type Whose = "vendor" | "here" | "other";

export type Place = {
  /** As a network sees it: ASCII, with the port where one is given. */
  host: string;
  /** With the letters that somebody wrote, if they are others than those of `host`. */
  written: string | null;
  whose: Whose;
};

/** What an address leads to. Null if it is none. */
export function placeOf(platform: PlatformName, address: string): Place | null {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)/i.exec(address.trim());
  if (match === null) return null;
  const authority = (match[2] ?? "").replace(/^.*@/s, "");
  let url: URL;
  try {
    // The rules for hosts are those of the web's own schemes; of `mqtt:` nobody knows them.
    url = new URL(`https://${authority}/`);
  } catch {
    return null;
  }
  if (url.hostname === "") return null;
  const port = /:(\d+)$/.exec(authority)?.[1];
  const host = port === undefined ? url.hostname : `${url.hostname}:${port}`;
  const written = authority.replace(/:\d+$/, "").toLowerCase();
  return { host, written: written === url.hostname ? null : written, whose: whose(platform, url.hostname) };
}

function whose(platform: PlatformName, hostname: string): Whose {
  if (hostname === "localhost" || hostname === "[::1]" || /^127\./.test(hostname)) return "here";
  return DOMAINS[platform].some((domain) => hostname === domain || hostname.endsWith(`.${domain}`)) ? "vendor" : "other";
}

/** All places that a device with these settings would connect to, each once. */
export function placesOf(platform: PlatformName, world: World, settings: Record<string, string>): Place[] {
  if (world !== "real") return [];
  const addresses = addressKeys(platform).flatMap((key) => settings[key] ?? []);
  const found = addresses.flatMap((address) => placeOf(platform, address) ?? []);
  const preset = CMCC[settings["environment"] ?? "production"];
  if (platform === "cmcc" && found.length === 0 && preset !== undefined) found.push({ host: preset, written: null, whose: "vendor" });
  return found.filter((place, at) => found.findIndex((other) => other.host === place.host) === at);
}
