// Which rows are shown. Of many rows a filter looks at some in each frame, so that the page stays smooth meanwhile.

import { GROUPS, directionOf, groupOf, lookOf, type Group } from "./entry";
import { matches, parseQuery, type Term } from "./query";
import type { EntryRow, PhaseRow, Row } from "./timeline";

export type Filter = {
  text: string;
  /** Groups that are not shown. */
  without: readonly Group[];
  direction: "both" | "up" | "down";
  /** Only what went wrong. */
  problems: boolean;
  side: "both" | "device" | "app";
};

export const NO_FILTER: Filter = { text: "", without: [], direction: "both", problems: false, side: "both" };

/** How many of its conditions are set, beside the text. */
export function conditions(filter: Filter): number {
  return filter.without.length + Number(filter.direction !== "both") + Number(filter.problems) + Number(filter.side !== "both");
}

export function isFiltered(filter: Filter): boolean {
  return filter.text.trim() !== "" || conditions(filter) > 0;
}

/** All groups but this one, or all if that is so already. */
export function only(filter: Filter, group: Group): readonly Group[] {
  const others = GROUPS.filter((name) => name !== group);
  return others.every((name) => filter.without.includes(name)) ? [] : others;
}

/** Rows looked at before the clock is. */
const STRIDE = 256;

/** The rows that a filter lets through, made little by little, and carried on as rows come. */
export class Filtered {
  rows: readonly Row[] = [];
  /** Entries among them. */
  shown = 0;
  #source: readonly Row[] = [];
  #epoch: unknown;
  #filter = NO_FILTER;
  #terms: readonly Term[] = [];
  #at = 0;
  #next: Row[] = [];
  #found = 0;
  #phases = new Set<PhaseRow>();
  /** The list is being made anew; until it is, the last one is shown. */
  #anew = false;
  readonly #label: (row: EntryRow) => string;

  constructor(label: (row: EntryRow) => string) {
    this.#label = label;
  }

  get searching(): boolean {
    return this.#anew;
  }

  /** What is to be filtered, and how. `epoch`: another one when rows are not merely more than they were. */
  feed(source: readonly Row[], epoch: unknown, filter: Filter): void {
    const same = this.#source === source && this.#epoch === epoch && this.#filter === filter;
    if (same) return;
    this.#source = source;
    this.#epoch = epoch;
    if (this.#filter !== filter) this.#terms = parseQuery(filter.text);
    this.#filter = filter;
    this.#at = 0;
    this.#next = [];
    this.#found = 0;
    this.#phases = new Set();
    this.#anew = true;
  }

  /** Goes on for about `budget` milliseconds; true if there is more to do. */
  advance(budget: number, clock: () => number = () => performance.now()): boolean {
    const source = this.#source;
    if (!isFiltered(this.#filter)) {
      this.rows = source;
      this.#anew = false;
      return false;
    }
    const end = clock() + budget;
    while (this.#at < source.length) {
      if (this.#at % STRIDE === 0 && clock() > end) return true;
      const row = source[this.#at];
      this.#at += 1;
      if (row !== undefined) this.#consider(row);
    }
    this.#anew = false;
    this.rows = this.#next;
    this.shown = this.#found;
    return false;
  }

  #consider(row: Row): void {
    const { side } = this.#filter;
    if (side !== "both" && row.side !== side) return;
    // A phase stands above what is shown of it.
    if (row.type === "phase") return;
    if (row.type === "note") {
      if (this.#terms.length === 0 && !this.#filter.problems) this.#next.push(row);
      return;
    }
    if (!this.#passes(row)) return;
    if (!this.#phases.has(row.phase)) {
      this.#phases.add(row.phase);
      this.#next.push(row.phase);
    }
    this.#next.push(row);
    this.#found += 1;
  }

  #passes(row: EntryRow): boolean {
    const { entry } = row;
    const { without, direction, problems } = this.#filter;
    if (without.includes(groupOf(entry))) return false;
    if (direction !== "both" && directionOf(entry) !== direction) return false;
    if (problems && !["bad", "warn"].includes(lookOf(entry))) return false;
    return this.#terms.length === 0 || matches(entry, this.#terms, () => this.#label(row));
  }
}
