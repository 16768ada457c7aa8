import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { INPUTS, TOOLS, TOOL_TEXTS, covered, examples, isSecretInput, pairs, partitionSize, usedInputs, wrongInputs, type ToolName } from "../src/state/tools";
import { listCsv, listed, readNumbers } from "../src/state/number-list";
import { luhn } from "../src/state/luhn";
import { forms, readMoment } from "../src/state/times";
import { fillFrom } from "../src/state/tool-fill";
import { sourceOf } from "../src/state/tool-sources";
import { isName, topicsOf } from "../src/state/topics";

const core = (path: string) => readFileSync(new URL(`../../src/platform/${path}`, import.meta.url), "utf8");

describe("inputs", () => {
  it("have examples that nothing is wrong with", () => {
    for (const tool of TOOLS) {
      const inputs = INPUTS[tool] ?? [];
      for (const doing of inputs.find(({ name }) => name === "do")?.choices ?? [{ value: "" }]) {
        if (tool === "wifi" && doing.value === "decrypt") continue;
        expect([...wrongInputs(tool, inputs, { ...examples(inputs), do: doing.value })], `${tool} ${doing.value}`).toEqual([]);
      }
    }
  });
  it("name what is wrong while one types", () => {
    const wrong = (tool: ToolName, values: Record<string, string>) => [...wrongInputs(tool, INPUTS[tool] ?? [], { ...examples(INPUTS[tool] ?? []), ...values })].map(([name, { en }]) => `${name}: ${en}`);
    expect(wrong("cipher", { random: "28" })).toEqual(["random: 32 hex digits, these are 2"]);
    expect(wrong("cipher", { random: "zz", secret: " " })).toEqual(["secret: Is missing", "random: Hex digits only: 0–9, a–f"]);
    expect(wrong("cipher", { type: "6", mac: "11:22" })).toHaveLength(1);
    expect(wrong("cipher", { type: "3", mac: "11:22" })).toEqual([]);
    expect(wrong("cmei", { do: "build", tui: "12123456", serial: "1000000" })).toHaveLength(2);
    expect(wrong("imei", { imei: "49015420323751" })).toEqual(["imei: 15 digits, these are 14"]);
    expect(wrong("sign", { headers: "Accept: a\nnothing", path: "x" })).toEqual(["path: Begins with /, without a query", "headers: Line 2: write Name: value"]);
    expect(wrong("nvs", { size: "0x6001" })).toHaveLength(1);
    expect(usedInputs("wifi", INPUTS.wifi ?? [], { do: "decrypt" }).map(({ name }) => name)).toEqual(["do", "key", "random", "passwd"]);
  });
  it("read names and values, and sizes as partition tables write them", () => {
    expect(pairs("Accept: a/b; c=d\n\n X-Ca-Key:1", ":")).toEqual([["Accept", "a/b; c=d"], ["X-Ca-Key", "1"]]);
    expect(pairs("a=b=c\nempty", "=")).toEqual([["a", "b=c"], ["empty", ""]]);
    expect(["0x6000", "24K", "24576", "1M", "0", "5000", "-4096", "17M"].map(partitionSize)).toEqual([24576, 24576, 24576, 1048576, null, null, null, null]);
  });
  it("have a text and a source each", () => {
    for (const tool of TOOLS) {
      expect(TOOL_TEXTS[tool].name.zh).not.toBe("");
      for (const platform of ["ucloud", "cmcc", "krtyun", "alibaba"]) expect(sourceOf(tool, platform)?.en, tool).toBeTruthy();
    }
  });
});

describe("secrets", () => {
  it("are covered as they are, as hex and in a form", () => {
    expect(covered("key=s3cr+t; 73336372 2b74 733363722b74 s3cr%2Bt", ["s3cr+t"])).toBe("key=******; 73336372 2b74 ************ ********");
    expect(covered("ab abc", ["ab", ""])).toBe("ab abc");
  });
  it("are the settings that hold one", () => {
    expect([isSecretInput("cmcc", "product_key"), isSecretInput("alibaba", "product_key"), isSecretInput("ucloud", "device_secret")]).toEqual([true, false, true]);
  });
  it("come from an open device under the inputs' names", () => {
    const from = { platform: "alibaba" as const, settings: { product_key: "pk", device_name: "dn", product_secret: "ps" }, credential: '{"product_key":"pk","device_name":"dn","device_secret":"ds"}' };
    expect(fillFrom("credentials", ["product_key", "device_name", "device_secret", "timestamp"], from)).toEqual({ product_key: "pk", device_name: "dn", device_secret: "ds" });
    expect(fillFrom("cipher", ["type", "secret"], from, "3")).toEqual({ secret: "ps" });
    expect(fillFrom("cipher", ["type", "secret"], from, "7")).toEqual({ secret: "ds" });
    expect(fillFrom("cipher", [], { ...from, platform: "ucloud" })).toEqual({});
    expect(fillFrom("imei", ["imei"], { platform: "cmcc", settings: { device_no_type: "IMEI", device_no: "490154203237518" }, credential: "no json" })).toEqual({ imei: "490154203237518" });
  });
});

describe("device numbers", () => {
  it("have the check digit of 3GPP's example, digit by digit", () => {
    const { digits, total, check } = luhn("49015420323751");
    expect([total, check]).toEqual([52, 8]);
    expect(digits.map(({ sum }) => sum)).toEqual([4, 9, 0, 2, 5, 8, 2, 0, 3, 4, 3, 5, 5, 2]);
    expect(digits.filter(({ doubled }) => doubled)).toHaveLength(7);
  });
  it("are read from pastes and from the first column of a CSV", () => {
    expect(readNumbers('IMEI,name\n"490154203237518",a\r\n\n 490154203237526 ;b\n')).toEqual([{ line: 2, number: "490154203237518" }, { line: 4, number: "490154203237526" }]);
  });
  it("are told when they come again, and written so that no spreadsheet computes them", () => {
    const rows = listed([{ line: 1, number: "1" }, { line: 2, number: "=2" }, { line: 3, number: "1" }], [{ imei: "1", valid: true, luhn: false }, { imei: "=2", valid: false, why: 'not "digits", all' }, { imei: "1", valid: true, luhn: false }]);
    expect(rows.map(({ twice }) => twice)).toEqual([null, null, 1]);
    expect(listCsv(rows)).toBe('line,number,valid,luhn,same_as_line,why\n1,1,yes,no,,\n2,\'=2,no,,,"not ""digits"", all"\n3,1,yes,no,1,\n');
  });
});

describe("times", () => {
  it("are read as seconds, milliseconds, dates", () => {
    expect(readMoment("1528172313487", 0)).toEqual({ unix: 1528172313487, read: "milliseconds" });
    expect(readMoment("1528172313", 0)).toEqual({ unix: 1528172313000, read: "seconds" });
    expect(readMoment("Tue, 05 Jun 2018 04:18:33 GMT", 0)).toEqual({ unix: 1528172313000, read: "text" });
    expect(readMoment("2018-06-05 04:18:33", 0)?.unix).toBe(1528172313000);
    expect(readMoment("2018-06-05T12:18:33+08:00", 0)?.unix).toBe(1528172313000);
    expect(readMoment("now", 7)?.unix).toBe(7);
    expect(readMoment("2024-02-29", 0)?.unix).toBe(Date.UTC(2024, 1, 29));
    expect([forms(0xffffffff * 1000).hex, forms(2 ** 32 * 1000).hex].map((hex) => hex.replaceAll(" ", ""))).toEqual(["ffffffff", "0000000100000000"]);
    for (const wrong of ["yesterday", "99999999999999999", "-1", "2018-13-40", "2024-02-31", "2023-02-29 00:00", "2024-04-31T00:00:00+08:00"]) expect(readMoment(wrong, 0), wrong).toBeNull();
  });
  it("are written in every form", () => {
    const all = forms(2524608000000);
    expect(all).toMatchObject({ seconds: "2524608000", iso: "2050-01-01T00:00:00.000Z", china: "2050-01-01T08:00:00.000+08:00", date: "Sat, 01 Jan 2050 00:00:00 GMT", day: "20500101", hex: "96 7a 76 00" });
  });
});

describe("topics", () => {
  it("are those of the core", () => {
    const sources = { ucloud: ["ucloud/wire.rs", "ucloud/device/register.rs", "ucloud/device/ota.rs", "ucloud/device/property.rs", "ucloud/device/session.rs"], krtyun: ["krtyun/wire.rs"], alibaba: ["alibaba/wire.rs"], cmcc: ["cmcc/mod.rs"] } as const;
    for (const [platform, files] of Object.entries(sources) as [keyof typeof sources, readonly string[]][]) {
      const text = files.map(core).join("\n");
      for (const { topic } of topicsOf(platform, "P", "D")) {
        const known = topic.replace(/^\/\$system\/P\/D\//, "").replace(/^\/sys\/P\/D\/thing\//, "").replace(/^\/ota\/device\/(\w+)\/P\/D$/, "$1");
        expect(text.includes(known), `${platform}: ${topic}`).toBe(true);
      }
    }
  });
  it("take names in, and no name that would make another topic", () => {
    expect(topicsOf("ucloud", "P$1", "D&").map(({ topic }) => topic)[0]).toBe("/$system/P$1/D&/password");
    expect([isName("a:b@c"), isName("a/b"), isName("a+"), isName("#"), isName(""), isName("a b")]).toEqual([true, false, false, false, false, false]);
  });
});
