// Lists of device numbers: read from a paste or a CSV, checked, written as CSV.

import type { CmeiCheck, ImeiCheck } from "../muster/types";

/** A number, the line that it was on, and what is said of it. */
export type Listed = { line: number; number: string; valid: boolean; luhn: boolean | null; twice: number | null; why: string };

export const MOST_NUMBERS = 20_000;

/** The first column of each line that is not empty; a heading without digits is none. */
export function readNumbers(text: string): { line: number; number: string }[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ line: i + 1, number: (line.split(/[,;\t]/)[0] ?? "").trim().replace(/^"(.*)"$/, "$1").trim() }))
    .filter(({ number, line }) => number !== "" && !(line === 1 && /^[A-Za-z_ ]+$/.test(number)));
}

/** Puts what was found beside what was read; a number that was there before is told with the line where. */
export function listed(read: readonly { line: number; number: string }[], checks: readonly (CmeiCheck | ImeiCheck)[]): Listed[] {
  const first = new Map<string, number>();
  return read.map(({ line, number }, i) => {
    const check = checks[i];
    const twice = first.get(number) ?? null;
    if (twice === null) first.set(number, line);
    return { line, number, valid: check?.valid ?? false, luhn: check?.luhn ?? null, twice, why: check?.why ?? "" };
  });
}

const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A cell that a spreadsheet would take for a formula is a text. */
const plain = (text: string): string => field(/^[=+\-@\t]/.test(text) ? `'${text}` : text);

export function listCsv(rows: readonly Listed[]): string {
  const line = (row: Listed) => [String(row.line), plain(row.number), row.valid ? "yes" : "no", row.luhn === null ? "" : row.luhn ? "yes" : "no", row.twice === null ? "" : String(row.twice), plain(row.why)].join(",");
  return `${["line,number,valid,luhn,same_as_line,why", ...rows.map(line)].join("\n")}\n`;
}
