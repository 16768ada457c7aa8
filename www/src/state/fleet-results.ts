// What came of a fleet, for files and tickets. English in every language of the page, and in the words of `muster fleet`,
// so that results of both can be laid side by side. No secret is in any of it but the list of credentials.

import type { Advice, CodecError, Error, Failure, FleetCause, FleetRow, FleetState, FleetStatus, PlatformName, Step, TroubleReason } from "../muster/types";
import { writeCsv } from "./csv";
import { SETTINGS } from "./settings";

/** The columns of `muster fleet --results`. */
export const RESULT_COLUMNS = ["device", "state", "registered", "why", "next"] as const;

const STEP: Partial<Record<Step, string>> = {
  connect_to_register: "connecting with the product's credential",
  subscribe_for_secret: "subscribing to where the secret will come",
  request_secret: "asking the cloud for this device's secret",
  store_secret: "storing the secret",
  confirm_secret: "telling the cloud that the secret is stored",
  leave_registration: "leaving the product's session",
  login: "logging in with the device's own secret",
  subscribe: "subscribing to the device's topics",
  report_version: "reporting the firmware version",
  heartbeat: "sending a heartbeat",
  report_token: "reporting a bind token",
  download: "fetching the firmware image",
  install: "installing the firmware image",
};

const ADVICE: Record<Advice, string> = {
  check_product_secret: "check the product's credential in the settings, then try again",
  import_device: "have the cloud's operator import this device or open dynamic registration (local clouds: muster cloud), then try again",
  already_registered:
    "the cloud gave this device its secret before: put that secret into the settings, or have the operator reset the device and register again",
  check_device:
    "the stored secret is refused: ask the operator whether the device was reset or disabled; `register-again` forgets the secret and gets a new one, and only a person may decide that",
  check_storage: "make room or mend the storage, then try again; nothing was confirmed to the cloud",
  check_network: "check the network and the address in the settings, then try again",
  ask_vendor: "the cloud does not behave as its document says: show this line to the vendor, then try again",
};

const TROUBLE: Partial<Record<TroubleReason, string>> = {
  mixed_content: "a page from https may not open unprotected addresses",
  cors: "the server does not let web pages read its answers",
  not_websocket: "something answers there, and not as an MQTT WebSocket",
  refused_by_policy: "the page's own policy forbids the address",
  bad_url: "a browser cannot open this address",
  closed: "the other side closed the connection",
};

const MISBEHAVED: Record<string, string> = {
  wrong_request_id: "a reply to a request that was never sent",
  unusable_secret: "a secret that is empty, too long or not printable",
  wrong_identity: "a reply that speaks of another device",
  forbidden_url: "a firmware address of a kind that the vendor does not allow",
  closed_early: "it closed the connection in the middle of the step",
};

const CONNACK: Record<number, string> = {
  1: "it does not take this version of MQTT",
  2: "it does not take this client identifier",
  3: "it is not available now",
  4: "wrong user name or password",
  5: "not authorized",
};

/** What went wrong, in English, without the next move. */
export function englishError(error: Error, platform: PlatformName): string {
  switch (error.blame) {
    case "codec":
      return `the cloud's answer cannot be read: ${codec(error.error)}`;
    case "peer_misbehaved":
      return `the cloud broke the protocol: ${MISBEHAVED[error.how] ?? error.how}`;
    case "rejected": {
      const { by } = error;
      const rest = (message: string, before: string) => (message === "" ? "" : `${before}${message}`);
      if (by.how === "connack") return `${platform} refused the login: ${CONNACK[by.code] ?? "for a reason of its own"} (CONNACK ${by.code})`;
      if (by.how === "suback") return `${platform} refused the subscription to ${by.topic}`;
      if (by.how === "code") return `${platform} said no: code ${by.code}${rest(by.message, ", ")}`;
      return `${platform} answered with HTTP status ${by.status}${rest(by.message, ": ")}`;
    }
    case "network":
      return `no connection: ${failure(error.failure)}`;
    case "no_reply":
      return `no answer in time, while ${STEP[error.step] ?? "going on"}`;
    case "local":
      if (typeof error.failure === "object") return `setting \`${error.failure.missing_setting}\` is missing`;
      return error.failure === "store" ? "this machine could not store a value" : "this machine could not install the image";
  }
}

function codec(error: CodecError): string {
  const known: Record<string, string> = { not_json: "it is no JSON", not_an_object: "it is no JSON object", not_utf8: "it is no UTF-8", too_long: "it is too long", too_deep: "it is nested too deeply" };
  if (typeof error === "string") return known[error] ?? error;
  return "missing" in error ? `\`${error.missing}\` is missing` : `\`${error.invalid}\` is not what it has to be`;
}

function failure(why: Failure): string {
  const known: Record<string, string> = {
    dns: "the host name cannot be resolved",
    unreachable: "nobody listens there, or the network is down",
    tls: "TLS could not be set up",
    timed_out: "no answer in time",
    lost: "the connection broke",
    protocol: "the answer does not follow the protocol",
    too_large: "more bytes than are taken",
    forbidden: "the address is not allowed",
  };
  return typeof why === "string" ? (known[why] ?? why) : `HTTP status ${why.status}`;
}

function why(of: { error: Error | null; trouble: TroubleReason | null }, platform: PlatformName): string {
  if (of.error === null) return "";
  const more = of.trouble === null ? undefined : TROUBLE[of.trouble];
  return `${englishError(of.error, platform)}${more === undefined ? "" : ` (${more})`}`;
}

/** The word that `muster fleet` has for it. */
export function resultState(state: FleetState, registered: FleetRow["registered"]): string {
  switch (state) {
    case "registering":
    case "login":
      return "starting";
    case "online":
      return "ready";
    case "rejected":
    case "failed":
      return "failed";
    case "off":
      return registered === "" ? "waiting" : "done";
    default:
      return state;
  }
}

function resultRow(row: FleetRow, platform: PlatformName): string[] {
  const next = row.advice === null ? "" : ADVICE[row.advice];
  return [row.name, resultState(row.state, row.registered), row.registered, plain(why(row, platform)), next];
}

/** Without what steers a terminal: a text may come from a cloud. */
function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "\ufffd");
}

export function resultsCsv(rows: readonly FleetRow[], platform: PlatformName): string {
  return writeCsv(RESULT_COLUMNS, rows.map((row) => resultRow(row, platform)));
}

export function resultsJson(rows: readonly FleetRow[], facts: Facts): string {
  const devices = rows.map((row) => ({ ...Object.fromEntries(resultRow(row, facts.platform).map((value, at) => [RESULT_COLUMNS[at] ?? "", value])), reports: row.reports }));
  const { status } = facts;
  const head = {
    format: "muster-fleet-results",
    version: 1,
    written: facts.now.toISOString(),
    platform: facts.platform,
    world: facts.world,
    verdict: facts.verdict,
    seconds: round(status.at / 1000),
    counts: status.counts,
    registered: status.registered,
    ready: status.readied,
    reports: status.reports,
    lost: status.lost,
    latency_ms: Object.fromEntries(Object.entries(status.latency).map(([name, { all }]) => [name, all])),
  };
  return `${JSON.stringify({ ...head, devices }, null, 1)}\n`;
}

export type Facts = { platform: PlatformName; world: string; status: FleetStatus; verdict: string; now: Date; browser: string };

/** A few lines for a ticket, as Markdown. */
export function summary({ platform, world, status, verdict, now, browser }: Facts): string {
  const { counts } = status;
  const where = Object.entries(counts).filter(([, n]) => n > 0).map(([name, n]) => `${n} ${name}`).join(", ");
  const seconds = status.readied_at / 1000;
  const rate = seconds > 0 ? `, ${Math.round(status.readied / seconds)} a second` : "";
  const ms = (value: number) => (value >= 1000 ? `${round(value / 1000)} s` : `${round(value)} ms`);
  const latency = Object.entries(status.latency)
    .filter(([, { all }]) => all.count > 0)
    .map(([name, { all }]) => `| ${name} | ${all.count} | ${ms(all.p50)} | ${ms(all.p95)} | ${ms(all.p99)} | ${ms(all.max)} |`);
  const cause = (c: FleetCause) => {
    const next = c.advice === null ? "it tries again by itself" : ADVICE[c.advice];
    return `- ${c.times} × ${md(why(c, platform))}; ${c.devices} devices now; such as ${md(c.example)}; next: ${next}`;
  };
  return [
    `# Fleet: ${status.devices} devices of ${platform}, ${world}`,
    `${now.toISOString()} · ${md(browser)}`,
    verdict === "" ? "" : `**${verdict}**`,
    `- after ${round(status.at / 1000)} s: ${where}`,
    `- ${status.readied} were ready after ${round(seconds)} s${rate}; ${status.registered} got their secret in this run`,
    `- ${status.reports} reports accepted, ${status.reports_late} late; ${status.lost} times an online device was lost`,
    latency.length === 0 ? "" : ["| | count | p50 | p95 | p99 | max |", "| --- | --- | --- | --- | --- | --- |", ...latency].join("\n"),
    status.causes.length === 0 ? "" : `## Failures\n\n${status.causes.map(cause).join("\n")}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function md(text: string): string {
  return plain(text).replaceAll(/[|`*_<>[\]\\]/g, (c) => `\\${c}`);
}

/** The list of devices with their own secrets, which this page and `muster fleet --devices` take. **Secrets.** */
export function credentialsCsv(credentials: readonly (readonly [n: number, credential: string])[], platform: PlatformName): { text: string; devices: number; without: number } {
  const known = new Set(SETTINGS[platform].map(({ key }) => key));
  const rows: Record<string, string>[] = [];
  let without = 0;
  for (const [, text] of credentials) {
    const row = settingsOf(text, known);
    if (row["device_secret"] === undefined) without += 1;
    else rows.push(row);
  }
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return { text: writeCsv(columns, rows.map((row) => columns.map((key) => row[key] ?? ""))), devices: rows.length, without };
}

function settingsOf(text: string, known: ReadonlySet<string>): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null) return {};
  const of = Object.entries(value).filter((pair): pair is [string, string] => known.has(pair[0]) && typeof pair[1] === "string");
  return Object.fromEntries(of);
}

/** A word of a shell's command line. */
function word(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What brings the others to life on this machine. Secrets never stand in a command line: they go into a file. */
export function fleetCommand(of: { platform: PlatformName; file: string; settings: Record<string, string>; isSecret: (key: string) => boolean; local: boolean; origin: string; until: boolean }): { command: string; secrets: string[]; line: boolean } {
  const parts = ["muster", "fleet", "--platform", of.platform, "--devices", word(of.file)];
  // Where `muster up` listens unless it is told otherwise.
  const line = of.local && of.origin !== "http://127.0.0.1:7878";
  if (line) parts.push("--local", "up.json");
  const secrets = Object.keys(of.settings).filter((key) => of.isSecret(key));
  if (secrets.length > 0) parts.push("--config", "common.toml");
  for (const [key, value] of Object.entries(of.settings)) if (!of.isSecret(key)) parts.push("--set", word(`${key}=${value}`));
  if (of.until) parts.push("--until", "ready");
  parts.push("--results", "results.csv");
  return { command: parts.join(" "), secrets, line };
}
