// What a script's Worker and the page say to each other. The page believes nothing of it: a script may send what it likes.

import type { FaultRule } from "../muster/types";

/** What a script knows of its device. No secret is in it. */
export type ScriptState = { platform: string; product: string; device: string; word: string; ready: boolean; registered: boolean };

/** An event, its secrets covered, as the timeline has it. `names`: by which it can be listened for. */
export type ScriptEvent = { names: string[]; event: Record<string, unknown> };

export type Call =
  | { call: "post"; properties: Record<string, unknown> }
  | { call: "report" }
  | { call: "publish"; topic: string; payload: string; qos: 0 | 1 }
  | { call: "subscribe"; topic: string; qos: 0 | 1 }
  | { call: "arm"; rules: FaultRule[] }
  | { call: "disarm"; ids: string[] }
  | { call: "clear" };

/** Where in the script, from 1. */
export type Place = { line: number; column: number };

/** From the Worker. */
export type Said =
  | { said: "ready"; isolated: boolean }
  | { said: "log"; level: "log" | "error"; text: string; place?: Place }
  | { said: "call"; id: number; call: Call }
  | { said: "pong"; id: number }
  /** It came to its end: nothing is scheduled, nothing listens. */
  | { said: "idle" }
  | { said: "stop" };

/** To the Worker. */
export type Told =
  | { told: "run"; source: string; state: ScriptState }
  | { told: "event"; event: ScriptEvent; state: ScriptState }
  | { told: "answer"; id: number; error?: string; value?: unknown }
  | { told: "ping"; id: number };

/** A script may ask so much of its device: at once, and a second. */
export const CALLS = { burst: 40, perSecond: 20 };
/** And so many lines be logged. */
export const LINES = { burst: 200, perSecond: 50 };
/** Characters of one line. */
export const LONGEST_LINE = 2_000;
/** Bytes of a payload. */
export const LONGEST_PAYLOAD = 64 * 1024;
