// Ready faults: what people want to know of a firmware, as rules. Texts are in i18n/…-fault-catalogue.ts. The facts behind
// "what has to happen" are those of docs/protocols/*.md.

import type { FaultMatch, FaultRule, PlatformName } from "../muster/types";

export const GROUPS = ["replies", "login", "clock", "network", "power", "firmware"] as const;
export type FaultGroup = (typeof GROUPS)[number];

export type Unit = "ms" | "s" | "min" | "h" | "bytes" | "bytes_per_s" | "" | "code" | "status";

export type Param =
  | { key: string; unit: Unit; min: number; max: number; value: number }
  | { key: string; options: readonly string[]; value: string };

/** What a rule depends on beside its parameters. */
export type Setting = { platform: PlatformName; settings: Record<string, string> };
export type Values = Record<string, number | string>;

export type Ready = {
  id: ReadyId;
  group: FaultGroup;
  platforms: readonly PlatformName[];
  params: (setting: Setting) => readonly Param[];
  rule: (setting: Setting, values: Values) => FaultRule;
  /** How often it may be asked to strike. */
  repeats: boolean;
};

export type ReadyId =
  | "lost_secret" | "late_secret" | "twice_secret" | "wrong_id" | "overtaken" | "lost_suback" | "refused_subscription" | "lost_puback" | "lost_report" | "late_all"
  | "refused_login" | "silent_login" | "vendor_code" | "http_status" | "expired_token"
  | "clock_skew" | "clock_jump" | "no_clock"
  | "network_loss" | "lost_after_request" | "broker_restart" | "flaky"
  | "cut_before_store" | "cut_after_store" | "cut_in_update" | "cut_at_install" | "cut_now" | "store_fail"
  | "corrupt" | "truncated" | "slow" | "stalled" | "broken" | "download_status";

const ALL: readonly PlatformName[] = ["ucloud", "cmcc", "krtyun", "alibaba"];
const MQTT: readonly PlatformName[] = ["ucloud", "krtyun", "alibaba"];
const none = () => [];
const number = (key: string, unit: Unit, min: number, max: number, value: number): Param => ({ key, unit, min, max, value });
const int = (values: Values, key: string): number => Number(values[key]);
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Whether a device asks for its secret over HTTP. */
function byHttp({ platform, settings }: Setting): boolean {
  return platform === "cmcc" || (platform === "alibaba" && (settings["registration"] ?? "http") === "http");
}

/** The reply that brings the secret. */
export function secretReply(setting: Setting): FaultMatch {
  switch (setting.platform) {
    case "ucloud":
      return { message: "publish", topic: "/password_reply" };
    case "krtyun":
      return { message: "publish", topic: "/register/set" };
    case "cmcc":
      return { message: "response", path: "/device/secret/info" };
    case "alibaba":
      return byHttp(setting) ? { message: "response", path: "/auth/register" } : { message: "publish", topic: "/ext/reg" };
  }
}

/** The request for it. */
function secretRequest(setting: Setting): FaultMatch {
  switch (setting.platform) {
    case "ucloud":
      return { message: "publish", direction: "up", topic: "/password" };
    case "krtyun":
      return { message: "publish", direction: "up", topic: "/register/post" };
    case "cmcc":
      return { message: "request", path: "/device/secret/info" };
    case "alibaba":
      // Over MQTT the login itself is the request.
      return byHttp(setting) ? { message: "request", path: "/auth/register" } : { message: "connect" };
  }
}

/** Codes by which a cloud says no, in its own numbers; docs/protocols/*.md says which are the vendor's and which assumed. */
const CODES: Record<PlatformName, readonly string[]> = {
  ucloud: ["140", "240", "100008"],
  cmcc: ["500"],
  krtyun: [],
  alibaba: ["6289", "401", "460", "5005", "6100", "6204", "429", "500"],
};

const seconds = number("s", "s", 1, 3_600, 10);
const back = number("restart", "s", 0, 3_600, 2);

export const CATALOGUE: readonly Ready[] = [
  // ---------- replies ----------
  { id: "lost_secret", group: "replies", platforms: ALL, params: none, repeats: true, rule: (setting) => ({ fault: "lose", on: secretReply(setting) }) },
  { id: "late_secret", group: "replies", platforms: ALL, params: () => [number("s", "s", 1, 600, 12)], repeats: true, rule: (setting, values) => ({ fault: "delay", ms: int(values, "s") * SECOND, on: secretReply(setting) }) },
  { id: "twice_secret", group: "replies", platforms: ALL, params: none, repeats: true, rule: (setting) => ({ fault: "duplicate", on: byHttp(setting) ? secretRequest(setting) : secretReply(setting) }) },
  {
    id: "wrong_id",
    group: "replies",
    platforms: ALL,
    params: none,
    repeats: true,
    // What Alibaba pushes at a registration over MQTT names a device, and no request.
    rule: (setting) => ({ fault: "wrong_id", on: secretReply(setting) }),
  },
  { id: "overtaken", group: "replies", platforms: MQTT, params: none, repeats: true, rule: () => ({ fault: "reorder", on: { message: "puback" } }) },
  { id: "lost_suback", group: "replies", platforms: MQTT, params: none, repeats: true, rule: () => ({ fault: "lose", on: { message: "suback" } }) },
  { id: "refused_subscription", group: "replies", platforms: MQTT, params: none, repeats: true, rule: () => ({ fault: "refuse", code: 128, on: { message: "suback" } }) },
  { id: "lost_puback", group: "replies", platforms: MQTT, params: none, repeats: true, rule: () => ({ fault: "lose", on: { message: "puback" } }) },
  { id: "lost_report", group: "replies", platforms: ["cmcc"], params: none, repeats: true, rule: () => ({ fault: "lose", on: { message: "response", path: "/device/report" } }) },
  { id: "late_all", group: "replies", platforms: ALL, params: () => [number("ms", "ms", 1, 60_000, 800)], repeats: true, rule: ({ platform }, values) => ({ fault: "delay", ms: int(values, "ms"), on: { message: platform === "cmcc" ? "response" : "publish" } }) },
  // ---------- login ----------
  { id: "refused_login", group: "login", platforms: MQTT, params: () => [{ key: "code", options: ["4", "5", "2", "3", "1"], value: "4" }], repeats: true, rule: (_, values) => ({ fault: "refuse", code: int(values, "code"), on: { message: "connack" } }) },
  { id: "silent_login", group: "login", platforms: MQTT, params: none, repeats: true, rule: () => ({ fault: "lose", on: { message: "connack" } }) },
  {
    id: "vendor_code",
    group: "login",
    platforms: ["ucloud", "cmcc", "alibaba"],
    params: ({ platform }) => [{ key: "code", options: CODES[platform], value: CODES[platform][0] ?? "" }],
    repeats: true,
    rule: (setting, values) => ({ fault: "vendor_code", code: String(values["code"]), on: secretReply(setting) }),
  },
  { id: "http_status", group: "login", platforms: ["cmcc", "alibaba"], params: () => [number("status", "status", 100, 599, 503)], repeats: true, rule: (_, values) => ({ fault: "status", status: int(values, "status"), on: { message: "response" } }) },
  { id: "expired_token", group: "login", platforms: ["alibaba"], params: () => [{ key: "code", options: ["6608", "460", "500"], value: "6608" }], repeats: true, rule: (_, values) => ({ fault: "vendor_code", code: String(values["code"]), on: { message: "publish", topic: "/awss/enrollee/match_reply" } }) },
  // ---------- clock ----------
  { id: "clock_skew", group: "clock", platforms: ALL, params: () => [number("h", "h", -876_000, 876_000, -24)], repeats: false, rule: (_, values) => ({ fault: "clock_skew", ms: int(values, "h") * HOUR }) },
  { id: "clock_jump", group: "clock", platforms: ALL, params: () => [number("h", "h", -876_000, 876_000, 24)], repeats: false, rule: (_, values) => ({ fault: "clock_jump", ms: int(values, "h") * HOUR }) },
  { id: "no_clock", group: "clock", platforms: ALL, params: none, repeats: false, rule: () => ({ fault: "no_clock" }) },
  // ---------- network ----------
  { id: "network_loss", group: "network", platforms: ALL, params: () => [seconds], repeats: false, rule: (_, values) => ({ fault: "network_loss", ms: int(values, "s") * SECOND }) },
  { id: "lost_after_request", group: "network", platforms: ALL, params: () => [number("s", "s", 1, 3_600, 3)], repeats: true, rule: (setting, values) => ({ fault: "network_loss", ms: int(values, "s") * SECOND, on: secretRequest(setting) }) },
  { id: "broker_restart", group: "network", platforms: MQTT, params: () => [number("s", "s", 1, 3_600, 5)], repeats: false, rule: (_, values) => ({ fault: "broker_restart", ms: int(values, "s") * SECOND }) },
  {
    id: "flaky",
    group: "network",
    platforms: ALL,
    params: () => [number("percent", "", 1, 99, 20), number("seed", "", 0, 9_999, 1)],
    repeats: false,
    rule: ({ platform }, values) => ({ fault: "lose", on: { message: platform === "cmcc" ? "response" : "publish" }, chance: int(values, "percent") / 100, seed: int(values, "seed"), times: "always" }),
  },
  // ---------- power ----------
  { id: "cut_before_store", group: "power", platforms: ALL, params: () => [back], repeats: true, rule: (_, values) => ({ fault: "power_cut", key: "credential", when: "before", restart_ms: int(values, "restart") * SECOND }) },
  { id: "cut_after_store", group: "power", platforms: ALL, params: () => [back], repeats: true, rule: (_, values) => ({ fault: "power_cut", key: "credential", when: "after", restart_ms: int(values, "restart") * SECOND }) },
  { id: "cut_in_update", group: "power", platforms: MQTT, params: () => [back], repeats: true, rule: (_, values) => ({ fault: "power_cut", when: "before", on: { message: "event", event: "step:download" }, restart_ms: int(values, "restart") * SECOND }) },
  { id: "cut_at_install", group: "power", platforms: MQTT, params: () => [{ key: "when", options: ["after", "before"], value: "after" }, back], repeats: true, rule: (_, values) => ({ fault: "power_cut", key: "version", when: values["when"] === "before" ? "before" : "after", restart_ms: int(values, "restart") * SECOND }) },
  { id: "cut_now", group: "power", platforms: ALL, params: () => [back], repeats: false, rule: (_, values) => ({ fault: "power_cut", when: "before", restart_ms: int(values, "restart") * SECOND }) },
  { id: "store_fail", group: "power", platforms: ALL, params: none, repeats: true, rule: () => ({ fault: "store_fail", key: "credential" }) },
  // ---------- firmware ----------
  { id: "corrupt", group: "firmware", platforms: MQTT, params: () => [number("bytes", "bytes", 1, 1_000_000, 1), number("after", "bytes", 0, 1_000_000_000, 0)], repeats: true, rule: (_, values) => ({ fault: "download_corrupt", bytes: int(values, "bytes"), after: int(values, "after") }) },
  { id: "truncated", group: "firmware", platforms: MQTT, params: () => [number("after", "bytes", 0, 1_000_000_000, 10_000)], repeats: true, rule: (_, values) => ({ fault: "download_truncate", after: int(values, "after") }) },
  { id: "slow", group: "firmware", platforms: MQTT, params: () => [number("rate", "bytes_per_s", 1, 1_000_000_000, 10_000)], repeats: true, rule: (_, values) => ({ fault: "download_slow", bytes_per_s: int(values, "rate") }) },
  { id: "stalled", group: "firmware", platforms: MQTT, params: () => [number("after", "bytes", 0, 1_000_000_000, 10_000), number("s", "s", 1, 600, 40)], repeats: true, rule: (_, values) => ({ fault: "download_stall", after: int(values, "after"), ms: int(values, "s") * SECOND }) },
  { id: "broken", group: "firmware", platforms: MQTT, params: () => [number("after", "bytes", 0, 1_000_000_000, 10_000)], repeats: true, rule: (_, values) => ({ fault: "download_break", after: int(values, "after") }) },
  { id: "download_status", group: "firmware", platforms: MQTT, params: () => [number("status", "status", 300, 599, 404)], repeats: true, rule: (_, values) => ({ fault: "download_status", status: int(values, "status") }) },
];

/** What can be armed on such a device. */
export function readyFor(setting: Setting): Ready[] {
  return CATALOGUE.filter((ready) => {
    if (!ready.platforms.includes(setting.platform)) return false;
    // A status needs an HTTP response; a code is not pushed over MQTT at Alibaba.
    if (ready.id === "http_status" || (ready.id === "vendor_code" && setting.platform === "alibaba") || (ready.id === "wrong_id" && setting.platform === "alibaba")) return byHttp(setting);
    return true;
  });
}

/** Its values as they are offered. */
export function offered(params: readonly Param[]): Values {
  return Object.fromEntries(params.map(({ key, value }) => [key, value]));
}

/** Which value is out of its limits. */
export function outOfLimits(params: readonly Param[], values: Values): Param | undefined {
  return params.find((param) => {
    if ("options" in param) return !param.options.includes(String(values[param.key]));
    const value = Number(values[param.key]);
    const zero = param.unit === "h" && value === 0;
    return !Number.isInteger(value) || value < param.min || value > param.max || zero;
  });
}
