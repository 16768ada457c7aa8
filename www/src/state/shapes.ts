// The shapes of events, as they are looked at before what a file holds is shown: a view takes them apart and trusts them.
// By hand, and no looser than src/muster/data.ts: `unit/recording.test.ts` holds every variant of every type against it.

import { MEMBERS } from "./fault-rules";

export type Is = (value: unknown) => boolean;

export const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
export const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
export const isText = (value: unknown): value is string => typeof value === "string";
export const may = (of: Is): Is => (value) => value === undefined || of(value);

const truth: Is = (value) => typeof value === "boolean";
const none = (of: Is): Is => (value) => value === null || of(value);
const one = (...these: readonly string[]): Is => (value) => isText(value) && these.includes(value);
const any = (...these: readonly Is[]): Is => (value) => these.some((is) => is(value));
const list = (of: Is): Is => (value) => Array.isArray(value) && value.every(of);
const all = (members: Readonly<Record<string, Is>>): Is => (value) => isObject(value) && Object.entries(members).every(([key, is]) => is(value[key]));
/** An object whose `tag` says which members it has. */
const tagged = (tag: string, variants: Readonly<Record<string, Readonly<Record<string, Is>>>>): Is => {
  const known = new Map(Object.entries(variants).map(([name, members]) => [name, all(members)]));
  return (value) => isObject(value) && isText(value[tag]) && known.get(value[tag])?.(value) === true;
};

const step = one("connect_to_register", "subscribe_for_secret", "request_secret", "store_secret", "confirm_secret", "leave_registration", "login", "subscribe", "report_version", "heartbeat", "report_token", "download", "install", "erase_secret", "post_properties");
const appStep = one("list", "filter", "cipher", "token", "bind");
const due = one("period", "period_with_jitter", "first_use_of_day", "limit", "keep_alive");
const advice = one("check_product_secret", "import_device", "already_registered", "check_device", "check_storage", "check_network", "ask_vendor");
const failure = any(one("dns", "unreachable", "tls", "timed_out", "lost", "protocol", "too_large", "forbidden"), all({ status: isNumber }));

export const isError: Is = tagged("blame", {
  codec: { error: any(one("not_json", "not_an_object", "not_utf8", "too_long", "too_deep"), all({ missing: isText }), all({ invalid: isText })) },
  peer_misbehaved: { how: isText },
  rejected: { by: tagged("how", { connack: { code: isNumber }, suback: { topic: isText }, code: { code: isText, message: isText }, http: { status: isNumber, message: isText } }) },
  network: { failure },
  no_reply: { step },
  local: { failure: any(one("store", "install"), all({ missing_setting: isText })) },
});

const update = tagged("phase", {
  offered: { from: isText, to: isText, size: none(isNumber) },
  downloading: { received: isNumber, total: none(isNumber) },
  verified: { digest: truth },
  installed: { from: isText, to: isText },
  reported: { version: isText },
  failed: { reason: any(one("url", "size", "digest", "install"), all({ refused: isNumber }), all({ download: failure })) },
  cancelled: {},
});

const warning = tagged("kind", { ignored: { error: isError }, subscribe_refused: { topic: isText }, product_id_as_device_number: {}, imei_check_digit: {}, clock_jumped: {}, unprotected_image: {}, secret_configured: {} });
const identity = all({ platform: one("ucloud", "cmcc", "krtyun", "alibaba"), product: isText, device: isText });
const due_at = { next: none(isNumber), next_unix: none(isNumber), why: due };

export const isEvent: Is = tagged("event", {
  step: { step },
  registered: { identity },
  ready: {},
  heartbeat: due_at,
  scheduled: due_at,
  update: { update },
  retrying: { error: isError, failures: isNumber, in_ms: isNumber },
  stopped: { error: isError, advice },
  warning: { warning },
  properties_set: { json: isText },
  properties_posted: {},
  bind_token: { token: isText, for_ms: isNumber },
  permit: { seconds: isNumber, product: none(isText) },
  topology: { status: isNumber, devices: list(isText) },
});

export const isTrouble: Is = all({
  reason: one("mixed_content", "cors", "unreachable", "not_websocket", "refused_by_policy", "bad_url", "timed_out", "lost", "closed", "relay_off", "relay_token", "relay_host", "relay_address", "relay_redirect", "relay_dns", "relay_refused", "relay_tls", "relay_timed_out", "relay_limit", "relay_failed"),
  url: isText,
  detail: may(isText),
});
export const isStoreKey: Is = one("credential", "schedule", "firmware");
export const isLink: Is = one("opening", "open", "closed");

const device = all({ product_key: isText, device_name: isText });
const bindFailure = tagged("why", { call: { error: isError }, parameter: { error: all({ parameter: isText, problem: isText }) }, nothing_to_bind: {}, not_among_them: {}, password: {}, no_token: {}, no_window: {} });

export const isAppEvent: Is = tagged("event", {
  step: { step: appStep },
  discovered: { devices: list(device) },
  filtered: { devices: list(all({ device })) },
  chosen: { device },
  key_ready: { device },
  waiting: { for_ms: isNumber },
  token_known: { iot_id: isText },
  bound: { device, iot_id: isText },
  failed: { step: appStep, failure: bindFailure },
  cancelled: {},
  retrying: { call: isText, error: isError, failures: isNumber, in_ms: isNumber },
});

/** What a fault did: its members as a rule has them. */
export function isFault(value: unknown): boolean {
  if (!isObject(value) || !isText(value["fault"]) || !Object.hasOwn(MEMBERS, value["fault"])) return false;
  const members = Object.entries(MEMBERS[value["fault"] as keyof typeof MEMBERS]);
  return members.every(([key, member]) => (value[key] == null ? member.needed !== true : member.type === "number" ? isNumber(value[key]) : isText(value[key])));
}
