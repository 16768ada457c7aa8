// What a page passes in is typed in types.ts and data.ts, and read member by member in src/web. Here the two are laid side
// by side, so that a member, or a name, that changes on one side alone is seen.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

// ---------- what the WebAssembly side reads ----------

type Kind = "text" | "number" | "flag" | "platform" | "list" | "map" | "any";
type Member = { name: string; kind: Kind; /** What it is if it is absent: an error, nothing, or a value that is as good (empty, false, a default). */ absent: "missing" | "nothing" | "empty" };

const source = (file: string) => readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8").replace(/^\s*\/\/.*$/gm, "");

/** The body of a function, or of a method. */
function body(file: string, name: string): string {
  const found = new RegExp(`^( *)(?:pub(?:\\(super\\))? )?fn ${name}\\b[\\s\\S]*?^\\1}$`, "m").exec(source(file));
  if (found === null) throw new Error(`${file} has no fn ${name}`);
  return found[0];
}

/** The reader's own words for it: `Members` in src/web/read.rs. */
const METHODS: Record<string, Omit<Member, "name">> = {
  text: { kind: "text", absent: "missing" },
  maybe_text: { kind: "text", absent: "nothing" },
  text_or_empty: { kind: "text", absent: "empty" },
  number: { kind: "number", absent: "missing" },
  maybe_number: { kind: "number", absent: "nothing" },
  maybe_real: { kind: "number", absent: "nothing" },
  flag: { kind: "flag", absent: "empty" },
  platform: { kind: "platform", absent: "missing" },
  list: { kind: "list", absent: "empty" },
  maybe_texts: { kind: "list", absent: "nothing" },
  pairs: { kind: "map", absent: "empty" },
  map: { kind: "map", absent: "empty" },
  bytes_by_name: { kind: "map", absent: "empty" },
  value: { kind: "any", absent: "nothing" },
  maybe_members: { kind: "any", absent: "nothing" },
};

/** What is read with besides. */
const HELPERS: [RegExp, (found: RegExpMatchArray) => Member][] = [
  [/\bRoute::read\(&options\)/g, () => ({ name: "relay", kind: "flag", absent: "empty" })],
  [/\bbetween\(of, "(\w+)"/g, ([, name = ""]) => ({ name, kind: "number", absent: "missing" })],
  [/\bstatus\(of, \d+\)/g, () => ({ name: "status", kind: "number", absent: "missing" })],
  [/\bread_code\(of\)/g, () => ({ name: "code", kind: "text", absent: "missing" })],
  [/\bat_least_one\(&of, "(\w+)"\)/g, ([, name = ""]) => ({ name, kind: "number", absent: "nothing" })],
  [/of\.maybe_text\("when"\)/g, () => ({ name: "when", kind: "text", absent: "empty" })],
  [/\bread_times\(&of\)/g, () => ({ name: "times", kind: "any", absent: "nothing" })],
  [/\bpart\("(\w+)"\)/g, ([, name = ""]) => ({ name, kind: "text", absent: "nothing" })],
];

/** The members that this code reads; `needed` of those that may be absent is an error too. */
function reads(code: string): Member[] {
  const members = new Map<string, Member>();
  const add = (member: Member) => {
    const before = members.get(member.name);
    if (before === undefined || member.absent !== "nothing") members.set(member.name, member);
  };
  for (const [, method = "", name = "", otherwise] of code.matchAll(/\.(\w+)\(\s*"(\w+)"\s*\)(\?\s*\.unwrap_or)?/g)) {
    const of = METHODS[method];
    if (of !== undefined) add({ name, ...of, ...(otherwise !== undefined && { absent: "empty" }) });
  }
  for (const [pattern, made] of HELPERS) for (const found of code.matchAll(pattern)) add(made(found));
  for (const [, name = ""] of code.matchAll(/\bneed\([\s\S]*?,\s*"(\w+)"\s*,?\s*\)/g)) {
    const member = members.get(name);
    if (member !== undefined) members.set(name, { ...member, absent: "missing" });
  }
  return [...members.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** The arms of a match by a name, each with what it reads; `closures` are what stands for a read in them. */
function arms(code: string, closures: Record<string, string> = {}): Record<string, Member[]> {
  const whole = /match (?:&\*[\s\S]*?|name) \{\n([\s\S]*)/.exec(code)?.[1] ?? "";
  const [, indent = ""] = /^( *)"/m.exec(whole) ?? [];
  const out: Record<string, Member[]> = {};
  for (const part of whole.split(new RegExp(`^${indent}(?=["_])`, "m")).slice(1)) {
    const name = /^"(\w+)"/.exec(part)?.[1];
    // After the last arm comes what all have in common.
    if (name === undefined) break;
    let text = part;
    for (const [closure, means] of Object.entries(closures)) text = text.replaceAll(new RegExp(`\\b${closure}`, "g"), means);
    out[name] = reads(text);
  }
  return out;
}

/** Names that a function compares with. */
const names = (code: string) => [...code.matchAll(/^\s*"(\w+)" =>/gm)].map(([, name = ""]) => name);

// ---------- what the types say ----------

const program = ts.createProgram([fileURLToPath(new URL("../src/muster/types.ts", import.meta.url))], { strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: [] });
const checker = program.getTypeChecker();
const exported = new Map(program.getSourceFiles().flatMap((file) => (file.fileName.endsWith("/muster/types.ts") ? checker.getExportsOfModule(checker.getSymbolAtLocation(file)!) : [])).map((symbol) => [symbol.name, symbol]));

function typeOf(name: string): ts.Type {
  const symbol = exported.get(name);
  if (symbol === undefined) throw new Error(`types.ts has no ${name}`);
  return checker.getDeclaredTypeOfSymbol(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
}

const parts = (type: ts.Type) => (type.isUnion() ? type.types : [type]);

/** A type's members, without `tag`. */
function members(type: ts.Type, tag?: string): Map<string, { type: ts.Type; optional: boolean }> {
  const of = checker.getPropertiesOfType(type).filter(({ name }) => name !== tag);
  return new Map(
    of.map((property) => {
      const whole = checker.getTypeOfSymbol(property);
      const absent = parts(whole).some(({ flags }) => (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Null)) !== 0);
      return [property.name, { type: checker.getNonNullableType(whole), optional: absent || (property.flags & ts.SymbolFlags.Optional) !== 0 }];
    }),
  );
}

/** The variants of a union by their tag. */
function variants(name: string, tag: string): Map<string, ts.Type> {
  return new Map(
    parts(typeOf(name)).map((variant) => {
      const property = variant.getProperty(tag);
      const literal = property === undefined ? undefined : checker.getTypeOfSymbol(property);
      if (literal === undefined || !literal.isStringLiteral()) throw new Error(`a variant of ${name} has no ${tag}`);
      return [literal.value, variant];
    }),
  );
}

const literals = (name: string) => parts(typeOf(name)).map((type) => (type.isStringLiteral() ? type.value : checker.typeToString(type)));

function fits(kind: Kind, type: ts.Type): boolean {
  const all = (flags: ts.TypeFlags) => parts(type).every((part) => (part.flags & flags) !== 0);
  switch (kind) {
    case "text":
      return all(ts.TypeFlags.StringLike);
    case "number":
      return all(ts.TypeFlags.NumberLike);
    case "flag":
      return all(ts.TypeFlags.BooleanLike);
    case "platform":
      return parts(type).map((part) => (part.isStringLiteral() ? part.value : "?")).sort().join() === literals("PlatformName").sort().join();
    case "list":
      return parts(type).every((part) => checker.isArrayType(part));
    case "map":
      return parts(type).every((part) => (part.flags & ts.TypeFlags.Object) !== 0);
    case "any":
      return true;
  }
}

/** The type says what is read, in the same words. */
function same(what: string, read: readonly Member[], type: ts.Type, tag?: string): void {
  const typed = members(type, tag);
  const wanted = read.filter(({ name }) => name !== tag);
  expect([...typed.keys()].sort(), what).toEqual(wanted.map(({ name }) => name).sort());
  for (const { name, kind, absent } of wanted) {
    const member = typed.get(name);
    if (member === undefined) continue;
    expect(fits(kind, member.type), `${what}: ${name} is read as ${kind}, and typed as ${checker.typeToString(member.type)}`).toBe(true);
    if (absent === "missing") expect(member.optional, `${what}: ${name} is needed`).toBe(false);
    if (absent === "nothing") expect(member.optional, `${what}: ${name} may be left out`).toBe(true);
  }
}

/** The same of a union, variant by variant. */
function sameVariants(name: string, tag: string, read: Record<string, readonly Member[] | null>, more: (variant: string) => readonly Member[] = () => []): void {
  const typed = variants(name, tag);
  expect([...typed.keys()].sort(), name).toEqual(Object.keys(read).sort());
  for (const [variant, type] of typed) if (read[variant] !== null) same(`${name} ${variant}`, [...(read[variant] ?? []), ...more(variant)], type, tag);
}

/** What `Cloud.addFirmware` takes, without the bytes, which are an argument of their own. */
function imageType(): ts.Type {
  const method = typeOf("Cloud").getProperty("addFirmware")!;
  const [signature] = checker.getTypeOfSymbol(method).getCallSignatures();
  return checker.getTypeOfSymbol(signature!.parameters[0]!);
}

const maybe = (name: string, kind: Kind): Member => ({ name, kind, absent: "nothing" });

describe("what a page passes in is typed as it is read", () => {
  it("is found in the sources at all", () => {
    expect(reads('of.text("a")?, of.maybe_number("b")?, need(of.value("c"), "c")?, of.flag("d")?').map(({ name, absent }) => `${name} ${absent}`)).toEqual(["a missing", "b nothing", "c missing", "d empty"]);
    expect(Object.keys(arms('match &*of.text("x")? {\n    "one" => of.text("a")?,\n    "two" => b()?,\n    _ => 1,\n}', { "b\\(\\)": '.text("b")' }))).toEqual(["one", "two"]);
  });

  it("a device's intents", () => {
    const read = arms(body("web/device.rs", "read_intent"));
    expect(Object.keys(read).length).toBeGreaterThan(6);
    sameVariants("Intent", "intent", read);
  });

  it("the owner's calls and the plan of a bind", () => {
    const code = body("web/app.rs", "read_call");
    const read = arms(code, { "device\\(\\)": 'need(of.value("device"), "device")' });
    expect(Object.keys(read)).toHaveLength(8);
    // The home is read before the call is known, and goes with those that name it.
    const homes = Object.keys(read).filter((call) => new RegExp(`"${call}" => Call::\\w+\\(home,`).test(code));
    expect(homes.sort()).toEqual(["token_bind", "window_bind"]);
    sameVariants("AppCall", "call", read, (call) => (homes.includes(call) ? [maybe("home_id", "text")] : []));

    const plan = [...reads(body("web/app.rs", "read_plan")), ...reads(body("web/app.rs", "bind")).filter(({ name }) => name === "from")];
    same("AppBindPlan", plan, typeOf("AppBindPlan"));
    same("AppBindPlan.cipher", reads(body("web/app.rs", "read_cipher")), members(typeOf("AppBindPlan")).get("cipher")!.type);
    expect(names(/by: match[\s\S]*?\},/.exec(body("web/app.rs", "read_plan"))?.[0] ?? "").sort()).toEqual(parts(members(typeOf("AppBindPlan")).get("by")!.type).map((type) => (type as ts.StringLiteralType).value).sort());
    expect(names(body("web/app.rs", "step_of")).sort()).toEqual(literals("AppStep").sort());
    same("DeviceName", reads(body("web/app.rs", "read_device")), typeOf("DeviceName"));
    // And what a bind hands over, which is told by hand as well.
    const told = [...body("web/app.rs", "told").matchAll(/set\("(\w+)"/g)].map(([, name = ""]) => name);
    expect([...members(typeOf("HandOver")).keys()].sort()).toEqual(told.sort());
  });

  it("a fleet's bounds and questions", () => {
    same("FleetBounds", reads(body("web/fleet/mod.rs", "read_bounds")), typeOf("FleetBounds"));
    const query = reads(body("web/fleet/mod.rs", "read_query"));
    same("FleetQuery", query, typeOf("FleetQuery"));
    // What the page's side of the API adds for the Worker, and what it keeps for itself.
    const read = reads(body("web/fleet/mod.rs", "make")).map(({ name }) => name).filter((name) => !["shelf", "stored"].includes(name));
    const typed = [...members(typeOf("FleetOptions")).keys()].filter((name) => !["storage", "name", "cloud"].includes(name));
    expect(typed.sort()).toEqual(read.sort());
  });

  it("a device's options", () => {
    const read = reads(body("web/device.rs", "start")).map(({ name }) => name).filter((name) => name !== "stored");
    const typed = [...members(typeOf("DeviceOptions")).keys()].filter((name) => !["storage", "name", "cloud"].includes(name));
    expect(typed.sort()).toEqual(read.sort());
  });

  it("rules of faults", () => {
    const closures = { "wrong_by\\(\\)": 'between(of, "ms")', "ms\\(\\)": 'between(of, "ms")', "after\\(\\)": '.maybe_number("after")?.unwrap_or(0)' };
    sameVariants("Fault", "fault", arms(body("web/rules.rs", "read_fault"), closures));
    same("FaultMatch", reads(body("web/rules.rs", "read_on")), typeOf("FaultMatch"));
    const rule = reads(body("web/rules.rs", "read_rule"));
    const typed = [...members(variants("FaultRule", "fault").get("lose")!, "fault").keys()];
    expect(typed.sort()).toEqual(rule.map(({ name }) => name).sort());
  });

  it("an operator's actions", () => {
    const code = body("web/tab.rs", "read_operation");
    const read = arms(code, { "product\\(\\)": '.text("product")', "device\\(\\)": '.text("device")', "module\\(\\)": '.maybe_text("module")' });
    expect(Object.keys(read).length).toBeGreaterThan(15);
    // Images are the one action whose bytes go another way: the type is that of the HTTP API, and here it is refused.
    expect(read["add_firmware"]).toEqual([]);
    sameVariants("Action", "action", { ...read, add_firmware: null });
    const image = reads(body("web/tab.rs", "read_image"));
    same("addFirmware's image", [...image, { name: "bytes", kind: "any", absent: "missing" }], imageType());
  });

  it("the calculators' inputs", () => {
    const read = arms(body("web/tool.rs", "tool"));
    for (const [tool, type] of Object.entries({ cipher: "CipherInput", sign: "SignInput", credentials: "CredentialsInput", cmei_build: "CmeiBuildInput", cmei_batch: "CmeiBatchInput", wifi: "WifiInput" })) same(type, read[tool] ?? [], typeOf(type));
    same("HandoverInput", reads(body("web/tool.rs", "handover")), typeOf("HandoverInput"));
    const forms = /ALL: \[\(&'static str, Self\); 4\] =\s*\[([\s\S]*?)\];/.exec(source("tool/handover.rs"))?.[1] ?? "";
    expect([...forms.matchAll(/"(\w+)"/g)].map(([, name]) => name).sort()).toEqual(literals("HandoverForm").sort());
    const told = /values::object\(&\[([\s\S]*)\]\)/.exec(body("web/tool.rs", "nvs"))?.[1] ?? "";
    const partition = [...told.matchAll(/\("(\w+)", /g)].map(([, name = ""]) => name);
    expect([...members(typeOf("NvsPartition")).keys()].sort()).toEqual(partition.sort());
  });
});
