// The rows of a device, and of the owner's app beside it, in the order of time: one list, bounded.

import type { Entry } from "../muster/types";
import { answerTo, directionOf, typeOf } from "./entry";
import type { EntryRow, PhaseRow, Row } from "./timeline";

/** Entries that one device keeps. */
export const MAX_ENTRIES = 100_000;
/** Characters of payloads and headers that it keeps: large messages are fewer messages. */
export const MAX_CHARS = 32 * 1024 * 1024;
/** Whoever comes late by no more than this many rows still finds its place. */
const LATE = 64;
/** An answer is among as many rows after its question. */
const NEAR = 2_000;

export function rowUnix(row: Row): number {
  return row.type === "entry" ? row.entry.unix : row.unix;
}

export class Log {
  rows: Row[] = [];
  /** The phases among the rows. */
  phases: PhaseRow[] = [];
  /** Another number: rows went, or one came in between. What was made of the list has to be made anew. */
  epoch = 0;
  /** Entries that were let go to keep the memory bounded. */
  dropped = 0;
  /** Entries that ever came. */
  added = 0;
  #entries = 0;
  #chars = 0;
  #index = new Map<string, EntryRow>();
  readonly #max: number;
  readonly #maxChars: number;

  constructor(max = MAX_ENTRIES, maxChars = MAX_CHARS) {
    this.#max = max;
    this.#maxChars = maxChars;
  }

  /** Entries that are kept. */
  get entries(): number {
    return this.#entries;
  }

  add(row: Row): void {
    this.#place(row);
    if (row.type === "phase") this.phases.push(row);
    if (row.type !== "entry") return;
    this.#index.set(row.key, row);
    this.#entries += 1;
    this.added += 1;
    this.#chars += weight(row.entry);
    if (this.#entries > this.#max || this.#chars > this.#maxChars) this.#shrink();
  }

  find(key: string): EntryRow | undefined {
    return this.#index.get(key);
  }

  /** The entry before `row` that is of the same kind: type, direction, and topic or path. */
  before(row: EntryRow): EntryRow | undefined {
    const kind = kindOf(row);
    for (let i = this.rows.lastIndexOf(row) - 1; i >= 0; i -= 1) {
      const other = this.rows[i];
      if (other?.type === "entry" && kindOf(other) === kind) return other;
    }
    return undefined;
  }

  /** What answered the request of `row`. */
  answer(row: EntryRow): EntryRow | undefined {
    const from = this.rows.lastIndexOf(row) + 1;
    if (from === 0) return undefined;
    for (let i = from; i < Math.min(this.rows.length, from + NEAR); i += 1) {
      const other = this.rows[i];
      if (other?.type === "entry" && other.side === row.side && other.life === row.life && answerTo(other.entry) === row.entry.seq) return other;
    }
    return undefined;
  }

  /** Two Workers tell of what happened: what one says late belongs before what the other said. */
  #place(row: Row): void {
    const { rows } = this;
    const unix = rowUnix(row);
    let at = rows.length;
    for (let before = rows[at - 1]; before !== undefined && before.side !== row.side && rowUnix(before) > unix && rows.length - at < LATE; before = rows[at - 1]) at -= 1;
    if (at === rows.length) {
      rows.push(row);
      return;
    }
    rows.splice(at, 0, row);
    this.epoch += 1;
  }

  /** Lets a twentieth go at once, so that it is not done for each entry. A phase goes when it is empty, or over. */
  #shrink(): void {
    const keep = Math.min(this.#entries - 1, Math.floor(this.#max * 0.95));
    const keepChars = Math.floor(this.#maxChars * 0.95);
    const kept: Row[] = [];
    let dropping = true;
    for (const row of this.rows) {
      if (dropping && row.type === "entry") {
        dropping = (this.#entries > keep || this.#chars > keepChars) && this.#entries > 1;
        if (dropping) {
          this.#entries -= 1;
          this.#chars -= weight(row.entry);
          this.dropped += 1;
          row.phase.rows -= 1;
          this.#index.delete(row.key);
          continue;
        }
      }
      if (!dropping || row.type === "phase") kept.push(row);
    }
    this.rows = kept.filter((row) => row.type !== "phase" || row.rows > 0 || row.state === "now" || row.state === "retrying");
    this.phases = this.rows.filter((row) => row.type === "phase");
    this.epoch += 1;
  }
}

function kindOf({ side, entry }: EntryRow): string {
  const place = entry.kind === "mqtt" ? (entry.packet.topic ?? "") : entry.kind === "http" ? (entry.message.url ?? "").replace(/[?#].*/s, "") : entry.kind === "store" ? entry.key : "";
  return [side, entry.kind, typeOf(entry), directionOf(entry), place].join(" ");
}

/** About how much an entry holds. */
function weight(entry: Entry): number {
  switch (entry.kind) {
    case "mqtt":
      return 300 + (entry.packet.payload?.text?.length ?? 0);
    case "http": {
      const { headers, payload, string_to_sign } = entry.message;
      return headers.reduce((sum, [name, value]) => sum + name.length + value.length, 500 + (payload?.text?.length ?? 0) + (string_to_sign?.length ?? 0));
    }
    default:
      return 300;
  }
}
