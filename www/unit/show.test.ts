import { describe, expect, it } from "vitest";
import { hexLines, sizeText, stopwatch } from "../src/state/bytes";
import { refusal } from "../src/state/failure";
import { prettyTokens } from "../src/state/json";
import { dots, isMask, isSecretSetting, parts } from "../src/state/mask";

describe("masks", () => {
  it("cover runs of stars and nothing else", () => {
    expect(parts("token=****************&x=1")).toEqual([{ text: "token=", mask: false }, { text: "*".repeat(16), mask: true }, { text: "&x=1", mask: false }]);
    expect(parts("a ** b *** c")).toEqual([{ text: "a ** b *** c", mask: false }]);
    expect(isMask("***") && isMask("*".repeat(64))).toBe(true);
    expect(isMask("**x**") || isMask("")).toBe(false);
  });
  it("do not show how long a long secret is", () => {
    expect(dots("*".repeat(200))).toHaveLength(16);
    expect(dots("*".repeat(5))).toHaveLength(5);
  });
  it("know the settings that are secrets", () => {
    expect(isSecretSetting("cmcc", "product_key")).toBe(true);
    expect(isSecretSetting("alibaba", "product_key")).toBe(false);
    expect(isSecretSetting("alibaba", "iot_token")).toBe(true);
  });
});

describe("JSON", () => {
  const text = (source: string) => prettyTokens(source)?.map((token) => token.text).join("");
  it("is indented as JSON.stringify does it", () => {
    for (const value of [{ a: 1, b: [1, { c: null }], d: {}, e: [] }, [], {}, [[["x"]]], { 'quo"te': "back\\slash", uni: "设备" }]) {
      expect(text(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    }
  });
  it("keeps numbers and duplicate keys as they were sent", () => {
    expect(text('{"n":12345678901234567890,"n":1.0}')).toBe('{\n  "n": 12345678901234567890,\n  "n": 1.0\n}');
  });
  it("marks secrets, and keys that look like them not", () => {
    const kinds = prettyTokens('{"Password":"****","***":"x"}')?.filter((token) => token.text.includes("*")).map((token) => token.kind);
    expect(kinds).toEqual(["mask", "key"]);
  });
  it("leaves alone what is no JSON", () => {
    expect(prettyTokens("{broken")).toBeUndefined();
    expect(prettyTokens('{"a":1,}')).toBeUndefined();
  });
});

describe("bytes", () => {
  it("are dumped with offset and text", () => {
    expect(hexLines(new Uint8Array([0x10, 0x41, 0xff, 0x7e, 0, 0, 0, 0, 0x42]))).toEqual([
      { offset: "0000", hex: "10 41 ff 7e 00 00 00 00", text: "·A·~····" },
      { offset: "0008", hex: "42                     ", text: "B" },
    ]);
  });
  it("are cut where nobody reads on", () => {
    expect(hexLines(new Uint8Array(100), 8, 12)).toHaveLength(2);
  });
  it("have sizes and times that people read", () => {
    expect([9, 10_240, 1_048_576, 20_971_520].map(sizeText)).toEqual(["9 B", "10 KiB", "1024 KiB", "20 MiB"]);
    expect([0, 31.4, 59_999, 61_250, 3_723_000].map(stopwatch)).toEqual(["0.000", "0.031", "59.999", "1:01.3", "1:02:03"]);
  });
});

describe("refusals", () => {
  it("are read from errors, classes with getters, and anything else", () => {
    class SettingsError extends Error {
      code = "config";
      next = "mend it";
      get key() {
        return "broker";
      }
    }
    expect(refusal(new SettingsError("no"))).toEqual({ code: "config", message: "no", next: "mend it", key: "broker" });
    expect(refusal("boom")).toEqual({ code: "", message: "boom", next: null, key: null });
    expect(refusal(null)).toEqual({ code: "", message: "null", next: null, key: null });
  });
});
