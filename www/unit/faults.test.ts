import { describe, expect, it } from "vitest";
import { panel as en, ready as enReady } from "../src/i18n/en-fault-panel";
import { panel as zh, ready as zhReady } from "../src/i18n/zh-fault-panel";
import { named } from "../src/muster/armory";
import type { ArmedFault, PlatformName } from "../src/muster/types";
import { CATALOGUE, GROUPS, offered, outOfLimits, readyFor, type Setting } from "../src/state/fault-catalogue";
import { isSpent, isWrong, MEMBERS, MOST_RULES, parseRules, plain, readRules, usableRules, whole } from "../src/state/fault-rules";
import { profileOf, readProfiles } from "../src/state/profiles";

const PLATFORMS: PlatformName[] = ["ucloud", "cmcc", "krtyun", "alibaba"];
const settings = (platform: PlatformName): Setting[] => (platform === "alibaba" ? [{ platform, settings: {} }, { platform, settings: { registration: "mqtt" } }] : [{ platform, settings: {} }]);
const wrong = (value: unknown, platform?: PlatformName) => {
  const read = readRules(value, platform);
  return isWrong(read) ? `${read.field} ${read.problem}` : "";
};

describe("rules", () => {
  it("are read as they are written, with what a fault has by itself", () => {
    expect(readRules([{ fault: "lose", on: { message: "publish", topic: "/a", direction: null }, times: "always", id: "x" }])).toEqual([{ fault: "lose", on: { message: "publish", topic: "/a" }, times: "always", id: "x" }]);
    expect(readRules([{ fault: "power_cut" }])).toEqual([{ fault: "power_cut", when: "before" }]);
    expect(readRules([{ fault: "vendor_code", code: 500, on: { message: "response" } }])).toEqual([{ fault: "vendor_code", code: "500", on: { message: "response" } }]);
    expect(parseRules('{"fault":"no_clock"}')).toEqual([{ fault: "no_clock" }]);
    expect(parseRules("[]")).toEqual([]);
  });

  it("name the member that is wrong", () => {
    const publish = { message: "publish" };
    const cases: [unknown, string][] = [
      [{}, "faults list"],
      [[3], "faults[0] object"],
      [[{}], "faults[0].fault missing"],
      [[{ fault: "explode" }], "faults[0].fault one_of"],
      [[{ fault: "toString" }], "faults[0].fault one_of"],
      [[{ fault: "lose" }], "faults[0].on missing"],
      [[{ fault: "lose", on: publish, ms: 3 }], "faults[0].ms unknown"],
      [[{ fault: "delay", on: publish }], "faults[0].ms missing"],
      [[{ fault: "delay", ms: 0, on: publish }], "faults[0].ms range"],
      [[{ fault: "delay", ms: 1.5, on: publish }], "faults[0].ms range"],
      [[{ fault: "delay", ms: "9", on: publish }], "faults[0].ms range"],
      [[{ fault: "delay", ms: 86_400_001, on: publish }], "faults[0].ms range"],
      [[{ fault: "clock_skew", ms: 0 }], "faults[0].ms range"],
      [[{ fault: "clock_skew", ms: Number.NaN }], "faults[0].ms range"],
      [[{ fault: "no_clock" }, { fault: "lose", on: { message: "letter" } }], "faults[1].on.message one_of"],
      [[{ fault: "lose", on: { message: "publish", path: "/" } }], "faults[0].on.path needless"],
      [[{ fault: "lose", on: { message: "connack", direction: "down" } }], "faults[0].on.direction needless"],
      [[{ fault: "lose", on: { message: "publish", colour: 1 } }], "faults[0].on.colour unknown"],
      [[{ fault: "lose", on: { message: "event", event: "ready" } }], "faults[0].on.message one_of"],
      [[{ fault: "network_loss", ms: 5, on: { message: "event" } }], "faults[0].on.event missing"],
      [[{ fault: "network_loss", ms: 5, on: { message: "event", event: "redy" } }], "faults[0].on.event one_of"],
      [[{ fault: "network_loss", ms: 5, on: { message: "event", event: "step:store_secrets" } }], "faults[0].on.event one_of"],
      [[{ fault: "network_loss", ms: 5, on: { message: "event", event: "step:store_secret" } }], ""],
      [[{ fault: "network_loss", ms: 5, times: 3 }], "faults[0].times at_once"],
      [[{ fault: "power_cut", times: "always" }], "faults[0].times at_once"],
      [[{ fault: "power_cut", key: "credential", times: "always" }], ""],
      [[{ fault: "clock_jump", ms: 5, every: 2 }], "faults[0].every at_once"],
      [[{ fault: "no_clock", nth: 2 }], "faults[0].nth at_once"],
      [[{ fault: "lose", on: publish, nth: 2, chance: 0 }], "faults[0].chance range"],
      [[{ fault: "reorder", on: { message: "response" } }], "faults[0].on.message no_order"],
      [[{ fault: "duplicate", on: { message: "response" } }], "faults[0].on.message one_response"],
      [[{ fault: "duplicate", on: { message: "connect" } }], "faults[0].on.message connect"],
      [[{ fault: "refuse", code: 6, on: { message: "connack" } }], "faults[0].code range"],
      [[{ fault: "refuse", code: 4, on: { message: "suback" } }], "faults[0].code range"],
      [[{ fault: "vendor_code", code: "a b", on: publish }], "faults[0].code code"],
      [[{ fault: "power_cut", key: "all" }], "faults[0].key one_of"],
      [[{ fault: "power_cut", key: "version", on: publish }], "faults[0].on needless"],
      [[{ fault: "no_clock", on: publish }], "faults[0].on needless"],
      [[{ fault: "no_clock", times: 0 }], "faults[0].times range"],
      [[{ fault: "no_clock", chance: 1.1 }], "faults[0].chance range"],
      [[{ fault: "no_clock", id: "" }], "faults[0].id text"],
      [[{ fault: "no_clock", id: "a" }, { fault: "no_clock", id: "a" }], "faults[1].id twice"],
      [Array.from({ length: 65 }, () => ({ fault: "no_clock" })), "faults too_many"],
    ];
    for (const [value, problem] of cases) expect(wrong(value), JSON.stringify(value)).toBe(problem);
    expect(isWrong(parseRules("{"))).toBe(true);
  });

  it("are of what their platform's devices do", () => {
    const on = (message: string) => ({ message });
    const cases: [PlatformName, unknown, string][] = [
      ["krtyun", { fault: "vendor_code", code: 1, on: on("publish") }, "faults[0].fault platform"],
      ["ucloud", { fault: "vendor_code", code: 1, on: on("publish") }, ""],
      ["cmcc", { fault: "broker_restart", ms: 1 }, "faults[0].fault platform"],
      ["cmcc", { fault: "download_slow", bytes_per_s: 1 }, "faults[0].fault platform"],
      ["cmcc", { fault: "lose", on: on("puback") }, "faults[0].on.message platform"],
      ["cmcc", { fault: "lose", on: on("response") }, ""],
      ["cmcc", { fault: "network_loss", ms: 1, on: { message: "event", event: "ready" } }, ""],
      ["cmcc", { fault: "store_fail", key: "schedule" }, ""],
      ["ucloud", { fault: "store_fail", key: "schedule" }, "faults[0].key platform"],
      ["cmcc", { fault: "power_cut", key: "version" }, "faults[0].key platform"],
      ["ucloud", { fault: "lose", on: on("request") }, "faults[0].on.message platform"],
      ["alibaba", { fault: "lose", on: on("request") }, ""],
    ];
    for (const [platform, rule, problem] of cases) expect(wrong([rule], platform), `${platform} ${JSON.stringify(rule)}`).toBe(problem);
  });

  it("get an id of their own, and become short again", () => {
    const [first, second, third] = named([{ fault: "lose" }, { fault: "lose", id: "lose-2" }, { fault: "lose" }], [{ id: "lose-1" }]);
    expect([first?.id, second?.id, third?.id]).toEqual(["lose-3", "lose-2", "lose-4"]);
    const armed: ArmedFault = { ...whole({ fault: "no_clock", id: "a" }), seen: 4, struck: 1 };
    expect(plain(armed)).toEqual({ fault: "no_clock", id: "a" });
    expect([isSpent(armed), isSpent({ ...armed, times: "always" }), isSpent({ ...armed, times: 2 })]).toEqual([true, false, false]);
  });

  it("come back from a reload as far as they were, whichever of the ready ones is armed", () => {
    for (const platform of PLATFORMS)
      for (const setting of settings(platform))
        for (const item of readyFor(setting)) {
          const [rule] = named([item.rule(setting, offered(item.params(setting)))], []);
          const armed: ArmedFault = { ...whole(rule!), seen: 3, struck: 1 };
          const plan = { platform, world: "tab", storage: "browser", settings: {}, faults: [armed] } as const;
          const back = readProfiles(JSON.stringify([profileOf(plan)]))[0]?.faults ?? [];
          expect(named(back, []).map(whole), item.id).toEqual([armed]);
        }
  });

  it("go with the profile of their device, those that can be read", () => {
    const plan = { platform: "ucloud", world: "tab", storage: "memory", settings: {} } as const;
    const faults = [{ fault: "no_clock", id: "a" }] as const;
    const profile = profileOf({ ...plan, faults });
    expect(readProfiles(JSON.stringify([profile]))[0]?.faults).toEqual(faults);
    expect(readProfiles(JSON.stringify([{ ...profile, faults: [{ fault: "explode" }] }]))[0]).toEqual(profileOf(plan));
    expect("faults" in profileOf({ ...plan, faults: [] })).toBe(false);
    // One that cannot be armed any more takes no other along.
    const some = [{ fault: "no_clock", id: "a" }, { fault: "explode" }, { fault: "network_loss", ms: 1, times: "always" }, { fault: "lose", id: "b", on: { message: "puback" } }, { fault: "no_clock", id: "a" }];
    expect(usableRules(some, "ucloud").map(({ id }) => id)).toEqual(["a", "b"]);
    expect(usableRules(some, "cmcc").map(({ id }) => id)).toEqual(["a"]);
    expect(usableRules({ 0: "no list" }, "ucloud")).toEqual([]);
    const many = Array.from({ length: 70 }, (_, at) => ({ fault: "no_clock", id: String(at) }));
    expect(usableRules(many, "ucloud").length).toBe(MOST_RULES);
  });
});

describe("the catalogue", () => {
  it("makes rules that are in order, on every platform that it offers them for", () => {
    let made = 0;
    for (const setting of PLATFORMS.flatMap(settings)) {
      for (const ready of readyFor(setting)) {
        const params = ready.params(setting);
        const values = offered(params);
        expect(outOfLimits(params, values), `${setting.platform} ${ready.id}`).toBeUndefined();
        const ends = params.flatMap((param) => ("options" in param ? param.options.map((option) => ({ ...values, [param.key]: option })) : [param.min, param.max].map((end) => ({ ...values, [param.key]: end }))));
        for (const some of [values, ...ends]) {
          const rule = { ...ready.rule(setting, some), id: ready.id };
          expect(wrong([rule], setting.platform), `${setting.platform} ${ready.id} ${JSON.stringify(rule)}`).toBe("");
          made += 1;
        }
      }
    }
    expect(made).toBeGreaterThan(200);
  });

  it("has every fault that there is, and something for each group of each platform", () => {
    const used = new Set<string>(CATALOGUE.flatMap((ready) => ready.platforms.flatMap(settings).map((setting) => ready.rule(setting, offered(ready.params(setting))).fault)));
    expect([...used].sort()).toEqual(Object.keys(MEMBERS).sort());
    for (const platform of PLATFORMS) {
      const groups = new Set(readyFor({ platform, settings: {} }).map(({ group }) => group));
      expect(GROUPS.filter((group) => !groups.has(group))).toEqual(platform === "cmcc" ? ["firmware"] : []);
    }
  });

  it("refuses values out of their limits", () => {
    const slow = CATALOGUE.find(({ id }) => id === "slow")!;
    const params = slow.params({ platform: "ucloud", settings: {} });
    for (const rate of [0, 1.5, Number.NaN, 1e10]) expect(outOfLimits(params, { rate })?.key).toBe("rate");
    const skew = CATALOGUE.find(({ id }) => id === "clock_skew")!.params({ platform: "ucloud", settings: {} });
    expect(outOfLimits(skew, { h: 0 })?.key).toBe("h");
  });

  it("is written in both languages", () => {
    const leaves = (value: unknown, path = ""): [string, string][] => (typeof value === "string" ? [[path, value]] : typeof value === "function" ? [[path, String((value as (...args: unknown[]) => string)(7, "x7", true, true))]] : Object.entries(value as object).flatMap(([key, item]) => leaves(item, `${path}.${key}`)));
    for (const [a, b] of [[en, zh], [enReady, zhReady]] as const) {
      const english = new Map(leaves(a));
      const chinese = leaves(b);
      expect(chinese.map(([path]) => path).sort()).toEqual([...english.keys()].sort());
      expect(chinese.filter(([path, text]) => text === english.get(path) && /[a-z]{3}/i.test(text))).toEqual([]);
      expect([...english.values()].filter((text) => /[\u4e00-\u9fff]/.test(text))).toEqual([]);
      expect(chinese.filter(([, text]) => /[\u4e00-\u9fff][,;:?!]/.test(text))).toEqual([]);
    }
    expect(Object.keys(enReady).sort()).toEqual(CATALOGUE.map(({ id }) => id).sort());
  });
});
