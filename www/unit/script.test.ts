import { describe, expect, it, vi } from "vitest";
import { panel as en } from "../src/i18n/en-script-panel";
import { panel as zh } from "../src/i18n/zh-script-panel";
import type { Entry, What } from "../src/muster/types";
import { EXAMPLES } from "../src/script/examples";
import { profileOf, readProfiles } from "../src/state/profiles";
import { Bucket, eventOf, readSaid } from "../src/state/script";

vi.stubGlobal("document", { documentElement: { lang: "" } });

const entry = (what: What): Entry => ({ seq: 1, at: 0, unix: 0, ...what });

describe("what a script hears", () => {
  it("is named by what people listen for", () => {
    const named = (what: What) => eventOf(entry(what))?.names;
    expect(named({ kind: "event", event: { event: "ready" } })).toEqual(["ready"]);
    expect(named({ kind: "event", event: { event: "step", step: "store_secret" } })).toEqual(["step", "step:store_secret"]);
    expect(named({ kind: "event", event: { event: "properties_set", json: "{}" } })).toEqual(["properties_set", "property_set"]);
    expect(named({ kind: "mqtt", direction: "down", packet: { type: "PUBLISH", size: 9, masked: 0, topic: "t" } })).toEqual(["message", "packet"]);
    expect(named({ kind: "mqtt", direction: "up", packet: { type: "PUBLISH", size: 9, masked: 0, topic: "t" } })).toEqual(["packet"]);
    expect(named({ kind: "link", what: "closed", url: "wss://user:pass@h/?token=x" })).toEqual(["offline"]);
    expect(eventOf(entry({ kind: "misuse", message: "x" }))).toBeNull();
  });

  it("has what it needs, parsed where it can be, and no address that may carry a right of access", () => {
    const event = (what: What) => eventOf(entry(what))?.event;
    const packet = (text: string) => ({ type: "PUBLISH" as const, size: 9, masked: 0, topic: "t", qos: 1, payload: { size: text.length, text, json: true } });
    expect(event({ kind: "mqtt", direction: "down", packet: packet('{"a":[1]}') })).toMatchObject({ topic: "t", qos: 1, payload: '{"a":[1]}', json: { a: [1] } });
    expect(event({ kind: "mqtt", direction: "down", packet: packet("{") })).toMatchObject({ payload: "{", json: null });
    expect(event({ kind: "event", event: { event: "properties_set", json: '{"light":3}' } })).toEqual({ event: "properties_set", properties: { light: 3 } });
    const message = { headers: [["Authorization", "x"]] as [string, string][], size: 0, masked: 0, method: "GET", url: "https://user:pass@h.example/path?token=secret#x" };
    const request = event({ kind: "http", direction: "up", message });
    expect(request).toEqual({ method: "GET", path: "/path", status: null, payload: null });
    expect(JSON.stringify(event({ kind: "link", what: "open", url: "wss://user:pass@h/?token=x" }))).not.toMatch(/pass|token/);
    expect(event({ kind: "fault", rule: "r", done: { fault: "status", status: 500, body: "typed" } })).toEqual({ rule: "r", fault: "status" });
  });
});

describe("what a script says", () => {
  it("is believed only if it is of the right kinds", () => {
    const call = (value: unknown) => readSaid({ said: "call", id: 1, call: value });
    expect(readSaid({ said: "ready", isolated: true })).toEqual({ said: "ready", isolated: true });
    expect(readSaid({ said: "ready", isolated: "yes" })).toEqual({ said: "ready", isolated: false });
    expect(readSaid({ said: "log", level: "log", text: "x", place: { line: 1, column: 2, more: 3 } })).toEqual({ said: "log", level: "log", text: "x", place: { line: 1, column: 2 } });
    expect(call({ call: "publish", topic: "t", payload: "p", qos: 7, retain: true })).toEqual({ said: "call", id: 1, call: { call: "publish", topic: "t", payload: "p", qos: 0 } });
    expect(call({ call: "disarm", ids: ["a"] })).toMatchObject({ call: { ids: ["a"] } });
    const strange: unknown[] = [
      null,
      3,
      "call",
      [],
      {},
      { said: "shout" },
      { said: "log", level: "html", text: "x" },
      { said: "log", level: "log", text: 3 },
      { said: "log", level: "log", text: "x".repeat(3_000) },
      { said: "call", id: -1, call: { call: "report" } },
      { said: "call", id: 1.5, call: { call: "report" } },
      { said: "call", id: 1 },
    ];
    for (const said of strange) expect(readSaid(said), JSON.stringify(said)).toBeNull();
    const calls: unknown[] = [null, { call: "credential" }, { call: "publish", topic: 1, payload: "" }, { call: "publish", topic: "t", payload: "x".repeat(70_000) }, { call: "subscribe" }, { call: "arm", rules: "all" }, { call: "disarm", ids: [1] }, { call: "disarm" }];
    for (const strangeCall of calls) expect(call(strangeCall), JSON.stringify(strangeCall)?.slice(0, 60)).toBeNull();
  });

  it("is let through so many times at once, and so many a second", () => {
    let now = 0;
    const bucket = new Bucket(3, 2, () => now);
    const burst = () => Array.from({ length: 5 }, () => bucket.take());
    expect(burst()).toEqual([true, true, true, false, false]);
    now = 1_000;
    expect(burst()).toEqual([true, true, false, false, false]);
    now = 1_000_000;
    expect(burst().filter(Boolean)).toHaveLength(3);
  });
});

describe("scripts", () => {
  it("go with the profile of their device, if they are not too long", () => {
    const plan = { platform: "ucloud", world: "tab", storage: "memory", settings: {} } as const;
    expect(readProfiles(JSON.stringify([profileOf({ ...plan, script: "log(1)" })]))[0]?.script).toBe("log(1)");
    for (const script of ["", 3, "x".repeat(70_000)]) expect(readProfiles(JSON.stringify([{ ...profileOf(plan), script }]))[0]).toEqual(profileOf(plan));
  });

  it("begin with examples that are JavaScript, for every platform", () => {
    const AsyncFunction = (async () => {}).constructor as new (code: string) => unknown;
    for (const { source } of EXAMPLES) expect(() => new AsyncFunction(`"use strict";\n${source}`)).not.toThrow();
    for (const platform of ["ucloud", "cmcc", "krtyun", "alibaba"] as const) expect(EXAMPLES.filter(({ platforms }) => platforms.includes(platform)).length).toBeGreaterThanOrEqual(2);
  });

  it("are written of in both languages", () => {
    const leaves = (value: unknown, path = ""): [string, string][] => (typeof value === "string" ? [[path, value]] : typeof value === "function" ? [[path, String((value as (...args: unknown[]) => string)(7, 8))]] : Object.entries(value as object).flatMap(([key, item]) => leaves(item, `${path}.${key}`)));
    const english = new Map(leaves(en));
    const chinese = leaves(zh);
    expect(chinese.map(([path]) => path).sort()).toEqual([...english.keys()].sort());
    // The first of each pair is code.
    expect(chinese.filter(([path, text]) => text === english.get(path) && !/^\.api\.\d\.0$/.test(path))).toEqual([]);
    expect([...english.values()].filter((text) => /[\u4e00-\u9fff]/.test(text))).toEqual([]);
  });
});
