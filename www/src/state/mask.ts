/** Secrets arrive overwritten with `*`, one for each byte. */
export function isMask(text: string): boolean {
  return /^\*{3,}$/.test(text);
}

export type Part = { text: string; mask: boolean };

/** Splits a text at its runs of `*`; four and more are a secret, fewer may be part of a text. */
export function parts(text: string): Part[] {
  const out: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(/\*{4,}/g)) {
    if (match.index > from) out.push({ text: text.slice(from, match.index), mask: false });
    out.push({ text: match[0], mask: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) out.push({ text: text.slice(from), mask: false });
  return out;
}

/** What is shown in place of a secret: its length up to a bound, so that a long one does not break the layout. */
export function dots(text: string): string {
  return "•".repeat(Math.min(text.length, 16));
}

const SECRET_KEYS = new Set([
  "product_secret",
  "device_secret",
  "app_secret",
  "iot_token",
  "refresh_token",
  "device_token",
  "secret",
]);

/** Whether a setting's value must not be seen over a shoulder. China Mobile's `product_key` is its secret; Alibaba's is a name. */
export function isSecretSetting(platform: string, key: string): boolean {
  return SECRET_KEYS.has(key) || (platform === "cmcc" && key === "product_key");
}
