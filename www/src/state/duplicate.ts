// Another device like this one: its product, its settings, the next name that is free, and nothing of its secrets.

import type { FaultRule, PlatformName } from "../muster/types";
import type { Plan } from "./devices";
import { luhn } from "./luhn";
import { nameKeys, withDevice } from "./settings";

/** The next name after `name` that nobody has; first those that the cloud offers. */
export function nextName(platform: PlatformName, name: string, taken: ReadonlySet<string>, offered: readonly string[]): string {
  const free = offered.find((other) => !taken.has(other) && sameKind(platform, name, other));
  if (free !== undefined) return free;
  let next = name;
  for (let i = 0; i <= taken.size; i += 1) {
    next = after(platform, next);
    if (!taken.has(next)) return next;
  }
  return next;
}

/** China Mobile's numbers are of three kinds, and a product takes one of them. */
function sameKind(platform: PlatformName, a: string, b: string): boolean {
  const kind = (name: string) => (/^11\d{13}$/.test(name) ? "CMEI" : /^\d{15}$/.test(name) ? "IMEI" : "SN");
  return platform !== "cmcc" || kind(a) === kind(b);
}

function after(platform: PlatformName, name: string): string {
  if (platform === "cmcc" && /^\d{15}$/.test(name)) {
    // Eight digits of a TAC or TUI stay; six of the serial number count; the last one checks.
    const serial = (Number(name.slice(8, 14)) + 1) % 1_000_000;
    const body = `${name.slice(0, 8)}${String(serial).padStart(6, "0")}`;
    return `${body}${luhn(body).check}`;
  }
  const [, front = "", digits] = /^(.*?)(\d+)$/.exec(name) ?? [];
  if (digits === undefined) return `${name}-2`;
  // As text: a DeviceSN may have more digits than a number can hold.
  const next = (BigInt(digits) + 1n).toString().padStart(digits.length, "0");
  return `${front}${next}`;
}

/** The plan of the other device, and which of its secrets only a person can give. */
export function duplicated(plan: Plan, missing: readonly string[], taken: ReadonlySet<string>, offered: readonly string[]): { plan: Plan; missing: string[] } {
  const { platform } = plan;
  const { device, product } = nameKeys(platform);
  const name = nextName(platform, plan.settings[device] ?? plan.settings[product] ?? platform, taken, offered);
  const settings = withDevice(platform, plan.settings, name);
  // A number of the product serves for one device alone.
  delete settings["device_no_from"];
  const own = (settings["device_secret"] ?? "") !== "" || missing.includes("device_secret");
  delete settings["device_secret"];
  const lacking = missing.filter((key) => key !== "device_secret");
  const without = (settings["product_secret"] ?? "") === "" && !lacking.includes("product_secret");
  // Its faults go along, and begin anew.
  const faults = plan.faults === undefined ? {} : { faults: plan.faults.map(({ seen: _seen, struck: _struck, ...rule }) => rule as FaultRule) };
  return { plan: { ...plan, settings, ...faults }, missing: own && without ? [...lacking, "device_secret"] : lacking };
}
