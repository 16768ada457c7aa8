import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { PlatformName } from "../src/muster/types";
import { commands, localFlag } from "../src/state/commands";
import { nextVersion } from "../src/state/campaigns";
import { splitSwitches } from "../src/state/operate";
import { formatRoute, parseRoute } from "../src/state/router";
import { SETTINGS, atOrigin, cleaned, problems, withDevice } from "../src/state/settings";
import { credentialExample, examples, CMEI, readResult, usedInputs } from "../src/state/tools";
import { build } from "../src/state/calls";

const SOURCES: Record<PlatformName, string> = {
  ucloud: "../../src/platform/ucloud/mod.rs",
  cmcc: "../../src/platform/cmcc/config.rs",
  krtyun: "../../src/platform/krtyun/config.rs",
  alibaba: "../../src/platform/alibaba/config.rs",
};

const core = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8").split("#[cfg(test)]")[0] ?? "";

describe("the settings' models", () => {
  for (const [platform, path] of Object.entries(SOURCES) as [PlatformName, string][]) {
    const source = core(path);
    const keys = SETTINGS[platform].map((setting) => setting.key);

    it(`name only keys that the core of ${platform} knows, and each once`, () => {
      const all = [source, core("../../src/settings.rs"), core(`../../src/platform/${platform}/${platform === "krtyun" ? "wire" : "mod"}.rs`)].join("\n");
      expect(new Set(keys).size).toBe(keys.length);
      for (const key of keys) expect(all.includes(`"${key}"`), key).toBe(true);
    });

    it(`leave out none that the core of ${platform} reads`, () => {
      const read = [...source.matchAll(/\b(?:s|reader)\s*\.[a-z_]+\(\s*"([a-z_.]+)"/g)].map((match) => match[1] ?? "");
      expect(read.length).toBeGreaterThan(5);
      expect(read.filter((key) => !keys.includes(key))).toEqual([]);
    });

    it(`have the ranges and defaults of the core of ${platform}`, () => {
      const literal = (text: string) => Number(text.replaceAll("_", ""));
      const found = [...source.matchAll(/number\(\s*"([a-z_]+)",\s*([\d_]+),\s*([\d_]+),\s*([\d_]+)\s*,?\s*\)/g)];
      for (const [, key = "", low = "", high = "", standard = ""] of found) {
        const setting = SETTINGS[platform].find((s) => s.key === key);
        expect(setting, key).toMatchObject({ kind: { type: "number", min: literal(low), max: literal(high) }, default: String(literal(standard)) });
      }
      expect(found.length).toBeGreaterThan(0);
    });
  }

  it("say what is missing, out of range or no address", () => {
    const found = problems(SETTINGS.ucloud, { product_sn: "p", device_sn: " ", broker: "http://x", keep_alive: "12" });
    expect(found).toEqual([
      { key: "device_sn", problem: "required" },
      { key: "broker", problem: "scheme" },
      { key: "keep_alive", problem: "number" },
    ]);
    expect(problems(SETTINGS.ucloud, { product_sn: "p", device_sn: "d", broker: "nowhere" })).toEqual([{ key: "broker", problem: "url" }]);
    expect(problems(SETTINGS.ucloud, { product_sn: "p", device_sn: "d", broker: "WSS://h:443" })).toEqual([]);
  });

  it("drop defaults and empty values, but not an IMEI or CMEI that says it cannot be read", () => {
    expect(cleaned("ucloud", { product_sn: " p ", keep_alive: "240", module: "" })).toEqual({ product_sn: "p" });
    expect(cleaned("cmcc", { cmei: "", mac: "", product_id: "1" })).toEqual({ cmei: "", product_id: "1" });
  });

  it("turn a demo's addresses to the page's own", () => {
    const page = { origin: "http://127.0.0.1:9", host: "127.0.0.1:9", protocol: "http:" };
    expect(atOrigin("krtyun", { broker: "mqtt://127.0.0.1:18832", product_id: "p" }, page)).toEqual({ broker: "ws://127.0.0.1:9/mqtt/krtyun", product_id: "p" });
    expect(atOrigin("alibaba", { broker: "mqtt://x", auth_url: "http://x" }, { ...page, protocol: "https:" })).toEqual({ broker: "wss://127.0.0.1:9/mqtt/alibaba", auth_url: "http://127.0.0.1:9" });
    expect(atOrigin("cmcc", { base_url: "http://x" }, page)).toEqual({ base_url: "http://127.0.0.1:9" });
  });

  it("find China Mobile's kind of number by its shape", () => {
    const base = { device_no_type: "CMEI", device_no: "1", cmei: "1", product_id: "p" };
    expect(withDevice("cmcc", base, "111234560000029")).toMatchObject({ device_no_type: "CMEI", cmei: "111234560000029" });
    expect(withDevice("cmcc", base, "490154203237518")).toMatchObject({ device_no_type: "IMEI", cellular: "true", imei: "490154203237518" });
    expect(withDevice("cmcc", base, "MUSTER-SN-0001")).toEqual({ device_no_type: "SN", device_no: "MUSTER-SN-0001", cmei: "", product_id: "p" });
  });
});

describe("routes", () => {
  it("come back as they were written", () => {
    const hash = formatRoute("cloud", ["ucloud"], { product: "a b", device: "x/y" });
    expect(parseRoute(hash)).toEqual({ view: "cloud", rest: ["ucloud"], query: { product: "a b", device: "x/y" } });
    expect(parseRoute("")).toMatchObject({ view: "devices" });
    expect(parseRoute("#/nonsense/%E0%A4%A")).toMatchObject({ view: "devices", rest: ["%E0%A4%A"] });
  });
});

describe("the Cloud view", () => {
  it("tells switches from values", () => {
    expect(splitSwitches({ A: "true", B: "5", C: "false" })).toEqual({ flags: [["A", true], ["C", false]], values: [["B", "5"]] });
  });
  it("proposes the next version", () => {
    expect(["1.0.0", "1.0.9", "v2-beta", "main"].map(nextVersion)).toEqual(["1.0.1", "1.0.10", "v3-beta", "1.0.1"]);
  });
  it("names the clouds in commands only where it has to", () => {
    const at = { http: "http://127.0.0.1:7878", mqtt: { ucloud: "mqtt://127.0.0.1:18831" }, ws: {}, api: "", firmware: "", data: "/d" };
    expect(localFlag(at)).toBe("");
    expect(localFlag({ ...at, http: "http://127.0.0.1:1", data: "/it's" })).toBe(" --local '/it'\\''s/up.json'");
    expect(commands("ucloud", at, undefined, "p").others[0]).toContain("-h 127.0.0.1 -p 18831");
    expect(commands("ucloud", at, undefined, "p").own[0]).toBe("muster device --platform ucloud");
  });
});

describe("the owner's calls", () => {
  it("leave out what is empty", () => {
    const get = (values: Record<string, string>) => (name: string) => values[name] ?? "";
    expect(build("token_check", get({ token: "T", device_name: "d" }))).toEqual({ call: "token_check", token: "T", device_name: "d" });
    expect(build("cipher", get({ type: "6", random: "r", mac: "m" }))).toEqual({ call: "cipher", type: 6, random: "r", mac: "m" });
    expect(build("filter", get({ product_key: "p", device_name: "d" }))).toEqual({ call: "filter", devices: [{ product_key: "p", device_name: "d" }] });
  });
});

describe("the calculators", () => {
  it("ask for what the choice needs", () => {
    const names = (doing: string) => usedInputs("cmei", CMEI, { ...examples(CMEI), do: doing }).map((input) => input.name);
    expect(names("check")).toEqual(["do", "cmei"]);
    expect(names("batch")).toEqual(["do", "tui", "serial", "count", "digit"]);
  });
  it("read results of any tool", () => {
    expect(readResult({ key: "k", content_md5: null, string_to_sign: "a\nb", cmeis: ["1"], valid: true, steps: [{ name: "n", value: "v" }] })).toEqual({
      lines: [{ name: "key", value: "k" }, { name: "valid", value: "true" }],
      steps: [{ name: "n", value: "v" }],
      text: "a\nb",
      warning: null,
      list: ["1"],
    });
  });
  it("give China Mobile's product its own example", () => {
    expect(credentialExample("cmcc", "product_id")).not.toBe(credentialExample("krtyun", "product_id"));
  });
});
