// A whitelist: the numbers that a platform lets in. It is read from CSV as the clouds read it, so that a person sees what
// is wrong before anything is sent; and written so that it can be read again.

import type { DeviceView, PlatformName, RejectedRow } from "../muster/types";

/** The columns that an import of this platform knows; the first one is the number. */
export const COLUMNS: Record<PlatformName, readonly string[]> = {
  ucloud: ["device_sn", "device_secret"],
  cmcc: ["device_no", "device_no_type", "device_secret"],
  krtyun: ["device_id", "device_secret"],
  alibaba: ["DeviceName", "DeviceSecret"],
};

export type Wrong =
  | { why: "missing" | "twice" | "secret" | "type" }
  /** The rule of the platform for its numbers. */
  | { why: "shape"; rule: Rule };

export type Rule = "ucloud" | "krtyun" | "alibaba" | "SN" | "IMEI" | "CMEI";

export type Line = {
  /** Counted from 1, the row of names included. */
  line: number;
  name: string;
  kind: string;
  secret: boolean;
  /** Its device is there already: it will be left as it is. */
  known: boolean;
  wrong: Wrong | null;
};

export type Preview = {
  lines: readonly Line[];
  /** A first row that names columns, one of them unknown. */
  unknown: string | null;
  fresh: number;
  known: number;
  wrong: number;
};

/** China Mobile's switch that lets in types of numbers which its document does not know. */
export const ANY_TYPE = "any_device_no_type";

/** What an import of this text would do; `anyType`: China Mobile's product takes types of its own. */
export function preview(platform: PlatformName, text: string, has: (name: string) => boolean, anyType = false): Preview {
  const rows = readCsv(text.replace(/^\ufeff/, ""));
  const nothing = { lines: [], fresh: 0, known: 0, wrong: 0 };
  const [first] = rows;
  if (first === undefined) return { ...nothing, unknown: null };
  const known = COLUMNS[platform];
  const column = (cell: string) => known.find((name) => letters(name) === letters(cell));
  let columns: string[] = known.slice(0, 1);
  let body = rows;
  if (first.cells.some((cell) => column(cell) !== undefined)) {
    const odd = first.cells.find((cell) => column(cell) === undefined);
    if (odd !== undefined) return { ...nothing, unknown: odd.trim() };
    columns = first.cells.map((cell) => column(cell) ?? "");
    body = rows.slice(1);
  }
  const seen = new Set<string>();
  const lines = body.map(({ line, cells }): Line => {
    const cell = (end: RegExp) => (cells[columns.findIndex((name) => end.test(name))] ?? "").trim();
    const name = cell(/^(?!.*(?:type|secret)).*$/i);
    const secret = cell(/secret$/i);
    const kind = cell(/type$/) || "SN";
    const wrong = wrongOf(platform, name, kind, secret, anyType) ?? (seen.has(name) ? { why: "twice" as const } : null);
    seen.add(name);
    return { line, name, kind: platform === "cmcc" ? kind : "", secret: secret !== "", known: wrong === null && has(name), wrong };
  });
  const count = (is: (line: Line) => boolean) => lines.reduce((sum, line) => sum + Number(is(line)), 0);
  return { lines, unknown: null, fresh: count((line) => line.wrong === null && !line.known), known: count((line) => line.known), wrong: count((line) => line.wrong !== null) };
}

/** As `src/platform/<name>` judges it. */
function wrongOf(platform: PlatformName, name: string, kind: string, secret: string, anyType: boolean): Wrong | null {
  if (name === "") return { why: "missing" };
  const shapes: Record<Rule, RegExp> = {
    ucloud: /^[A-Za-z0-9_@:-]{4,64}$/,
    krtyun: /^(?:(?![/+#])[!-~]){1,64}$/,
    alibaba: /^[A-Za-z0-9_@:.-]{4,32}$/,
    SN: /^\S{1,64}$/u,
    IMEI: /^\d{15}$/,
    CMEI: /^11\d{13}$/,
  };
  const own = platform === "cmcc" && !["SN", "IMEI", "CMEI"].includes(kind);
  if (own && !(anyType && bytes(kind) <= 16 && bytes(name) <= 64)) return { why: "type" };
  const rule = platform === "cmcc" ? (kind as Rule) : platform;
  if (!own && !shapes[rule].test(name)) return { why: "shape", rule };
  const secrets = platform === "ucloud" ? /^(?:(?!["\\])[!-~]){1,64}$/ : /^[!-~]{1,64}$/;
  return secret !== "" && !secrets.test(secret) ? { why: "secret" } : null;
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * The devices that came with an import, so that taking it back touches no other: those of its lines that were neither
 * there before nor refused. Null if the cloud counts otherwise: somebody else imported some of them meanwhile.
 */
export function cameWith(lines: readonly Line[], before: ReadonlySet<string>, result: { added: number; rejected: readonly RejectedRow[] }): string[] | null {
  const refused = new Set(result.rejected.map(({ line }) => line));
  const names = lines.filter(({ line, name, wrong }) => wrong === null && !refused.has(line) && !before.has(name)).map(({ name }) => name);
  return names.length > 0 && names.length === result.added ? names : null;
}

/** A column's name by its letters and digits alone: people write DeviceSN, deviceName, device_no. */
function letters(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, "").toLowerCase();
}

type CsvRow = { line: number; cells: string[] };

/** RFC 4180; rows without anything in them are left out. */
export function readCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let cell = "";
  let [line, begun, quoted] = [1, 1, false];
  const end = () => {
    cells.push(cell);
    if (cells.some((each) => each.trim() !== "")) rows.push({ line: begun, cells });
    [cells, cell] = [[], ""];
  };
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (char === "\n") line += 1;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') {
        cell += '"';
        i += 1;
      } else quoted = false;
    } else if (char === '"' && cell === "") quoted = true;
    else if (char === ",") {
      cells.push(cell);
      cell = "";
    } else if (char === "\n" || char === "\r") {
      if (char === "\r" && text[i + 1] === "\n") {
        i += 1;
        line += 1;
      }
      end();
      begun = line;
    } else cell += char;
  }
  if (cell !== "" || cells.length > 0) end();
  return rows;
}

function csvCell(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** The same whitelist as CSV that an import takes; with secrets only if they are given. */
export function writeCsv(platform: PlatformName, devices: readonly DeviceView[], secrets: boolean): string {
  const kinds = platform === "cmcc";
  const names = COLUMNS[platform].filter((name) => secrets || !/secret$/i.test(name));
  const rows = devices.map((device) => [device.name, ...(kinds ? [device.more["device_no_type"] ?? "SN"] : []), ...(secrets ? [device.secret ?? ""] : [])]);
  return [names, ...rows].map((row) => `${row.map(csvCell).join(",")}\n`).join("");
}

/**
 * Whether a device has made use of its place: it was given its secret, or was there. Such a one is in the field; to
 * remove it is more than to shorten a list.
 */
export function isUsed(platform: PlatformName, device: DeviceView): boolean {
  const { more, state, last_active } = device;
  if (state === "online" || state === "offline" || last_active !== null) return true;
  switch (platform) {
    case "ucloud":
      return more["activated"] === "true";
    case "cmcc":
      return (more["secret_info_answers"] ?? "0") !== "0";
    case "krtyun":
      return more["registration"] !== "none yet";
    case "alibaba":
      return more["activated"] !== undefined;
  }
}

/** Whether an operator put it there; else it made itself by its first login. */
export function isListed(device: DeviceView): boolean {
  return device.more["created"] !== "by its first login";
}
