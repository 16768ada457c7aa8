// A request of the owner's app and what came back, and how to make it again from a terminal.

import type { Entry } from "../muster/types";

export type HttpEntry = Extract<Entry, { kind: "http" }>;
/** `life`: of the app, whose entries are counted anew in each. */
export type Exchange = { life: number; request: HttpEntry; response: HttpEntry | null };

/** The list with one more request, or with the answer to one. */
export function httpOf(list: readonly Exchange[], entry: HttpEntry, life: number): readonly Exchange[] {
  if (entry.direction === "up") return [...list, { life, request: entry, response: null }];
  if (!list.some((one) => answers(entry, life, one))) return list;
  return list.map((one) => (answers(entry, life, one) ? { ...one, response: entry } : one));
}

/** Whether `entry` is the answer to this request. */
export function answers(entry: HttpEntry, life: number, exchange: Exchange): boolean {
  return entry.direction === "down" && exchange.life === life && exchange.request.seq === entry.of;
}

/** Whether it is a request for this path; the gateway's address may have one of its own before it. */
export function isCall(entry: HttpEntry, path: string): boolean {
  return pathOfUrl(entry.message.url ?? "").endsWith(path);
}

export function pathOfUrl(url: string): string {
  return /^[a-z]+:\/\/[^/]*(\/[^?#]*)/i.exec(url)?.[1] ?? "";
}

/** `code` of the answer's envelope; null if there is none, or the answer is not the service's own. */
export function codeOf(exchange: Exchange): string | null {
  const { response } = exchange;
  if (response === null || response.message.status !== 200) return null;
  try {
    const body: unknown = JSON.parse(response.message.payload?.text ?? "");
    const code = typeof body === "object" && body !== null ? (body as Record<string, unknown>)["code"] : undefined;
    return typeof code === "number" || typeof code === "string" ? String(code) : null;
  } catch {
    return null;
  }
}

/** Headers that a client makes by itself. */
const OWN = new Set(["content-length", "host"]);

/**
 * The request for a POSIX shell. What is covered stays covered: the iotToken has to be put back, and with it the body
 * gets another Content-MD5 and the request another signature, unless it is the very body that was signed.
 */
export function curl({ request }: Exchange): string {
  const { method = "POST", url = "", headers, payload } = request.message;
  const lines = [`curl -X ${method} ${quoted(url)}`];
  for (const [name, value] of headers) if (!OWN.has(name.toLowerCase())) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (payload?.text !== undefined) lines.push(`--data-binary ${quoted(payload.text)}`);
  return lines.join(" \\\n  ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
