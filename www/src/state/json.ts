import { isMask } from "./mask";

export type Token = { kind: "key" | "string" | "number" | "word" | "punct" | "space" | "mask"; text: string };

/** Longer texts are shown as they are. */
const MAX_PRETTY = 100_000;

/** Tokens of indented JSON, in the order and spelling of the original (numbers are not rounded); undefined: no JSON. */
export function prettyTokens(text: string): Token[] | undefined {
  if (text.length > MAX_PRETTY) return undefined;
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const raw = text.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g) ?? [];
  const out: Token[] = [];
  let depth = 0;
  const line = () => out.push({ kind: "space", text: `\n${"  ".repeat(depth)}` });
  raw.forEach((token, i) => {
    const next = raw[i + 1];
    if (token === "{" || token === "[") {
      out.push({ kind: "punct", text: token });
      if (next === "}" || next === "]") return;
      depth += 1;
      line();
    } else if (token === "}" || token === "]") {
      const before = raw[i - 1];
      if (before !== "{" && before !== "[") {
        depth -= 1;
        line();
      }
      out.push({ kind: "punct", text: token });
    } else if (token === ",") {
      out.push({ kind: "punct", text: token });
      line();
    } else if (token === ":") {
      out.push({ kind: "punct", text: ": " });
    } else if (token.startsWith('"')) {
      if (next === ":") out.push({ kind: "key", text: token });
      else out.push({ kind: isMask(token.slice(1, -1)) ? "mask" : "string", text: token });
    } else if (/^[tfn]/.test(token)) {
      out.push({ kind: "word", text: token });
    } else {
      out.push({ kind: "number", text: token });
    }
  });
  return out;
}
