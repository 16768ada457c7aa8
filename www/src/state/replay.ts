// A recorded life that is lived again, step by step: which entry of the timeline belongs to which step, and the player.

import type { Entry, Replay, ReplayCheck, ReplayMark, ReplayPlace } from "../muster/types";
import { refusal, type Refusal } from "./failure";
import { Store } from "./store";

/** An answer's entry and its input are at most so many entries apart. */
const NEAR = 64;

/** The kind of input that an entry became, if it became one. */
export function inputOf(entry: Entry): string | null {
  switch (entry.kind) {
    case "mqtt": {
      if (entry.direction === "up") return null;
      switch (entry.packet.type) {
        case "CONNACK":
          return (entry.packet.return_code ?? 0) === 0 ? "connected" : null;
        case "PUBLISH":
          return "message";
        case "PUBACK":
        case "SUBACK":
          return "acked";
        default:
          return null;
      }
    }
    case "http":
      if (entry.direction === "up") return null;
      return entry.message.status === 0 ? "no_response" : "response";
    case "store":
      return "stored";
    case "install":
      return "installed";
    case "link":
      return entry.what === "closed" ? "closed" : null;
    default:
      return null;
  }
}

/** Where entries and steps of one life meet. Steps count from 1; 0 is what was before the first input. */
export class Places {
  readonly #inputs = new Map<number, number>();
  readonly #entries = new Map<number, number>();
  readonly #seqs: readonly number[];

  constructor(marks: readonly ReplayMark[], entries: readonly Entry[]) {
    this.#seqs = marks.map((mark) => mark.seq);
    // Entries of a kind become inputs in their order.
    const waiting = new Map<string, number[]>();
    marks.forEach((mark, i) => {
      const steps = waiting.get(mark.input) ?? [];
      steps.push(i + 1);
      waiting.set(mark.input, steps);
    });
    const next = new Map<string, number>();
    for (const entry of entries) {
      const kind = inputOf(entry);
      const steps = kind === null ? undefined : waiting.get(kind);
      if (kind === null || steps === undefined) continue;
      let at = next.get(kind) ?? 0;
      for (let step = steps[at]; step !== undefined && (this.#seqs[step - 1] ?? 0) < entry.seq; step = steps[at]) at += 1;
      const step = steps[at];
      next.set(kind, at);
      if (step === undefined || (this.#seqs[step - 1] ?? 0) - entry.seq > NEAR) continue;
      next.set(kind, at + 1);
      this.#inputs.set(entry.seq, step);
      this.#entries.set(step, entry.seq);
    }
  }

  /** The step that an entry belongs to: the one whose input it was, or the one that led to it. */
  stepOf(seq: number): number {
    const input = this.#inputs.get(seq);
    if (input !== undefined) return input;
    // The last step whose input came before this entry.
    let [low, high] = [0, this.#seqs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seqs[middle] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The entry to look at for a step: its input, or the last one before what it led to. */
  entryOf(step: number): number {
    return this.#entries.get(step) ?? this.#seqs[step - 1] ?? 0;
  }
}

export type Speed = "1" | "10" | "max";
export const SPEEDS: readonly Speed[] = ["1", "10", "max"];

/** A silence is not waited out. */
const LONGEST = 2_000;
/** So long every step is to be seen. */
const SHORTEST: Record<Speed, number> = { "1": 40, "10": 40, max: 0 };

/** How long the player waits before the step at `to`. */
export function waitFor(from: number, to: number, speed: Speed): number {
  if (speed === "max") return 0;
  return Math.min(LONGEST, Math.max(SHORTEST[speed], (to - from) / Number(speed)));
}

/** Plays one recorded life. */
export class Player extends Store {
  place: ReplayPlace | null = null;
  playing = false;
  speed: Speed = "1";
  failure: Refusal | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;
  #over = false;

  constructor(
    /** Which life of the device. */
    readonly life: number,
    readonly check: ReplayCheck,
    readonly marks: readonly ReplayMark[],
    readonly places: Places,
    private readonly replay: Replay,
  ) {
    super();
  }

  get at(): number {
    return this.place?.at ?? 0;
  }

  get length(): number {
    return this.check.length;
  }

  /** What an entry is to the step in hand. */
  standing(seq: number): "past" | "now" | "ahead" {
    const step = this.places.stepOf(seq);
    return step < this.at ? "past" : step === this.at ? "now" : "ahead";
  }

  /** A person chose a step. */
  async go(step: number): Promise<void> {
    this.pause();
    await this.#to(step);
  }

  step(by: 1 | -1): Promise<void> {
    return this.go(this.at + by);
  }

  toggle(): void {
    if (this.playing) return this.pause();
    this.playing = true;
    // From the end it begins anew.
    if (this.at >= this.length) void this.#play(0);
    else this.#next();
    this.changed();
  }

  pause(): void {
    clearTimeout(this.#timer);
    if (!this.playing) return;
    this.playing = false;
    // A step that is under way is not taken any more.
    this.#asked += 1;
    this.changed();
  }

  faster(speed: Speed): void {
    this.speed = speed;
    clearTimeout(this.#timer);
    if (this.playing) this.#next();
    this.changed();
  }

  close(): void {
    this.#over = true;
    this.pause();
    void this.replay.close().catch(() => {});
  }

  #next(): void {
    // A step may still be under way when a person changes the speed: from then on there is one way on, not two.
    clearTimeout(this.#timer);
    if (!this.playing || this.#over) return;
    if (this.at >= this.length) return this.pause();
    const now = this.place?.mono ?? 0;
    const next = this.marks[this.at]?.mono ?? now;
    this.#timer = setTimeout(() => void this.#play(this.at + 1), waitFor(now, next, this.speed));
  }

  async #play(step: number): Promise<void> {
    const asked = this.#asked + 1;
    await this.#to(step);
    // Meanwhile it may have been paused and played again, which has its own way on.
    if (asked === this.#asked) this.#next();
  }

  async #to(step: number): Promise<void> {
    const asked = ++this.#asked;
    try {
      const place = await this.replay.goTo(Math.max(0, Math.min(this.length, step)));
      // A slider asks faster than it is answered: the last one counts.
      if (asked !== this.#asked || this.#over) return;
      this.place = place;
    } catch (error) {
      this.failure = refusal(error);
      this.playing = false;
    }
    this.changed();
  }
}
