// Two messages line by line.

import type { Entry } from "../muster/types";
import { prettyTokens } from "./json";

export type Line = { kind: "same" | "removed" | "added"; text: string };
export type Block = Line | { kind: "skipped"; count: number };
export type Diff = { lines: Line[]; /** Too much differs to be lined up. */ whole: boolean };

/** What of an entry is compared: what a person reads of it, without what differs every time. */
export function linesOf(entry: Entry): string[] {
  switch (entry.kind) {
    case "mqtt": {
      const { payload, of: _of, latency: _latency, size: _size, masked: _masked, ...packet } = entry.packet;
      return [`direction: ${entry.direction}`, ...fields(packet), ...body(payload?.text)];
    }
    case "http": {
      const { headers, payload, string_to_sign: _sign, size: _size, masked: _masked, ...message } = entry.message;
      return [`direction: ${entry.direction}`, ...fields(message), ...headers.map(([name, value]) => `${name}: ${value}`), ...body(payload?.text)];
    }
    default: {
      const { seq: _seq, at: _at, unix: _unix, ...what } = entry;
      return body(JSON.stringify(what));
    }
  }
}

function fields(of: object): string[] {
  return Object.entries(of).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`);
}

function body(text: string | undefined): string[] {
  if (text === undefined) return [];
  const pretty = prettyTokens(text)?.map((token) => token.text).join("");
  return ["", ...(pretty ?? text).split("\n")];
}

/** A table of this many cells is made at once; what needs more is not lined up. */
const MOST = 1_000_000;

/** The longest common sequence of lines, and what is before and after it in each. */
export function diff(there: readonly string[], here: readonly string[]): Diff {
  let head = 0;
  while (head < there.length && head < here.length && there[head] === here[head]) head += 1;
  let tail = 0;
  while (tail < there.length - head && tail < here.length - head && there[there.length - 1 - tail] === here[here.length - 1 - tail]) tail += 1;
  const [a, b] = [there.slice(head, there.length - tail), here.slice(head, here.length - tail)];
  const same = (text: string): Line => ({ kind: "same", text });
  const whole = (a.length + 1) * (b.length + 1) > MOST;
  const middle = whole ? [...a.map((text): Line => ({ kind: "removed", text })), ...b.map((text): Line => ({ kind: "added", text }))] : between(a, b);
  return { lines: [...there.slice(0, head).map(same), ...middle, ...there.slice(there.length - tail).map(same)], whole };
}

function between(a: readonly string[], b: readonly string[]): Line[] {
  const width = b.length + 1;
  // How many lines the rests from i and j have in common.
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  }
  const out: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ kind: "same", text: a[i] ?? "" });
      i += 1;
      j += 1;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) {
      out.push({ kind: "removed", text: a[i] ?? "" });
      i += 1;
    } else {
      out.push({ kind: "added", text: b[j] ?? "" });
      j += 1;
    }
  }
  return out;
}

/** Long stretches that are the same are folded, but for the lines next to a difference. */
export function folded(lines: readonly Line[], around = 3): Block[] {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, i) => {
    if (line.kind !== "same") near.fill(1, Math.max(0, i - around), i + around + 1);
  });
  const out: Block[] = [];
  for (let i = 0; i < lines.length; i += 1) {
    let end = i;
    while (end < lines.length && near[end] === 0) end += 1;
    // A fold that hides one line saves nothing.
    if (end - i > 1) {
      out.push({ kind: "skipped", count: end - i });
      i = end - 1;
    } else {
      const line = lines[i];
      if (line !== undefined) out.push(line);
    }
  }
  return out;
}
