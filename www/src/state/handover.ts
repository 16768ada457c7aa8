// What the dialog of credentials works out by itself.

/** Bytes of a partition, written as in partition tables: `24576`, `0x6000`, `24K`. The core says what fits. */
export function partitionSize(text: string): number | undefined {
  const match = /^\s*(0x[0-9a-f]+|\d+)\s*([km]?)\s*$/i.exec(text);
  if (match === null) return undefined;
  const unit = { "": 1, k: 1024, m: 1024 * 1024 }[(match[2] ?? "").toLowerCase()] ?? 1;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) && bytes <= 0xffff_ffff ? bytes : undefined;
}

/** The text with the secret of this credential under `*`, however its form spells it. */
export function covered(text: string, credential: string): string {
  let known: Record<string, unknown>;
  try {
    known = JSON.parse(credential) as Record<string, unknown>;
  } catch {
    return "****";
  }
  let out = text;
  for (const name of ["device_secret", "device_token"]) {
    const secret = known[name];
    if (typeof secret !== "string" || secret === "") continue;
    for (const spelled of spellings(secret)) out = out.replaceAll(spelled, "*".repeat(Math.max(spelled.length, 4)));
  }
  return out;
}

/** As it is, in JSON, in C and in CSV; the longest first, because they may hold each other. */
function spellings(secret: string): string[] {
  const inC = [...new TextEncoder().encode(secret)]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      if ('"\\?'.includes(letter)) return `\\${letter}`;
      return byte >= 0x20 && byte <= 0x7e ? letter : `\\${byte.toString(8).padStart(3, "0")}`;
    })
    .join("");
  const all = [secret, JSON.stringify(secret).slice(1, -1), inC, secret.replaceAll('"', '""')];
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}
