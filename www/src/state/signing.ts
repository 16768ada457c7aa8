// What a signed call was signed over, with which secret, and by which clock. The string of an owner's call comes with
// the entry; that of a device's login and registration is put together here from what travels in the clear, as
// src/platform/alibaba/credentials.rs does. No secret takes part: a signature is never computed here.

import type { Entry, PlatformName } from "../muster/types";

export type Clock =
  /** The signature covers no time. */
  | { kind: "none" }
  /** The time that the vendor's SDKs send where there is no clock. */
  | { kind: "fixed" }
  /** `drift`: milliseconds by which it is behind the moment of sending; negative: ahead of it. */
  | { kind: "wall"; unix: number; drift: number; field: "client_id" | "x_ca_timestamp" | "date" };

export type Signed = {
  key: "device_secret" | "product_secret" | "app_secret";
  method: string;
  string: string;
  clock: Clock;
  nonce: string | null;
  /** The cloud's clock by its answer, against this machine's: milliseconds that it is ahead. */
  server: number | null;
};

/** 2050-01-01, as credentials.rs has it. */
const FIXED = 2_524_608_000_000;

/** Null: this entry carries no signature. `answer`: what came back, if it did. */
export function signedBy(entry: Entry, platform: PlatformName, answer?: Entry): Signed | null {
  if (platform !== "alibaba") return null;
  if (entry.kind === "mqtt" && entry.packet.type === "CONNECT") return login(entry.packet.client_id ?? "", entry.packet.username ?? "", entry.unix);
  if (entry.kind !== "http" || entry.direction !== "up") return null;
  const { message } = entry;
  if (message.string_to_sign !== undefined) return call(message.string_to_sign, message.headers, entry.unix, serverClock(answer));
  if (/\/auth\/register\//.test(message.url ?? "")) return form(message.payload?.text ?? "");
  return null;
}

function login(clientId: string, username: string, sent: number): Signed | null {
  const [, name = "", list = ""] = /^([^|]*)\|(.*)\|$/s.exec(clientId) ?? [];
  const fields = new Map(list.split(",").map((field) => [field.split("=", 1)[0]?.toLowerCase() ?? "", field.slice(field.indexOf("=") + 1)] as const));
  const at = username.lastIndexOf("&");
  const [device, product] = [username.slice(0, at), username.slice(at + 1)];
  const type = fields.get("authtype");
  // Who logs in with a token signs nothing.
  if (name === "" || at < 0 || type === "connwl") return null;
  const method = fields.get("signmethod") ?? "";
  if (type === "register" || type === "regnwl") {
    const random = fields.get("random") ?? "";
    return { key: "product_secret", method, string: `deviceName${device}productKey${product}random${random}`, clock: { kind: "none" }, nonce: random, server: null };
  }
  const timestamp = fields.get("timestamp");
  const string = `clientId${name}deviceName${device}productKey${product}${timestamp === undefined ? "" : `timestamp${timestamp}`}`;
  return { key: "device_secret", method, string, clock: timestamp === undefined ? { kind: "none" } : clockOf(timestamp, sent, "client_id"), nonce: null, server: null };
}

function form(body: string): Signed | null {
  const fields = new URLSearchParams(body);
  const [device, product, random] = ["deviceName", "productKey", "random"].map((name) => fields.get(name));
  if (device == null || product == null || random == null) return null;
  return { key: "product_secret", method: fields.get("signMethod") ?? "", string: `deviceName${device}productKey${product}random${random}`, clock: { kind: "none" }, nonce: random, server: null };
}

function call(string: string, headers: readonly [string, string][], sent: number, server: number | null): Signed {
  const header = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  const [stamp, date] = [header("x-ca-timestamp"), header("date")];
  const clock: Clock = stamp !== undefined ? clockOf(stamp, sent, "x_ca_timestamp") : date !== undefined ? clockOf(String(Date.parse(date)), sent, "date") : { kind: "none" };
  return { key: "app_secret", method: header("x-ca-signature-method") ?? "HmacSHA256", string, clock, nonce: header("x-ca-nonce") ?? null, server };
}

function clockOf(text: string, sent: number, field: (Clock & { kind: "wall" })["field"]): Clock {
  const value = Number(text);
  if (!/^\d+$/.test(text)) return { kind: "none" };
  if (value === FIXED) return { kind: "fixed" };
  // Some SDKs count seconds.
  const unix = value < 100_000_000_000 ? value * 1_000 : value;
  return { kind: "wall", unix, drift: sent - unix, field };
}

function serverClock(answer: Entry | undefined): number | null {
  if (answer?.kind !== "http") return null;
  const date = Date.parse(answer.message.headers.find(([name]) => name.toLowerCase() === "date")?.[1] ?? "");
  // The header counts whole seconds.
  return Number.isNaN(date) ? null : date - Math.floor(answer.unix / 1_000) * 1_000;
}
