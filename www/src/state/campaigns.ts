// Orders to update, gathered into campaigns: all orders of one module to one version. A device has one order a module,
// so a later order takes it out of the earlier campaign. The clouds know no campaigns; vendors' consoles show them so.

import type { FirmwareView, PlatformName, UpgradeView } from "../muster/types";
import { compareVersions } from "./roster";

/** In the order in which an update goes through them. */
export const STAGES = ["pending", "sent", "downloading", "upgrading", "succeeded", "failed", "cancelled"] as const;
export type Stage = (typeof STAGES)[number];

export type Cause = { cause: string; devices: readonly string[] };

export type Campaign = {
  key: string;
  /** null: the default one. */
  module: string | null;
  version: string;
  orders: readonly UpgradeView[];
  counts: Readonly<Record<Stage, number>>;
  /** Orders that are not over. */
  open: number;
  /** Of all its downloads under way, how far they are on average; null: none tells. */
  percent: number | null;
  /** Failures by what devices gave as the reason, the most frequent first. */
  causes: readonly Cause[];
};

export function isOpen(upgrade: UpgradeView): boolean {
  return !["succeeded", "failed", "cancelled"].includes(upgrade.state);
}

/** How far a download under way is, if that is what the detail says. */
export function percentOf(upgrade: UpgradeView): number | null {
  if (!isOpen(upgrade)) return null;
  const digits = /^\s*(\d{1,3})\s*%?\s*$/.exec(upgrade.detail)?.[1];
  return digits === undefined ? null : Math.min(100, Number(digits));
}

/** Those under way first, then the newest versions. */
export function campaigns(upgrades: readonly UpgradeView[]): Campaign[] {
  const groups = new Map<string, UpgradeView[]>();
  for (const upgrade of upgrades) {
    const key = `${moduleOf(upgrade) ?? ""}/${upgrade.version}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [upgrade]);
    else group.push(upgrade);
  }
  const all = [...groups].map(([key, orders]) => campaign(key, orders));
  return all.sort((a, b) => Number(b.open > 0) - Number(a.open > 0) || compareVersions(b.version, a.version) || compareVersions(a.key, b.key));
}

function moduleOf(upgrade: UpgradeView): string | null {
  return upgrade.module === "default" ? null : upgrade.module;
}

function campaign(key: string, orders: readonly UpgradeView[]): Campaign {
  const counts = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  const causes = new Map<string, string[]>();
  let [sum, told] = [0, 0];
  for (const order of orders) {
    if ((STAGES as readonly string[]).includes(order.state)) counts[order.state as Stage] += 1;
    if (order.state === "downloading") {
      const percent = percentOf(order);
      if (percent !== null) [sum, told] = [sum + percent, told + 1];
    }
    if (order.state === "failed") {
      const known = causes.get(order.detail);
      if (known === undefined) causes.set(order.detail, [order.device]);
      else known.push(order.device);
    }
  }
  const [first] = orders;
  return {
    key,
    module: first === undefined ? null : moduleOf(first),
    version: first?.version ?? "",
    orders,
    counts,
    open: orders.length - counts.succeeded - counts.failed - counts.cancelled,
    percent: told === 0 ? null : Math.round(sum / told),
    causes: [...causes].map(([cause, devices]) => ({ cause, devices })).sort((a, b) => b.devices.length - a.devices.length),
  };
}

/** The vendor's number in a cause, such as -4. */
export function causeCode(platform: PlatformName, cause: string): number | null {
  const digits = platform === "krtyun" ? undefined : /^(-?\d+)\b/.exec(cause)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The version after this one, as a proposal. */
export function nextVersion(version: string): string {
  const match = /^(.*?)(\d+)(\D*)$/.exec(version);
  if (match === null) return "1.0.1";
  const [, before = "", digits = "", after = ""] = match;
  // Dates and counters are longer than a number can be.
  return `${before}${String(BigInt(digits) + 1n).padStart(digits.length, "0")}${after}`;
}

/** Images by their versions, the newest first, those of the default module before others: the clouds list them in orders of their own. */
export function newestFirst(images: readonly FirmwareView[]): FirmwareView[] {
  return [...images].sort((a, b) => compareVersions(a.module ?? "", b.module ?? "") || compareVersions(b.version, a.version));
}
