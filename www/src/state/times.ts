// One moment in every form that the platforms write.

import { hexText } from "./bytes";

/** Milliseconds since 1970, and how the text was read; null: it is no time. */
export type Moment = { unix: number; read: "seconds" | "milliseconds" | "text" };

/** 2001 in milliseconds and 2001 in seconds are three digits apart: numbers of ten digits and fewer are seconds. */
const SECONDS = 99_999_999_999;
/** The year 9999. */
const LAST = 253_402_300_799_999;

export function readMoment(text: string, now: number): Moment | null {
  const value = text.trim();
  if (value === "" || /^now$/i.test(value)) return { unix: now, read: "milliseconds" };
  if (/^\d+$/.test(value)) {
    const number = Number(value);
    const unix = number <= SECONDS ? number * 1000 : number;
    return unix <= LAST ? { unix, read: number <= SECONDS ? "seconds" : "milliseconds" } : null;
  }
  // A time without a zone is taken for UTC: that of the person would be another one for everybody.
  const plain = /^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,3})?)?)?$/.test(value);
  // A browser makes a date of almost anything.
  if (!/^(\d{4}-\d\d-\d\d|[A-Za-z]{3}, )/.test(value)) return null;
  // The 31st of February is no day, and not the 2nd of March.
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(value) ?? [];
  if (day !== undefined && Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()) return null;
  const unix = Date.parse(plain ? `${value.replace(" ", "T")}${value.length > 10 ? "Z" : ""}` : value);
  return Number.isNaN(unix) || unix < 0 || unix > LAST ? null : { unix, read: "text" };
}

const two = (n: number) => String(n).padStart(2, "0");

/** In the zone that is so many minutes east of Greenwich. */
function zoned(unix: number, minutes: number): string {
  const there = new Date(unix + minutes * 60_000);
  const sign = minutes < 0 ? "-" : "+";
  const away = Math.abs(minutes);
  return `${there.toISOString().slice(0, 23)}${sign}${two(Math.floor(away / 60))}:${two(away % 60)}`;
}

export type Form = "seconds" | "milliseconds" | "iso" | "china" | "local" | "date" | "day" | "hex";

export function forms(unix: number): Record<Form, string> {
  const date = new Date(unix);
  // After 2106 four bytes are too few.
  const seconds = Math.floor(unix / 1000);
  const bytes = new Uint8Array(seconds < 2 ** 32 ? 4 : 8);
  if (bytes.length === 4) new DataView(bytes.buffer).setUint32(0, seconds);
  else new DataView(bytes.buffer).setBigUint64(0, BigInt(seconds));
  return {
    seconds: String(Math.floor(unix / 1000)),
    milliseconds: String(unix),
    iso: date.toISOString(),
    china: zoned(unix, 480),
    local: zoned(unix, -date.getTimezoneOffset()),
    date: date.toUTCString(),
    day: zoned(unix, 480).slice(0, 10).replaceAll("-", ""),
    hex: hexText(bytes).trim(),
  };
}
