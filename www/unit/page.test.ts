import { beforeEach, describe, expect, it, vi } from "vitest";
import { keepDraft, readDraft } from "../src/state/draft";
import { NO_FILTER } from "../src/state/filter";
import { readPage } from "../src/state/page";

const values = new Map<string, string>();
const storage = { getItem: (key: string) => values.get(key) ?? null, setItem: (key: string, value: string) => void values.set(key, value), removeItem: (key: string) => void values.delete(key) };
vi.stubGlobal("localStorage", storage);
vi.stubGlobal("sessionStorage", storage);
beforeEach(() => values.clear());

describe("how the page was", () => {
  it("comes back, and what is odd in it comes back harmless", () => {
    const look = { filter: { ...NO_FILTER, text: "a", without: ["ping"] }, panel: "faults", view: "table", follow: false };
    const saved = { version: 1, world: "tab", open: "x", list: { search: "s", sort: "name" }, devices: { x: look } };
    expect(readPage(JSON.stringify(saved))).toEqual(saved);
    expect(readPage(JSON.stringify({ version: 1, open: 7, list: { sort: "odd" }, devices: { x: { filter: { without: ["odd", "mqtt"], direction: 1 } }, y: 7 } }))).toEqual({
      version: 1,
      world: "",
      open: null,
      list: { search: "", sort: "added" },
      devices: { x: { filter: { ...NO_FILTER, without: ["mqtt"] }, panel: null, view: "diagram", follow: true } },
    });
    for (const text of [null, "", "{", "7", "null", "[]", '{"version":2}']) expect(readPage(text)).toBeNull();
  });
});

describe("a draft", () => {
  it("is kept without secrets, and says which are missing", () => {
    keepDraft({ platform: "cmcc", world: "real", storage: "memory", settings: { product_id: "1", product_key: "HIDDEN", base_url: "https://u:HIDDEN@h/?k=HIDDEN" }, device: null, template: "sn", relay: true });
    expect([...values.values()].join()).not.toContain("HIDDEN");
    expect(readDraft()).toEqual({ platform: "cmcc", world: "real", storage: "memory", settings: { product_id: "1", base_url: "https://h/" }, missing: ["product_key", "base_url"], device: null, template: "sn", relay: true });
  });

  it("that is none is none", () => {
    for (const text of ["{", "7", "null", "{}", '{"platform":"x"}']) {
      values.set("muster.draft", text);
      expect(readDraft(), text).toBeNull();
    }
  });
});
