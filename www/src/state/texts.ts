// What people read about events, errors and entries, in the language in use.

import type { AppEvent, BindFailure, CodecError, Entry, Error, Event, Failure, Fault, PlatformName, Update, UpdateFailure, Warning } from "../muster/types";
import { i18n, say, t, waitText } from "../i18n";
import { codeMeaning, gatewayMeaning } from "./codes";
import { messageText, problemText } from "./messages";
import { percent, type DeviceFacts, type PhaseId, type UpdateCard } from "./timeline";
import { latencyText, sizeText } from "./bytes";

export function errorText(error: Error, platform: PlatformName): string {
  const d = t();
  const name = spaced(d.platform[platform].short);
  switch (error.blame) {
    case "codec":
      return d.error.codec(codecText(error.error));
    case "peer_misbehaved":
      return d.error.peer(d.peer[error.how] ?? error.how);
    case "rejected": {
      const { by } = error;
      switch (by.how) {
        case "connack": {
          const codes: Record<number, string> = d.connack as unknown as Record<number, string>;
          return d.error.connack(name, codes[by.code] ?? d.connack.other, by.code);
        }
        case "suback":
          return d.error.suback(name, by.topic);
        case "code":
          return d.error.code(name, by.code, meaning(codeMeaning(platform, by.code), by.message));
        case "http":
          return d.error.http(name, by.status, meaning(gatewayMeaning(by.message), by.message));
      }
      break;
    }
    case "network":
      return d.error.network(failureText(error.failure));
    case "no_reply":
      return d.error.noReply(d.step[error.step] ?? error.step);
    case "local":
      if (typeof error.failure === "object") return d.error.missingSetting(error.failure.missing_setting);
      return error.failure === "store" ? d.error.store : d.error.install;
  }
}

/** What a code means in the language in use, and the cloud's own words, which are what a search finds. */
function meaning(known: { en: string; zh: string; assumed?: true } | undefined, message: string): string {
  if (known === undefined) return message;
  const text = `${say(known)}${known.assumed === true ? t().error.assumed : ""}`;
  return message === "" || message.toLowerCase() === say(known).toLowerCase() ? text : t().error.saysItself(text, message);
}

/** Between Latin and Chinese stands a space; after Chinese none, and in English the sentence has its own. */
function spaced(name: string): string {
  return i18n.language === "zh" && /[A-Za-z0-9]$/.test(name) ? `${name} ` : name;
}

function codecText(error: CodecError): string {
  const d = t().codec;
  if (typeof error === "string") return d[error];
  return "missing" in error ? d.missing(error.missing) : d.invalid(error.invalid);
}

export function failureText(failure: Failure): string {
  const d = t().failure;
  return typeof failure === "string" ? d[failure] : d.status(failure.status);
}

export function updateFailureText(reason: UpdateFailure): string {
  const d = t().updateFailure;
  if (typeof reason === "string") return d[reason];
  return "refused" in reason ? d.refused(reason.refused) : d.download(failureText(reason.download));
}

function warningText(warning: Warning, platform: PlatformName): string {
  const d = t().warning;
  switch (warning.kind) {
    case "ignored":
      return d.ignored(errorText(warning.error, platform));
    case "subscribe_refused":
      return d.subscribe_refused(warning.topic);
    default:
      return d[warning.kind] ?? warning.kind;
  }
}

function updateText(update: Update): string {
  const d = t();
  switch (update.phase) {
    case "offered":
      return d.event.offered(update.from, update.to) + (update.size === null ? "" : ` · ${sizeText(update.size)}`);
    case "downloading": {
      const { received, total } = update;
      if (total === null || total === 0) return d.row.progressBytes(sizeText(received));
      return d.row.progress(Math.min(100, Math.floor((received / total) * 100)));
    }
    case "verified":
      return update.digest ? d.event.verified : d.event.unverified;
    case "installed":
      return d.event.installed(update.from, update.to);
    case "reported":
      return d.event.reported(update.version);
    case "failed":
      return d.event.updateFailed(updateFailureText(update.reason));
    case "cancelled":
      return d.event.cancelled;
  }
}

export function eventText(event: Event, platform: PlatformName): string {
  const d = t().event;
  switch (event.event) {
    case "step":
      return t().step[event.step] ?? event.step;
    case "registered":
      return d.registered(event.identity.device);
    case "ready":
      return platform === "cmcc" ? d.readyCmcc : d.ready;
    case "heartbeat":
      return d.heartbeat(t().due[event.why]);
    case "scheduled":
      return d.scheduled(t().due[event.why]);
    case "update":
      return updateText(event.update);
    case "retrying":
      return d.retrying(errorText(event.error, platform), waitText(event.in_ms));
    case "stopped":
      return d.stopped(errorText(event.error, platform));
    case "warning":
      return d.warning(warningText(event.warning, platform));
    case "properties_set":
      return d.propertiesSet(event.json);
    case "properties_posted":
      return d.propertiesPosted;
    case "bind_token":
      return d.bindToken(event.token, waitText(event.for_ms));
    case "permit": {
      const { seconds, product } = event;
      const what = seconds === 0 ? d.permitAlways : seconds === 65_535 ? d.permitClosed : d.permit(seconds);
      return what + (product === null ? "" : d.permitOf(product));
    }
    case "topology": {
      const words = d.topology as unknown as Record<string, string>;
      return `${event.devices.join(", ")} ${words[String(event.status)] ?? d.topology.other}`;
    }
  }
}

export function bindFailureText(failure: BindFailure): string {
  const d = t().bindFailure;
  switch (failure.why) {
    case "call":
      return errorText(failure.error, "alibaba");
    case "parameter":
      return d.parameter(failure.error.parameter, problemText(failure.error.problem));
    default:
      return d[failure.why] ?? failure.why;
  }
}

export function appEventText(event: AppEvent): string {
  const d = t().appEvent;
  const name = (device: { product_key: string; device_name: string }) => `${device.product_key}/${device.device_name}`;
  switch (event.event) {
    case "step":
      return t().phase[`app_${event.step}`][0] ?? event.step;
    case "discovered":
      return d.discovered(event.devices.length);
    case "filtered":
      return d.filtered(event.devices.length);
    case "chosen":
      return d.chosen(name(event.device));
    case "key_ready":
      return d.keyReady;
    case "waiting":
      return d.waiting(waitText(event.for_ms));
    case "token_known":
      return d.tokenKnown(event.iot_id);
    case "bound":
      return d.bound(name(event.device));
    case "failed":
      return d.failed(bindFailureText(event.failure));
    case "cancelled":
      return d.cancelled;
    case "retrying":
      return d.retrying(event.call, errorText(event.error, "alibaba"), waitText(event.in_ms));
  }
}

/** Title and addition of a phase; some differ between platforms. */
export function phaseText(phase: PhaseId, platform: PlatformName, registration: string): readonly string[] {
  const d = t().phase;
  if (platform === "cmcc" && phase === "ask") return d.ask_cmcc;
  if (platform === "cmcc" && phase === "online") return d.online_cmcc;
  if (platform === "alibaba" && registration !== "mqtt" && phase === "ask") return d.register_http;
  if (phase === "register" && platform === "ucloud") return [d.register[0] ?? "", `${d.register[1] ?? ""}${mode(2)}`];
  if (phase === "login" && platform === "ucloud") return [d.login[0] ?? "", `${d.login[1] ?? ""}${mode(1)}`];
  return d[phase];
}
/** The digit that ends the user name. */
const mode = (digit: number): string => say({ en: ` · mode ${digit}`, zh: ` · 模式 ${digit}` });

/** A topic without the product and device that every topic of a device names. */
export function shortTopic(topic: string): string {
  const own = /^\/(?:\$system|sys)\/[^/]+\/[^/]+\/(.+)$/.exec(topic)?.[1];
  if (own !== undefined) return `…/${own}`;
  const before = /^(\/(?:ota|ext)\/.+)\/[^/]+\/[^/]+$/.exec(topic)?.[1];
  return before === undefined ? topic : `${before}/…`;
}

export type RowText = { strong: string; code: string; rest: string };

/** The one line that stands for an entry. */
export function entryText(entry: Entry, platform: PlatformName): RowText {
  const d = t();
  const line = (strong: string, code = "", rest = ""): RowText => ({ strong, code, rest });
  switch (entry.kind) {
    case "event":
      return line(eventText(entry.event, platform));
    case "app_event":
      return line(appEventText(entry.event));
    case "reply": {
      const failed = "error" in entry.result;
      return line(d.row.reply(entry.call), "", failed && "error" in entry.result ? errorText(entry.result.error, "alibaba") : d.row.accepted);
    }
    case "mqtt": {
      const p = entry.packet;
      switch (p.type) {
        case "CONNECT":
          return line(p.type, p.username ?? p.client_id ?? "");
        case "CONNACK":
          return line(p.type, "", p.return_code === 0 ? d.row.accepted : d.row.refused(p.return_code ?? 0));
        case "SUBACK":
          return line(p.type, "", (p.return_code ?? 0) >= 0x80 ? d.row.refused(p.return_code ?? 0x80) : d.row.accepted);
        case "PUBLISH":
          return line(p.type, shortTopic(p.topic ?? ""), methodOf(p.payload?.text));
        default:
          return line(p.type, p.topic === undefined ? "" : shortTopic(p.topic));
      }
    }
    case "http": {
      const m = entry.message;
      if (entry.direction === "up") return line(m.method ?? "HTTP", pathOf(m.url ?? ""), went(m.relay));
      if ((m.status ?? 0) === 0) return line(d.row.noAnswer);
      return line(`HTTP ${m.status ?? ""}`, "", methodOf(m.payload?.text));
    }
    case "store": {
      const what = entry.action === "put" ? d.row.storePut[entry.key] : d.row.storeErase[entry.key];
      const size = entry.action === "put" ? `· ${d.row.stored(d.detail.bytesOf(entry.size))}` : "";
      return line(what, "", entry.outcome === "done" ? size : `· ${d.row.failed}${entry.reason === undefined ? "" : `: ${messageText(entry.reason)}`}`);
    }
    case "install":
      return line(d.row.install(entry.version), "", `· ${entry.outcome === "done" ? sizeText(entry.size) : d.row.failed}`);
    case "link": {
      const what = { opening: d.row.linkOpening, open: d.row.linkOpen, closed: d.row.linkClosed }[entry.what];
      return line(entry.relay === true ? t().relay.did(what) : what, hostOf(entry.url));
    }
    case "fault": {
      const { packet, message, detail } = entry;
      const what = packet !== undefined ? `${packet.type} ${shortTopic(packet.topic ?? "")}`.trim() : message === undefined ? "" : message.url !== undefined ? `${message.method ?? ""} ${pathOf(message.url)}`.trim() : `HTTP ${message.status ?? ""}`;
      return line(`${d.faults.entry}: ${faultText(entry.done)}`, what, detail === undefined ? "" : `· ${detail}`);
    }
    case "misuse":
      return line(d.row.misuse, "", messageText(entry.message));
  }
}

function went(relay: boolean | undefined): string {
  return relay === true ? `· ${t().relay.went}` : "";
}

/** What a fault did. */
export function faultText(fault: Fault): string {
  const d = t().faults.done;
  switch (fault.fault) {
    case "delay":
      return d.delay(shortWait(fault.ms));
    case "clock_skew":
    case "clock_jump":
      return d[fault.fault](`${fault.ms < 0 ? "−" : "+"}${waitText(Math.abs(fault.ms))}`);
    case "network_loss":
    case "broker_restart":
      return d[fault.fault](shortWait(fault.ms));
    case "power_cut": {
      const { key, when } = fault;
      if (key === undefined) return d.power_cut;
      return (when === "before" ? d.power_cut_before : d.power_cut_after)(t().faults.keys[key] ?? key);
    }
    case "store_fail":
      return d.store_fail(t().faults.keys[fault.key] ?? fault.key);
    case "download_corrupt":
      return d.download_corrupt(fault.bytes, fault.after);
    case "download_truncate":
    case "download_break":
      return d[fault.fault](fault.after);
    case "download_stall":
      return d.download_stall(fault.after, shortWait(fault.ms));
    case "download_slow":
      return d.download_slow(fault.bytes_per_s);
    case "download_status":
      return d.download_status(fault.status);
    default:
      return d[fault.fault] ?? fault.fault;
  }
}

function shortWait(ms: number): string {
  return ms < 2_000 ? latencyText(ms) : waitText(ms);
}

/** `Method`, `CMD`, `code` or `RetCode` of a JSON body: what it is about. */
export function methodOf(text: string | undefined): string {
  if (text === undefined || text.length > 20_000) return "";
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== "object" || body === null) return "";
    for (const key of ["Method", "CMD", "method", "code", "RetCode"]) {
      const value = (body as Record<string, unknown>)[key];
      if (typeof value === "string" || typeof value === "number") return key.toLowerCase() === "method" ? shortMethod(String(value)) : `${key} ${value}`;
    }
  } catch {
    // Not JSON: nothing to tell.
  }
  return "";
}

function shortMethod(method: string): string {
  return method.split(".").slice(-2).join(".");
}

export function pathOf(url: string): string {
  try {
    const { pathname } = new URL(url);
    return pathname.length > 40 ? `…${pathname.slice(-39)}` : pathname;
  } catch {
    return url;
  }
}

export function hostOf(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    // Where nothing leaves the page there is no address; the core wants one all the same.
    if (host.endsWith("tab.invalid")) return t().lanes.inTab;
    return host === "" ? url : `${protocol}//${host}`;
  } catch {
    return url;
  }
}

/** The state word on the chip. */
export function wordText(facts: DeviceFacts, platform: PlatformName, failed: boolean, now: number): string {
  const d = t().word;
  if (failed) return d.failed;
  switch (facts.word) {
    case "online":
      return platform === "cmcc" ? d.known : d.online;
    case "login":
      return platform === "cmcc" ? d.reporting : d.login;
    case "updating": {
      const done = facts.update === null ? null : updatingPercent(facts.update);
      return done === null ? d.updating : d.updatingPercent(done);
    }
    case "retrying": {
      const at = facts.trouble?.retryAt;
      return at != null && at > now ? d.retryingIn(waitText(at - now)) : d.retrying;
    }
    default:
      return d[facts.word];
  }
}

function updatingPercent(card: UpdateCard): number | null {
  return card.phase === "downloading" ? percent(card) : null;
}

export type Tone = "ok" | "run" | "warn" | "bad" | "quiet";

export function tone(facts: DeviceFacts, failed: boolean): Tone {
  if (failed) return "bad";
  switch (facts.word) {
    case "online":
      return "ok";
    case "stopped":
    case "dead":
      return "bad";
    case "retrying":
      return "warn";
    case "off":
    case "cut":
      return "quiet";
    default:
      return "run";
  }
}
