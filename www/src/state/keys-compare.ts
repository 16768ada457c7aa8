// The key as the cloud gives it beside the key as it is computed here: the same, or where they part.

import type { CipherInput, CipherOutput } from "../muster/types";

export type Comparison = { same: true } | { same: false; at: number; length: [number, number] };

/** Hexadecimal texts without regard to case. `at`: the first byte that differs. */
export function compareHex(cloud: string, own: string): Comparison {
  const [a, b] = [cloud.trim().toLowerCase(), own.trim().toLowerCase()];
  if (a === b) return { same: true };
  let at = 0;
  while (at < Math.min(a.length, b.length) && a[at] === b[at]) at += 1;
  return { same: false, at: Math.floor(at / 2), length: [a.length / 2, b.length / 2] };
}

export type Mistake = "type" | "reversed_mac";

/** Other inputs that people take by mistake, to be tried when the keys differ. */
export function suspects(input: CipherInput): { mistake: Mistake; input: CipherInput }[] {
  const out: { mistake: Mistake; input: CipherInput }[] = [];
  const ble = input.type === 6 || input.type === 7;
  if (ble && input.mac !== undefined) {
    const mac = (input.mac.match(/[0-9a-f]{2}/gi) ?? []).reverse().join(":");
    out.push({ mistake: "reversed_mac", input: { ...input, mac } });
  }
  // The same secret under a type of the other kind: with or without the MAC address.
  const other = { 3: 6, 4: 7, 6: 3, 7: 4 }[input.type];
  if (other !== undefined && (ble || input.mac !== undefined)) out.push({ mistake: "type", input: { ...input, type: other } });
  return out;
}

/** What the cloud's key turns out to be, if one of the suspects fits. */
export async function explainDifference(cloud: string, input: CipherInput, cipher: (input: CipherInput) => Promise<CipherOutput>): Promise<Mistake | null> {
  for (const { mistake, input: other } of suspects(input)) {
    const made = await cipher(other).catch(() => null);
    if (made !== null && compareHex(cloud, made.key).same) return mistake;
  }
  return null;
}
