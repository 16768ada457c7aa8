// The clouds' log as a person reads it: the last lines, which of them are wanted, and what is written to a file. The
// clouds write it in English, whatever the page speaks: it is searched for, and sent to others.

import type { LogLine, PlatformName } from "../muster/types";

export const MAX_LOG = 10_000;

/** How much a line matters. */
export const LEVELS = ["problem", "notice", "routine"] as const;
export type Level = (typeof LEVELS)[number];

const LEVEL: Record<string, Level> = {
  refused: "problem",
  dropped: "problem",
  closed: "notice",
  offline: "notice",
  secret_issued: "notice",
  activated: "notice",
  bound: "notice",
  operated: "notice",
  accepted: "routine",
  reported: "routine",
  update: "routine",
};

export function levelOf(line: LogLine): Level {
  return LEVEL[line.what] ?? "notice";
}

export type LogFilter = {
  /** null: of all. */
  platform: PlatformName | null;
  /** This one and what matters more. */
  level: Level;
  /** Words that all have to be there; -word: must not be. */
  text: string;
};

export const ALL_LINES: LogFilter = { platform: null, level: "routine", text: "" };

/** Whether a line is wanted: made once for many lines. */
export function wanted(filter: LogFilter): (line: LogLine) => boolean {
  const least = LEVELS.indexOf(filter.level);
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word !== "" && word !== "-");
  return (line) => {
    if (filter.platform !== null && line.platform !== filter.platform) return false;
    if (LEVELS.indexOf(levelOf(line)) > least) return false;
    if (words.length === 0) return true;
    const text = `${line.platform} ${line.what} ${line.subject} ${line.detail}`.toLowerCase();
    return words.every((word) => (word.startsWith("-") ? !text.includes(word.slice(1)) : text.includes(word)));
  };
}

/** One JSON object a line, as `muster cloud log --json` writes it. */
export function logFile(lines: readonly LogLine[]): string {
  return lines.map((line) => `${JSON.stringify({ ...line, time: new Date(line.unix).toISOString() })}\n`).join("");
}

/** The last lines, oldest first. What is thrown away is counted. */
export class CloudLog {
  #lines: LogLine[] = [];
  dropped = 0;
  #frozen: readonly LogLine[] | null = null;

  /** As they were when a person paused, or as they are. */
  get lines(): readonly LogLine[] {
    return this.#frozen ?? this.#lines;
  }

  get paused(): boolean {
    return this.#frozen !== null;
  }

  /** How many came since a person paused. */
  get waiting(): number {
    const last = this.#frozen?.at(-1);
    if (this.#frozen === null) return 0;
    if (last === undefined) return this.#lines.length;
    const at = this.#lines.lastIndexOf(last);
    return this.#lines.length - 1 - at;
  }

  pause(on: boolean): void {
    this.#frozen = on ? [...this.#lines] : null;
  }

  /** Whether it is new; a source that begins again repeats itself. */
  push(line: LogLine): boolean {
    const last = this.#lines.at(-1);
    if (last !== undefined && line.seq <= last.seq && line.unix <= last.unix) return false;
    this.#lines.push(line);
    // In large steps: a line that comes does not move ten thousand others.
    if (this.#lines.length > MAX_LOG * 1.1) {
      this.dropped += this.#lines.length - MAX_LOG;
      this.#lines = this.#lines.slice(-MAX_LOG);
    }
    return true;
  }

  clear(): void {
    this.#lines = [];
    this.#frozen = null;
    this.dropped = 0;
  }

  /** What was said of one device, the latest first. */
  of(platform: PlatformName, subject: string, most: number): LogLine[] {
    const found: LogLine[] = [];
    for (let i = this.#lines.length - 1; i >= 0 && found.length < most; i -= 1) {
      const line = this.#lines[i];
      if (line !== undefined && line.platform === platform && line.subject === subject) found.push(line);
    }
    return found;
  }
}
