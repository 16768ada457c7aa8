// The course of a run: a sample each time the fleet is heard of, thinned out as it gets long.

import type { FleetLatencies, FleetStatus } from "../muster/types";

export const MEASURES = ["register", "login", "report"] as const;
export type Measure = (typeof MEASURES)[number];

export type Sample = {
  /** Milliseconds since the run began. */
  at: number;
  online: number;
  underWay: number;
  retrying: number;
  gaveUp: number;
  /** Devices that became ready, in a second. */
  rate: number;
  /** p50, p95, p99 of what came since the sample before; null: nothing came. */
  latency: Record<Measure, readonly [number, number, number] | null>;
};

/** Five minutes of two a second; then one stands for two. */
const MOST = 600;

export class Series {
  samples: readonly Sample[] = [];
  #every = 1;
  #seen = 0;
  #last: { at: number; readied: number } | null = null;
  #held: FleetLatencies | null = null;

  clear(): void {
    this.samples = [];
    this.#every = 1;
    this.#seen = 0;
    this.#last = null;
    this.#held = null;
  }

  add(status: FleetStatus): void {
    const { at, counts, readied } = status;
    if (this.#last !== null && at < this.#last.at) this.clear();
    this.#seen += 1;
    this.#held = slower(this.#held, status.latency);
    if (this.#seen % this.#every !== 0 && this.samples.length > 0) return;
    const last = this.#last ?? { at: 0, readied: 0 };
    const seconds = (at - last.at) / 1000;
    const sample: Sample = {
      at,
      online: counts.online,
      underWay: counts.registering + counts.login,
      retrying: counts.retrying,
      gaveUp: counts.rejected + counts.failed,
      rate: seconds > 0 ? Math.max(0, readied - last.readied) / seconds : 0,
      latency: { register: quantiles(this.#held, "register"), login: quantiles(this.#held, "login"), report: quantiles(this.#held, "report") },
    };
    this.#last = { at, readied };
    this.#held = null;
    this.samples = [...this.samples, sample];
    if (this.samples.length > MOST) {
      this.samples = halved(this.samples);
      this.#every *= 2;
    }
  }
}

/** Two samples become one: as many devices, as slow as the slower one. */
function halved(samples: readonly Sample[]): Sample[] {
  const out: Sample[] = [];
  let begin = 0;
  for (let at = 0; at < samples.length; at += 2) {
    const [a, b] = [samples[at], samples[at + 1]];
    if (a === undefined) break;
    if (b === undefined) {
      out.push(a);
      break;
    }
    const ready = a.rate * (a.at - begin) + b.rate * (b.at - a.at);
    const of = (name: Measure): Sample["latency"][Measure] => {
      const [x, y] = [a.latency[name], b.latency[name]];
      return x === null || y === null ? (x ?? y) : [Math.max(x[0], y[0]), Math.max(x[1], y[1]), Math.max(x[2], y[2])];
    };
    out.push({ ...b, rate: b.at > begin ? ready / (b.at - begin) : 0, latency: { register: of("register"), login: of("login"), report: of("report") } });
    begin = b.at;
  }
  return out;
}

/** Of two stretches the slower one: a chart that thins out must not hide what was slow. */
function slower(one: FleetLatencies | null, other: FleetLatencies): FleetLatencies {
  if (one === null) return other;
  const of = (name: keyof FleetLatencies) => {
    const [a, b] = [one[name].recent, other[name].recent];
    if (a.count === 0 || b.count === 0) return { ...other[name], recent: a.count === 0 ? b : a };
    const recent = { count: a.count + b.count, p50: Math.max(a.p50, b.p50), p95: Math.max(a.p95, b.p95), p99: Math.max(a.p99, b.p99), max: Math.max(a.max, b.max) };
    return { ...other[name], recent };
  };
  return { connect: of("connect"), register: of("register"), login: of("login"), report: of("report") };
}

function quantiles(latency: FleetLatencies, name: Measure): readonly [number, number, number] | null {
  const { count, p50, p95, p99 } = latency[name].recent;
  return count === 0 ? null : [p50, p95, p99];
}

/** A round number at or above the value, for the top of a chart. */
export function nice(value: number): number {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * unit).find((step) => step >= value * 0.999) ?? value;
}

/** Points of a line in a chart of this size; a gap splits it. */
export function lines(points: readonly (readonly [x: number, y: number | null])[], width: number, height: number, top: number, end: number): string[] {
  const out: string[] = [];
  let line: string[] = [];
  const flush = () => {
    if (line.length > 0) out.push(line.join(" "));
    line = [];
  };
  for (const [x, y] of points) {
    if (y === null) flush();
    else line.push(`${round((x / Math.max(end, 1)) * width)},${round(height - (Math.min(y, top) / top) * height)}`);
  }
  flush();
  return out;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

export type Goal = { kind: "none" } | { kind: "online"; minutes: number } | { kind: "for"; minutes: number };
export type Verdict = { passed: boolean; what: "all_online" | "gave_up" | "too_late" | "held" | "not_all" | "lost"; online: number; of: number; lost: number; seconds: number };

/** What a test that ends comes to; null: it goes on. */
export function judge(goal: Goal, status: FleetStatus): Verdict | null {
  if (goal.kind === "none" || status.phase === "idle") return null;
  const { counts } = status;
  const of = status.devices - counts.beyond - counts.taken;
  const facts = { online: counts.online, of, lost: status.lost, seconds: Math.round(status.at / 100) / 10 };
  const over = status.at >= goal.minutes * 60_000;
  if (goal.kind === "online") {
    if (of > 0 && counts.online === of) return { passed: true, what: "all_online", ...facts, seconds: Math.round(status.readied_at / 100) / 10 };
    const moving = counts.waiting + counts.registering + counts.login + counts.retrying;
    if (moving === 0) return { passed: false, what: "gave_up", ...facts };
    return goal.minutes > 0 && over ? { passed: false, what: "too_late", ...facts } : null;
  }
  if (!over) return null;
  if (counts.online < of) return { passed: false, what: "not_all", ...facts };
  return status.lost > 0 ? { passed: false, what: "lost", ...facts } : { passed: true, what: "held", ...facts };
}
