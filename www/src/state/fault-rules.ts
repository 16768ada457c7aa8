// Rules of faults as people write them: read strictly, in the page, so that a wrong one is named before a device sees it.
// The Worker's own reader has the last word; both know the same limits.

import type { ArmedFault, Event, Fault, FaultMatch, FaultMessage, FaultRule, PlatformName, Step } from "../muster/types";

export type FaultName = Fault["fault"];

type Field =
  | { type: "number"; min: number; max: number; whole?: false; not?: number; or?: "always" }
  | { type: "text"; max: number; pattern?: RegExp }
  | { type: "code" }
  | { type: "one"; of: readonly string[] };
type Member = Field & { needed?: true };

const DAY = 86_400_000;
const CENTURY = 100 * 366 * DAY;
const WORD = 2 ** 32 - 1;
const KEYS = ["credential", "schedule", "firmware", "version"];

const ms: Member = { type: "number", min: 1, max: DAY, needed: true };
const wrongBy: Member = { type: "number", min: -CENTURY, max: CENTURY, whole: false, not: 0, needed: true };
const after: Member = { type: "number", min: 0, max: WORD };
const count: Member = { type: "number", min: 1, max: WORD, needed: true };

/** What each fault is told. */
export const MEMBERS: Record<FaultName, Record<string, Member>> = {
  lose: {},
  delay: { ms },
  duplicate: {},
  reorder: {},
  wrong_id: {},
  refuse: { code: { type: "number", min: 1, max: 255, needed: true } },
  vendor_code: { code: { type: "code", needed: true } },
  status: { status: { type: "number", min: 100, max: 599, needed: true }, body: { type: "text", max: 4096 } },
  clock_skew: { ms: wrongBy },
  clock_jump: { ms: wrongBy },
  no_clock: {},
  network_loss: { ms },
  broker_restart: { ms },
  power_cut: { key: { type: "one", of: KEYS }, when: { type: "one", of: ["before", "after"] }, restart_ms: { type: "number", min: 0, max: DAY } },
  store_fail: { key: { type: "one", of: KEYS, needed: true } },
  download_corrupt: { bytes: count, after },
  download_truncate: { after },
  download_break: { after },
  download_stall: { after, ms },
  download_slow: { bytes_per_s: count },
  download_status: { status: { type: "number", min: 300, max: 599, needed: true } },
};

const RULE: Record<string, Member> = {
  id: { type: "text", max: 256 },
  nth: { type: "number", min: 1, max: WORD },
  every: { type: "number", min: 1, max: WORD },
  chance: { type: "number", min: 0, max: 1, whole: false, not: 0 },
  seed: { type: "number", min: 0, max: WORD },
  times: { type: "number", min: 1, max: WORD, or: "always" },
  seen: { type: "number", min: 0, max: WORD },
  struck: { type: "number", min: 0, max: WORD },
};

const MESSAGES: readonly FaultMessage[] = ["connect", "connack", "publish", "puback", "subscribe", "suback", "pingreq", "pingresp", "request", "response", "event"];
const MATCH: Record<keyof FaultMatch, Member> = {
  message: { type: "one", of: MESSAGES, needed: true },
  direction: { type: "one", of: ["up", "down"] },
  topic: { type: "text", max: 256 },
  path: { type: "text", max: 256 },
  text: { type: "text", max: 256 },
  event: { type: "text", max: 256 },
};

/** Events and steps that a rule may wait for. */
const EVENTS: Record<Event["event"], true> = {
  step: true,
  registered: true,
  ready: true,
  heartbeat: true,
  update: true,
  retrying: true,
  stopped: true,
  warning: true,
  properties_set: true,
  properties_posted: true,
  bind_token: true,
  permit: true,
  topology: true,
  scheduled: true,
};
const STEPS: Record<Step, true> = {
  connect_to_register: true,
  subscribe_for_secret: true,
  request_secret: true,
  store_secret: true,
  confirm_secret: true,
  leave_registration: true,
  login: true,
  subscribe: true,
  report_version: true,
  heartbeat: true,
  report_token: true,
  download: true,
  install: true,
  erase_secret: true,
  post_properties: true,
};
const MOMENTS = [...Object.keys(EVENTS), ...Object.keys(STEPS).map((step) => `step:${step}`)];

const OF_MESSAGE: ReadonlySet<FaultName> = new Set(["lose", "delay", "duplicate", "reorder", "wrong_id", "refuse", "vendor_code", "status"]);
const OF_MOMENT: ReadonlySet<FaultName> = new Set(["clock_jump", "network_loss", "broker_restart", "power_cut"]);
export const MOST_RULES = 64;

/** What is wrong, and where: `faults[1].on.message`. */
export type Wrong =
  | { field: string; problem: "json" | "list" | "object" | "missing" | "unknown" | "text" | "code" | "twice" | "needless" | "too_many" | "no_order" | "one_response" | "connect" | "at_once" | "platform" }
  | { field: string; problem: "range"; min: number; max: number; whole: boolean; always: boolean }
  | { field: string; problem: "one_of"; of: readonly string[] };

class Fail extends Error {
  constructor(readonly wrong: Wrong) {
    super(wrong.problem);
  }
}

/** The rules of a text, one rule or a list of them, for a device of this platform. */
export function parseRules(text: string, platform?: PlatformName): FaultRule[] | Wrong {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { field: "", problem: "json" };
  }
  return readRules(Array.isArray(value) ? value : [value], platform);
}

export function readRules(value: unknown, platform?: PlatformName): FaultRule[] | Wrong {
  try {
    if (!Array.isArray(value)) throw new Fail({ field: "faults", problem: "list" });
    if (value.length > MOST_RULES) throw new Fail({ field: "faults", problem: "too_many" });
    const rules = value.map((rule: unknown, at) => readRule(rule, `faults[${at}]`, platform));
    const ids = new Set<string>();
    rules.forEach(({ id }, at) => {
      if (id !== undefined && ids.has(id)) throw new Fail({ field: `faults[${at}].id`, problem: "twice" });
      if (id !== undefined) ids.add(id);
    });
    return rules;
  } catch (error) {
    if (error instanceof Fail) return error.wrong;
    throw error;
  }
}

/** Those of a list, written by this or another version of the page, that can still be armed: one that cannot takes no other along. */
export function usableRules(value: unknown, platform: PlatformName): FaultRule[] {
  const rules: FaultRule[] = [];
  for (const one of Array.isArray(value) ? (value as unknown[]) : []) {
    const more = readRules([...rules, one], platform);
    if (!isWrong(more)) rules.splice(0, rules.length, ...more);
  }
  return rules;
}

export function isWrong(value: FaultRule[] | Wrong): value is Wrong {
  return !Array.isArray(value);
}

function readRule(value: unknown, place: string, platform?: PlatformName): FaultRule {
  const rule = object(value, place);
  const name = rule["fault"];
  if (name === undefined) throw new Fail({ field: `${place}.fault`, problem: "missing" });
  const members = typeof name === "string" && Object.hasOwn(MEMBERS, name) ? MEMBERS[name as FaultName] : undefined;
  if (members === undefined) throw new Fail({ field: `${place}.fault`, problem: "one_of", of: Object.keys(MEMBERS) });
  const fault = name as FaultName;
  const { fault: _fault, on, ...rest } = rule;
  const read: Record<string, unknown> = { fault, ...readMembers(rest, { ...RULE, ...members }, place) };
  const match = absent(on) ? undefined : readMatch(on, `${place}.on`);
  if (match !== undefined) read["on"] = match;
  check(fault, read, match, place);
  checkCount(fault, read, match, place);
  if (platform !== undefined) checkPlatform(platform, fault, read, match, place);
  if (fault === "power_cut") read["when"] ??= "before";
  if (Object.hasOwn(members, "after")) read["after"] ??= 0;
  return read as FaultRule;
}

function readMatch(value: unknown, place: string): FaultMatch {
  const match = readMembers(object(value, place), MATCH, place) as FaultMatch;
  const { message } = match;
  const http = message === "request" || message === "response";
  const needless = (key: keyof FaultMatch, fits: boolean) => {
    if (match[key] !== undefined && !fits) throw new Fail({ field: `${place}.${key}`, problem: "needless" });
  };
  needless("direction", message === "publish" || message === "puback");
  needless("topic", message === "publish" || message === "subscribe");
  needless("path", http);
  needless("text", http || message === "publish");
  needless("event", message === "event");
  if (message === "event" && match.event === undefined) throw new Fail({ field: `${place}.event`, problem: "missing" });
  if (match.event !== undefined && !MOMENTS.includes(match.event)) throw new Fail({ field: `${place}.event`, problem: "one_of", of: MOMENTS });
  return match;
}

/** What goes together. */
function check(fault: FaultName, rule: Record<string, unknown>, on: FaultMatch | undefined, place: string): void {
  const at = `${place}.on`;
  if (on === undefined) {
    if (OF_MESSAGE.has(fault)) throw new Fail({ field: at, problem: "missing" });
    return;
  }
  if (!OF_MESSAGE.has(fault) && !OF_MOMENT.has(fault)) throw new Fail({ field: at, problem: "needless" });
  if (fault === "power_cut" && rule["key"] !== undefined) throw new Fail({ field: at, problem: "needless" });
  if (!OF_MESSAGE.has(fault)) return;
  const { message } = on;
  const of = (...these: FaultMessage[]) => {
    if (!these.includes(message)) throw new Fail({ field: `${at}.message`, problem: "one_of", of: these });
  };
  if (message === "event") of(...MESSAGES.filter((name) => name !== "event"));
  if (fault === "reorder" && (message === "request" || message === "response")) throw new Fail({ field: `${at}.message`, problem: "no_order" });
  if (fault === "duplicate" && message === "response") throw new Fail({ field: `${at}.message`, problem: "one_response" });
  if (fault === "duplicate" && message === "connect") throw new Fail({ field: `${at}.message`, problem: "connect" });
  if (fault === "wrong_id" || fault === "vendor_code") of("publish", "request", "response");
  if (fault === "status") of("response");
  if (fault === "refuse") {
    of("connack", "suback");
    const [min, max] = message === "connack" ? [1, 5] : [128, 128];
    const code = rule["code"] as number;
    if (code < min || code > max) throw new Fail({ field: `${place}.code`, problem: "range", min, max, whole: true, always: false });
  }
}

/** Without a message or a moment to count, the one moment is when it is armed. */
function checkCount(fault: FaultName, rule: Record<string, unknown>, on: FaultMatch | undefined, place: string): void {
  const moment = OF_MOMENT.has(fault) && rule["key"] === undefined;
  if (on !== undefined || !(moment || fault === "clock_skew" || fault === "no_clock")) return;
  for (const key of moment ? ["nth", "every", "times"] : ["nth"]) {
    if ((rule[key] ?? 1) !== 1) throw new Fail({ field: `${place}.${key}`, problem: "at_once" });
  }
}

/** What this platform's devices never do. */
function checkPlatform(platform: PlatformName, fault: FaultName, rule: Record<string, unknown>, on: FaultMatch | undefined, place: string): void {
  const cmcc = platform === "cmcc";
  const fits = (field: string, is: boolean) => {
    if (!is) throw new Fail({ field: `${place}.${field}`, problem: "platform" });
  };
  fits("fault", fault !== "vendor_code" || platform !== "krtyun");
  fits("fault", !cmcc || (fault !== "broker_restart" && !fault.startsWith("download_")));
  const key = rule["key"];
  if (key !== undefined) fits("key", key === "credential" || (key === "schedule") === cmcc);
  if (on === undefined || on.message === "event") return;
  const http = on.message === "request" || on.message === "response";
  fits("on.message", http ? cmcc || platform === "alibaba" : !cmcc);
}

function readMembers(value: Record<string, unknown>, members: Record<string, Member>, place: string): Record<string, unknown> {
  for (const key of Object.keys(value)) if (!Object.hasOwn(members, key)) throw new Fail({ field: `${place}.${key}`, problem: "unknown" });
  const read: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(members)) {
    const field = `${place}.${key}`;
    const given = value[key];
    if (absent(given)) {
      if (member.needed) throw new Fail({ field, problem: "missing" });
      continue;
    }
    read[key] = readField(given, member, field);
  }
  return read;
}

function readField(value: unknown, member: Member, field: string): unknown {
  switch (member.type) {
    case "number": {
      const { min, max, whole = true, not, or } = member;
      if (or !== undefined && value === or) return value;
      const fits = typeof value === "number" && value >= min && value <= max && value !== not && (!whole || Number.isInteger(value));
      if (!fits) throw new Fail({ field, problem: "range", min, max, whole, always: or !== undefined });
      return value;
    }
    case "text":
      if (typeof value !== "string" || value === "" || new TextEncoder().encode(value).length > member.max) throw new Fail({ field, problem: "text" });
      return value;
    case "code": {
      const code = typeof value === "number" && Number.isInteger(value) && value >= 0 ? String(value) : value;
      if (typeof code !== "string" || !/^[A-Za-z0-9._-]{1,32}$/.test(code)) throw new Fail({ field, problem: "code" });
      return code;
    }
    case "one":
      if (typeof value !== "string" || !member.of.includes(value)) throw new Fail({ field, problem: "one_of", of: member.of });
      return value;
  }
}

function object(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Fail({ field, problem: "object" });
  return value as Record<string, unknown>;
}

const absent = (value: unknown) => value === undefined || value === null;

/** A rule as it would be armed: what was left out is there. */
export function whole(rule: FaultRule & { id: string }): ArmedFault {
  return { nth: 1, every: 1, chance: 1, seed: 1, times: 1, seen: 0, struck: 0, ...rule } as ArmedFault;
}

/** A rule as people write it: what is as usual is left out, and so is how far it is. */
export function plain(armed: ArmedFault): FaultRule {
  const usual: Record<string, unknown> = { nth: 1, every: 1, chance: 1, seed: 1, times: 1, after: 0 };
  const entries = Object.entries(armed).filter(([key, value]) => key !== "seen" && key !== "struck" && value !== null && usual[key] !== value);
  return Object.fromEntries(entries) as FaultRule;
}

/** Whether it may still strike. */
export function isSpent({ times, struck }: ArmedFault): boolean {
  return times !== "always" && struck >= times;
}
