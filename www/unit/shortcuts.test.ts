import { readFileSync, readdirSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { en } from "../src/i18n/en";
import { zh } from "../src/i18n/zh";
import { VIEWS } from "../src/state/router";
import { CONTEXTS, SHORTCUTS, isSingle, keyCap, shortcutFor } from "../src/state/shortcuts";

let single = "on";
vi.stubGlobal("localStorage", { getItem: (key: string) => (key === "muster.keys" ? single : null), setItem: () => {} });
afterEach(() => void (single = "on"));

const press = (key: string, more: object = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe("the table of shortcuts", () => {
  it("gives each key one meaning where it is pressed, also where two contexts overlap", () => {
    for (const overlap of [["page", "device"], ["page", "device", "entry"], ["search"], ["tree", "page"], ["grid", "page"], ["replay", "page"]]) {
      const keys = SHORTCUTS.filter(({ context, native }) => overlap.includes(context) && native !== true).flatMap(({ keys: own }) => own);
      expect(new Set(keys).size, overlap.join()).toBe(keys.length);
    }
    expect(new Set(SHORTCUTS.map(({ id }) => id)).size).toBe(SHORTCUTS.length);
  });

  it("says in both languages what each does, and where; and says nothing of one that is not there", () => {
    const ids = SHORTCUTS.map(({ id }) => id).sort();
    for (const dict of [en, zh]) {
      expect(Object.keys(dict.shortcuts.what).sort()).toEqual(ids);
      expect(Object.keys(dict.shortcuts.contexts).sort()).toEqual([...CONTEXTS].sort());
    }
  });

  it("has a digit for each view", () => {
    expect(VIEWS.length).toBeLessThan(10);
    VIEWS.forEach((_, at) => expect(shortcutFor(press(String(at + 1)), "page")).toBe("view"));
    expect(shortcutFor(press(String(VIEWS.length + 1)), "page")).toBeNull();
  });

  it("is silent with a modifier, in another place, and for single keys that are switched off", () => {
    expect(shortcutFor(press("p"), "device")).toBe("pause");
    expect(shortcutFor(press("p"), "page")).toBeNull();
    for (const modifier of ["ctrlKey", "metaKey", "altKey"]) expect(shortcutFor(press("p", { [modifier]: true }), "device")).toBeNull();
    expect(shortcutFor(press("Enter", { ctrlKey: true }), "message")).toBe("sendMessage");
    expect(shortcutFor(press("Enter", { metaKey: true }), "message")).toBe("sendMessage");
    expect(shortcutFor(press("Enter"), "message")).toBeNull();
    expect(shortcutFor(press("ArrowDown", { ctrlKey: true }), "entry")).toBeNull();
    single = "off";
    expect(shortcutFor(press("p"), "device")).toBeNull();
    expect(shortcutFor(press("ArrowDown"), "entry")).toBe("walkDown");
    expect(isSingle("?") && !isSingle("Home")).toBe(true);
    expect(keyCap("ArrowUp")).toBe("↑");
  });

  it("is the only place that names a key: no view looks at a letter by itself", () => {
    const folder = new URL("../src/views/", import.meta.url);
    const names = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith(".ts"));
    expect(names.length).toBeGreaterThan(20);
    const odd = names.flatMap((name) => {
      const source = readFileSync(new URL(name, folder), "utf8");
      // Escape closes what is open where it is open, and arrows move within a control.
      const lone = [...source.matchAll(/\bkey === "(.)"|case "([a-z?/[\]])":/g)].map(([text]) => `${name}: ${text}`);
      return lone;
    });
    expect(odd).toEqual([]);
  });
});
