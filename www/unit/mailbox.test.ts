import { describe, expect, it, vi } from "vitest";
import { bytesOf, readKept, wrongTopic } from "../src/state/mailbox";

vi.stubGlobal("document", { documentElement: { lang: "" } });

describe("a topic", () => {
  it("has 1 to 256 bytes, and neither wildcards nor NUL", () => {
    expect(wrongTopic("/a/b")).toBeNull();
    expect(wrongTopic("")).toBe("no_topic");
    expect(wrongTopic("/a/+")).toBe("wildcard");
    expect(wrongTopic("#")).toBe("wildcard");
    expect(wrongTopic("a\0")).toBe("nul");
    expect(wrongTopic("x".repeat(256))).toBeNull();
    expect(wrongTopic("度".repeat(86))).toBe("long_topic");
  });
});

describe("a payload", () => {
  const hex = (text: string) => bytesOf("hex", text);

  it("is text as it was written, empty too", () => {
    expect(bytesOf("text", "é\n")).toEqual(new Uint8Array([0xc3, 0xa9, 0x0a]));
    expect(bytesOf("text", "")).toEqual(new Uint8Array());
  });

  it("is JSON if it is meant to be", () => {
    expect(bytesOf("json", '{"a" : 1}')).toEqual(new TextEncoder().encode('{"a" : 1}'));
    expect(bytesOf("json", "3")).toEqual(new Uint8Array([0x33]));
    expect(bytesOf("json", "{a:1}")).toBe("not_json");
    expect(bytesOf("json", "")).toBe("not_json");
  });

  it("is hex bare, apart, and as C has it", () => {
    expect(hex("00ffA0")).toEqual(new Uint8Array([0, 255, 160]));
    expect(hex("00 ff:a0-01,02;03\n04")).toEqual(new Uint8Array([0, 255, 160, 1, 2, 3, 4]));
    expect(hex("0x01, 0x02")).toEqual(new Uint8Array([1, 2]));
    expect(hex("")).toEqual(new Uint8Array());
    for (const wrong of ["0", "0g", "1 23 4", "0x1 0x2", "ab'"]) expect(hex(wrong), wrong).toBe("not_hex");
  });

  it("has at most 65,536 bytes", () => {
    expect(bytesOf("text", "x".repeat(65_536))).toHaveLength(65_536);
    expect(bytesOf("text", "度".repeat(30_000))).toBe("long_payload");
  });
});

describe("what was kept", () => {
  const EMPTY = { draft: { topic: "", qos: 0, form: "text", payload: "" }, sent: [], topics: [] };

  it("is read back", () => {
    const message = { topic: "/a", qos: 1, form: "hex", payload: "00" };
    const kept = { draft: message, sent: [message], topics: [{ topic: "/b", qos: 0 }] };
    expect(readKept(JSON.stringify(kept))).toEqual(kept);
  });

  it.each([null, "", "{", "3", "[]", '{"draft":3,"sent":{},"topics":[7]}', '{"draft":{"topic":"a"},"sent":[{"form":"xml"}],"topics":[{"topic":"#"}]}'])("leaves out what it does not know: %s", (text) => {
    expect(readKept(text)).toEqual(EMPTY);
  });
});
