// The devices of a product, however many: kept by name, found, filtered and sorted. One device that changes costs one
// entry, not the list; what is shown is worked out when it is asked for, and once for each change.

import type { DeviceView } from "../muster/types";

export const STATES = ["online", "offline", "inactive", "disabled"] as const;
export type DeviceState = (typeof STATES)[number];
export type SortBy = "name" | "state" | "version" | "seen";

export type Wanted = {
  /** Only devices of this state. */
  state: DeviceState | null;
  /** Words that all have to be in its name, version or what else is known of it. */
  text: string;
  sort: SortBy;
  /** The other way round. */
  down: boolean;
};

export const EVERYTHING: Wanted = { state: null, text: "", sort: "name", down: false };

export class Roster {
  readonly #devices = new Map<string, DeviceView>();
  /** In the order of names, as the cloud lists them; null: has to be made. */
  #ordered: DeviceView[] | null = [];
  #shown: { wanted: Wanted; ordered: DeviceView[]; rows: readonly DeviceView[] } | null = null;
  #counts: Record<DeviceState, number> | null = null;

  get size(): number {
    return this.#devices.size;
  }

  get(name: string): DeviceView | undefined {
    return this.#devices.get(name);
  }

  clear(): void {
    this.#devices.clear();
    this.#stale();
  }

  put(devices: Iterable<DeviceView>): void {
    for (const device of devices) this.#devices.set(device.name, device);
    this.#stale();
  }

  remove(names: Iterable<string>): void {
    for (const name of names) this.#devices.delete(name);
    this.#stale();
  }

  /** Only these: whatever else there was is gone. */
  replace(devices: readonly DeviceView[]): void {
    this.#devices.clear();
    this.put(devices);
  }

  #stale(): void {
    this.#ordered = null;
    this.#counts = null;
    this.#shown = null;
  }

  /** All, in the order of their names. */
  get all(): readonly DeviceView[] {
    return (this.#ordered ??= [...this.#devices.values()].sort((a, b) => compare(a.name, b.name)));
  }

  get counts(): Readonly<Record<DeviceState, number>> {
    if (this.#counts === null) {
      const counts = { online: 0, offline: 0, inactive: 0, disabled: 0 };
      for (const device of this.#devices.values()) if (isState(device.state)) counts[device.state] += 1;
      this.#counts = counts;
    }
    return this.#counts;
  }

  /** What a person asked to see. The same array as long as neither it nor the devices change. */
  shown(wanted: Wanted): readonly DeviceView[] {
    const ordered = this.all as DeviceView[];
    if (this.#shown !== null && this.#shown.wanted === wanted && this.#shown.ordered === ordered) return this.#shown.rows;
    const words = wanted.text.toLowerCase().split(/\s+/).filter((word) => word !== "");
    let rows: DeviceView[] = ordered.filter((device) => (wanted.state === null || device.state === wanted.state) && hasAll(device, words));
    const by = ORDERS[wanted.sort];
    // Names are in order already; a stable sort leaves equals in theirs.
    if (by !== null) rows.sort(by);
    if (wanted.down) rows = rows.reverse();
    this.#shown = { wanted, ordered, rows };
    return rows;
  }
}

export function isState(state: string): state is DeviceState {
  return (STATES as readonly string[]).includes(state);
}

function hasAll(device: DeviceView, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const text = [device.name, device.version ?? "", ...Object.values(device.more)].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const ORDERS: Record<SortBy, ((a: DeviceView, b: DeviceView) => number) | null> = {
  name: null,
  state: (a, b) => STATES.indexOf(a.state as DeviceState) - STATES.indexOf(b.state as DeviceState),
  version: (a, b) => compareVersions(a.version ?? "", b.version ?? ""),
  // Who was heard of last comes first.
  seen: (a, b) => (b.last_active ?? 0) - (a.last_active ?? 0),
};

/** 1.10 is after 1.9, and what has no version is before everything. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(/(\d+)/);
  const right = b.split(/(\d+)/);
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const [x = "", y = ""] = [left[i], right[i]];
    if (x === y) continue;
    const numbers = i % 2 === 1 && x !== "" && y !== "";
    const order = numbers ? Number(x) - Number(y) : 0;
    if (order !== 0) return order;
    const text = compare(x, y);
    if (text !== 0) return text;
  }
  return 0;
}
