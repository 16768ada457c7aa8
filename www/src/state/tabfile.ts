// The clouds of a tab in a file: all that they keep, secrets included. Whoever writes one was asked first.

export const FORMAT = "muster-clouds";
const VERSION = 1;
/** Images are at most 64 MiB each; more than this no browser reads as one text. */
export const LARGEST = 400 * 1024 * 1024;

export type Read = { values: Map<string, Uint8Array> } | { why: "unreadable" | "newer" };

export function writeTabFile(values: ReadonlyMap<string, Uint8Array>, now: Date): string {
  const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ format: FORMAT, version: VERSION, exported: now.toISOString(), values: Object.fromEntries(sorted.map(([name, value]) => [name, toBase64(value)])) });
}

export function readTabFile(text: string): Read {
  const unreadable = { why: "unreadable" } as const;
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return unreadable;
  }
  if (typeof file !== "object" || file === null) return unreadable;
  const { format, version, values } = file as Record<string, unknown>;
  if (format !== FORMAT || typeof version !== "number") return unreadable;
  if (version > VERSION) return { why: "newer" };
  if (typeof values !== "object" || values === null || Array.isArray(values)) return unreadable;
  const read = new Map<string, Uint8Array>();
  for (const [name, value] of Object.entries(values)) {
    const bytes = typeof value === "string" ? fromBase64(value) : null;
    if (bytes === null) return unreadable;
    read.set(name, bytes);
  }
  // Clouds that kept nothing would begin anew, and not go on.
  return read.size === 0 ? unreadable : { values: read };
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  // A call takes so many arguments, and no more.
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return btoa(text);
}

function fromBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
