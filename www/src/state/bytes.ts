export type HexLine = { offset: string; hex: string; text: string };

/** A hex dump of at most `max` bytes, `width` to a line. */
export function hexLines(bytes: Uint8Array, width = 8, max = 8192): HexLine[] {
  const out: HexLine[] = [];
  for (let at = 0; at < Math.min(bytes.length, max); at += width) {
    const slice = bytes.subarray(at, Math.min(at + width, bytes.length, max));
    const hex = [...slice].map((byte) => byte.toString(16).padStart(2, "0"));
    const text = [...slice].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    out.push({ offset: at.toString(16).padStart(4, "0"), hex: hex.join(" ").padEnd(width * 3 - 1), text });
  }
  return out;
}

/** All bytes as hex, as other tools take it. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** A size as people say it; the units are the same in both languages. */
export function sizeText(n: number): string {
  if (n < 10_240) return `${n} B`;
  if (n < 10_485_760) return `${Math.round(n / 1024)} KiB`;
  return `${Math.round((n / 1_048_576) * 10) / 10} MiB`;
}

/** Milliseconds since the start, as on a stopwatch. */
export function stopwatch(ms: number): string {
  const total = Math.max(0, ms);
  if (total < 60_000) return (total / 1000).toFixed(3);
  const minutes = Math.floor(total / 60_000);
  const seconds = ((total % 60_000) / 1000).toFixed(1).padStart(4, "0");
  if (minutes < 60) return `${minutes}:${seconds}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds.slice(0, 2)}`;
}

export function latencyText(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
