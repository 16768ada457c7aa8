// Devices that may be bound: where they were heard of, and why one cannot be.

import type { Bindable, DeviceNameOf, DeviceView, DiscoveredDevice, Error, ProductView } from "../muster/types";

export function nameOf({ product_key, device_name }: DeviceNameOf): string {
  return `${product_key}/${device_name}`;
}

export function sameDevice(a: DeviceNameOf, b: DeviceNameOf): boolean {
  return a.product_key === b.product_key && a.device_name === b.device_name;
}

export type Pasted = { devices: DeviceNameOf[]; wrong: string[] };

/**
 * What people have at hand, one a line: `productKey/deviceName`, the two with a comma or a space between them, JSON,
 * or the text of a QR code: an address whose query names them (`pk` and `dn`, or in full). No document of the vendor's
 * describes the QR code: the short names are assumed.
 */
export function pasted(text: string): Pasted {
  const out: Pasted = { devices: [], wrong: [] };
  for (const line of text.split(/\r?\n/).map((part) => part.trim())) {
    if (line === "") continue;
    const found = readLine(line);
    if (found === null) out.wrong.push(line);
    else if (!out.devices.some((device) => sameDevice(device, found))) out.devices.push(found);
  }
  return out;
}

const PRODUCT = /^[A-Za-z0-9]{1,32}$/;
const DEVICE = /^[\w\-.@:]{1,64}$/;

function readLine(line: string): DeviceNameOf | null {
  if (line.startsWith("{")) return readJson(line);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(line)) return readAddress(line);
  const parts = line.split(/[\s,;/]+/);
  return parts.length === 2 ? checked(parts[0], parts[1]) : null;
}

function readJson(line: string): DeviceNameOf | null {
  try {
    const { productKey, deviceName, product_key, device_name } = JSON.parse(line) as Record<string, unknown>;
    return checked(productKey ?? product_key, deviceName ?? device_name);
  } catch {
    return null;
  }
}

function readAddress(line: string): DeviceNameOf | null {
  const query = new URLSearchParams(line.replace(/^[^?#]*[?#]?/, "").replaceAll("#", "&").replaceAll("?", "&"));
  const first = (...names: string[]) => names.map((name) => query.get(name)).find((value) => value !== null);
  return checked(first("pk", "productKey", "product_key"), first("dn", "deviceName", "device_name"));
}

function checked(product: unknown, device: unknown): DeviceNameOf | null {
  if (typeof product !== "string" || typeof device !== "string") return null;
  return PRODUCT.test(product) && DEVICE.test(device) ? { product_key: product, device_name: device } : null;
}

// ---------- why not ----------

export type WhyNot =
  | "no_product"
  | "no_device"
  | "disabled"
  | "mine"
  | "others"
  | "unpublished"
  /** The cloud knows it and leaves it out: only its operator could say why. */
  | "left_out";

export type Verdict =
  | { ok: true; info: Bindable }
  /** `code`: the vendor's. `asked`: the cloud answered it just now; else it is what a bind would be answered. */
  | { ok: false; why: WhyNot; code: string | null; asked: boolean };

/** What the cloud's operator sees; for clouds that we operate. */
export type Inside = { identity: string; product: ProductView | undefined; device: DeviceView | undefined };

/**
 * Why the filter left a device out. It says nothing about it itself, so the names are asked about with
 * `/awss/token/check` under a token that nobody has (`probe`: how that was refused), which tells unknown products and
 * devices; the rest is known inside the cloud alone.
 */
export function judge(device: DeviceNameOf, bindable: readonly Bindable[], scopeAll: boolean, probe: Error | null, inside: Inside | null): Verdict {
  const info = bindable.find((one) => sameDevice(one.device, device));
  if (info !== undefined) return { ok: true, info };
  const code = probe?.blame === "rejected" && probe.by.how === "code" ? probe.by.code : null;
  if (code === "5005") return { ok: false, why: "no_product", code, asked: true };
  if (code === "6100") return { ok: false, why: "no_device", code, asked: true };
  if (code === "6204") return { ok: false, why: "disabled", code, asked: true };
  if (inside === null) return { ok: false, why: "left_out", code: null, asked: false };
  if (inside.product === undefined) return { ok: false, why: "no_product", code: "5005", asked: false };
  if (inside.device === undefined) return { ok: false, why: "no_device", code: "6100", asked: false };
  if (inside.device.state === "disabled") return { ok: false, why: "disabled", code: "6204", asked: false };
  const owner = inside.device.more["owner"];
  // To the same owner a bind succeeds again.
  if (owner === inside.identity) return { ok: false, why: "mine", code: null, asked: false };
  if (owner !== undefined) return { ok: false, why: "others", code: "2066", asked: false };
  if (!scopeAll && inside.product.switches["published"] === "false") return { ok: false, why: "unpublished", code: null, asked: false };
  return { ok: false, why: "left_out", code: null, asked: false };
}

/** The token that nobody has. */
export const NOBODYS_TOKEN = "00000000000000000000000000000000";

// ---------- the list ----------

export type Source = "page" | "cloud" | "pasted";
export type Enrollee = { device: DeviceNameOf; from: readonly Source[]; item: DiscoveredDevice | null };

/** One row for each device, wherever it was heard of. */
export function enrollees(page: readonly DeviceNameOf[], cloud: readonly DiscoveredDevice[], written: readonly DeviceNameOf[]): Enrollee[] {
  const rows = new Map<string, { device: DeviceNameOf; from: Source[]; item: DiscoveredDevice | null }>();
  const add = (device: DeviceNameOf, from: Source, item: DiscoveredDevice | null) => {
    const key = nameOf(device);
    const row = rows.get(key) ?? { device, from: [], item: null };
    if (!row.from.includes(from)) row.from.push(from);
    row.item ??= item;
    rows.set(key, row);
  };
  for (const device of page) add(device, "page", null);
  for (const item of cloud) add(item.enrollee, "cloud", item);
  for (const device of written) add(device, "pasted", null);
  return [...rows.values()];
}
