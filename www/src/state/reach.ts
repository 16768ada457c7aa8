// What this browser can reach by itself, said before anything is tried; and what the relay's list holds.

import type { PlatformName } from "../muster/types";

/**
 * `direct`: a browser can. `cors`: only if the server lets web pages in, and no vendor's document says that it does.
 * `plain_tcp`, `mixed_content`: never. `unknown`: no address.
 */
export type Reach = "direct" | "cors" | "plain_tcp" | "mixed_content" | "unknown";

export type Page = { protocol: string; origin: string };

export function reach(url: string, page: Page): Reach {
  const scheme = /^([a-z]+):\/\/[^/\s]/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case "mqtt":
    case "mqtts":
      return "plain_tcp";
    case "ws":
    case "http":
      if (page.protocol === "https:" && !isLoopback(url)) return "mixed_content";
      return scheme === "ws" || url.startsWith(`${page.origin}/`) || url === page.origin ? "direct" : "cors";
    case "wss":
      return "direct";
    case "https":
      return url.startsWith(`${page.origin}/`) || url === page.origin ? "direct" : "cors";
    default:
      return "unknown";
  }
}

function isLoopback(url: string): boolean {
  return /^[a-z]+:\/\/(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])(?:[:/?#]|$)/i.test(url);
}

/** China Mobile's environments are addresses too. */
const CMCC: Record<string, string> = {
  production: "https://ivs.chinamobiledevice.com:11443",
  test: "https://62b98tux.cxzfdm.com:30101",
};

/** Where a device with these settings connects, as far as they say. Images come from wherever the cloud says. */
export function places(platform: PlatformName, settings: Record<string, string>): string[] {
  const given = (key: string) => (settings[key] ?? "").trim();
  switch (platform) {
    case "cmcc":
      return [given("base_url") || CMCC[given("environment") || "production"] || ""].filter((url) => url !== "");
    case "alibaba":
      return [given("broker"), given("registration") === "mqtt" || given("device_secret") !== "" ? "" : given("auth_url")].filter((url) => url !== "");
    default:
      return [given("broker")].filter((url) => url !== "");
  }
}

const USUAL: Record<string, number> = { http: 80, https: 443, mqtt: 1883, mqtts: 8883, ws: 80, wss: 443 };

/** Host and port, as the relay's list names them. */
export function hostPort(url: string): { host: string; port: number } | null {
  const found = /^([a-z]+):\/\/(?:[^/?#@]*@)?(\[[^\]]+\]|[^/?#:@]+)(?::(\d+))?(?:[/?#]|$)/i.exec(url.trim());
  if (found === null) return null;
  const port = found[3] === undefined ? USUAL[(found[1] ?? "").toLowerCase()] : Number(found[3]);
  return port === undefined ? null : { host: (found[2] ?? "").toLowerCase().replace(/\.$/, ""), port };
}

/** Whether the relay's list holds this address. A WebSocket goes straight, and needs no list. */
export function onList(allow: readonly string[], url: string): boolean {
  if (/^wss?:/i.test(url)) return true;
  const place = hostPort(url);
  if (place === null) return false;
  return allow.some((entry) => {
    const at = entry.lastIndexOf(":");
    const host = entry.slice(0, at);
    if (Number(entry.slice(at + 1)) !== place.port) return false;
    return host.startsWith("*.") ? place.host.endsWith(host.slice(1)) && place.host.length > host.length - 1 : place.host === host;
  });
}

/** Host and port as the relay takes them, and nothing that a shell would take for more than that. */
const ENTRY = /^(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]):\d{1,5}$/i;

/** How to start the relay so that it goes there: a person will paste it into a shell, and hosts come from strangers' files. */
export function startCommand(more: readonly string[] = []): string {
  return ["muster up --relay", ...[...new Set(more)].filter((entry) => ENTRY.test(entry)).map((entry) => `--relay-allow ${/[*[]/.test(entry) ? `"${entry}"` : entry}`)].join(" ");
}

/** What has to be added to the relay's list, by what it said against an address. Empty: nothing, or it is not known. */
export function toAllow(reason: string, url: string, detail: string | undefined): string[] {
  const place = hostPort(url);
  switch (reason) {
    case "relay_host":
      return place === null ? [] : [`${place.host}:${place.port}`];
    case "relay_address": {
      const found = /leads to ([0-9a-f.:, ]+), which/i.exec(detail ?? "")?.[1] ?? "";
      const addresses = found.split(", ").filter((address) => address !== "");
      const port = place?.port;
      return port === undefined ? [] : addresses.map((address) => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`));
    }
    case "relay_redirect": {
      const to = /redirects to (\S+), which/.exec(detail ?? "")?.[1];
      return to === undefined ? [] : [to];
    }
    default:
      return [];
  }
}
