import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

const folder = new URL("../src/views/", import.meta.url);
const sources = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts")).map((name) => [name, readFileSync(new URL(name, folder), "utf8")] as const);

/** The literal parts of each `html` template of a source; what is put in stands as U+FFFC. */
export function templates(source: string): string[] {
  const out: string[] = [];
  /** Reads from behind a backtick to the one that closes it. */
  const template = (from: number, keep: boolean): number => {
    let text = "";
    let at = from;
    for (; at < source.length && source[at] !== "`"; at += 1) {
      if (source[at] === "\\") {
        at += 1;
      } else if (source.startsWith("${", at)) {
        at = code(at + 2, "}");
        text += "\ufffc";
      } else {
        text += source[at] ?? "";
      }
    }
    if (keep) out.push(text);
    return at;
  };
  /** Reads code up to what closes it. */
  const code = (from: number, end: string): number => {
    let depth = 0;
    for (let at = from; at < source.length; at += 1) {
      const c = source[at] ?? "";
      if (c === "/" && source[at + 1] === "/") at = source.indexOf("\n", at);
      else if (c === "/" && source[at + 1] === "*") at = source.indexOf("*/", at) + 1;
      else if (c === '"' || c === "'") at = string(at + 1, c);
      else if (c === "/" && /[=(,:?&|!]\s*$/.test(source.slice(Math.max(0, at - 4), at))) at = regex(at + 1);
      else if (c === "`") at = template(at + 1, /html$/.test(source.slice(Math.max(0, at - 4), at)));
      else if (c === "{") depth += 1;
      else if (c === "}") {
        if (depth === 0 && end === "}") return at;
        depth -= 1;
      }
      if (at < 0) return source.length;
    }
    return source.length;
  };
  const string = (from: number, quote: string): number => {
    let at = from;
    for (; at < source.length && source[at] !== quote; at += 1) if (source[at] === "\\") at += 1;
    return at;
  };
  const regex = (from: number): number => {
    let at = from;
    for (let set = false; at < source.length && (set || source[at] !== "/"); at += 1) {
      if (source[at] === "\\") at += 1;
      else if (source[at] === "[") set = true;
      else if (source[at] === "]") set = false;
    }
    return at;
  };
  code(0, "");
  return out;
}

/** Texts that a person sees or hears: between tags, and in the attributes that are read out. */
export function seen(template: string): string[] {
  const spoken = [...template.matchAll(/\b(?:aria-label|title|placeholder|alt|aria-description|aria-roledescription)=(?:"([^"]*)"|([^\s>"'\ufffc]+))/g)].map((found) => found[1] ?? found[2] ?? "");
  // Whatever stands in a tag is no text; a `>` may stand in what is put in, which is not here any more.
  const between = template.replace(/<!--.*?-->/gs, "").split(/<\/?[a-z][^>]*>/i);
  return [...spoken, ...between].map((text) => text.replaceAll("\ufffc", " ").replace(/\s+/g, " ").trim()).filter((text) => /\p{L}{2,}/u.test(text));
}

/** Names, codes and keys: the same in every language. */
const SAME = /^(?:Esc|iotId|ms|\d+ ?ms|HTTP|MQTT|JSON|QoS|CSV|SHA-256|MD5|token|App|·|:|[A-Z][A-Za-z]*Key|URL|iotToken|refreshToken|DeviceName|muster [a-z -]+)$/;

describe("the reader of templates", () => {
  it("finds texts, attributes that are read out, and what is nested; and no code", () => {
    const source = 'const a = /"`/; const x = html`<p title="Old text" class="no">Hello ${cond ? html`<b>inner</b>` : "code"} &amp; <i aria-label=${f(`not ${1}`)}>${y}</i></p>`; // html`<p>comment</p>`\n const s = "html`<p>string</p>`";';
    expect(templates(source).flatMap(seen)).toEqual(["inner", "Old text", "Hello &amp;"]);
  });
});

describe("the views", () => {
  it("have no text of their own: all of it is in the dictionaries", () => {
    expect(sources.length).toBeGreaterThan(20);
    const all = sources.map(([name, source]) => [name, templates(source)] as const);
    expect(all.reduce((sum, [, found]) => sum + found.length, 0)).toBeGreaterThan(300);
    const own = all.flatMap(([name, found]) => found.flatMap(seen).filter((text) => !SAME.test(text)).map((text) => `${name}: ${text}`));
    expect(own).toEqual([]);
  });
});
