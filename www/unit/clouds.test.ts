import { afterEach, expect, test, vi } from "vitest";
import { clouds } from "../src/state/clouds";
import { engine } from "../src/state/engine";
import type { Demo } from "../src/muster/types";

const muster = vi.hoisted(() => ({ cloud: null as unknown }));
vi.mock("../src/state/engine", () => ({ engine: { state: "ready", generation: 1, subscribe: () => () => {}, get: async () => ({ cloud: () => (muster.cloud as () => Promise<unknown>)() }) } }));

afterEach(() => vi.restoreAllMocks());

const NOTHING: Demo = { ucloud: null, cmcc: null, krtyun: null, alibaba: null, alibaba_app: null };

test("the demo is asked for once at a time, however often a view draws itself meanwhile", async () => {
  let asked = 0;
  const demo = async (): Promise<Demo> => {
    asked += 1;
    await Promise.resolve();
    return NOTHING;
  };
  vi.spyOn(clouds, "operator").mockReturnValue({ demo } as never);
  const answers = await Promise.all([clouds.demo("local"), clouds.demo("local"), clouds.demo("local")]);
  expect(asked).toBe(1);
  expect(answers).toEqual([NOTHING, NOTHING, NOTHING]);
  await clouds.demo("local");
  expect(asked).toBe(2);
});

test("clouds in the tab that cannot be begun from a file are other clouds all the same: whoever follows begins anew", async () => {
  const stopped: string[] = [];
  const cloud = (name: string) => ({ stop: async () => void stopped.push(name), demo: async () => NOTHING });
  const begun = { cloud: async () => cloud("old"), forget: async () => Promise.reject(new Error("no room")) };
  vi.spyOn(engine, "get").mockResolvedValue(begun as never);
  clouds.tabKept = true;
  await clouds.demo("tab");
  const before = clouds.tabBegun;
  let told = 0;
  const end = clouds.subscribe(() => (told += 1));
  await expect(clouds.startOver()).rejects.toThrow("no room");
  end();
  clouds.tabKept = false;
  expect(stopped).toEqual(["old"]);
  expect(clouds.tabBegun).toBe(before + 1);
  expect(told).toBeGreaterThan(0);
});

test("clouds that could not begin, because another tab has them, can be asked for again", async () => {
  let begun = 0;
  muster.cloud = async () => {
    begun += 1;
    if (begun === 1) throw Object.assign(new Error("another tab of this browser runs it"), { code: "in_use" });
    return { demo: async () => NOTHING };
  };
  await expect(clouds.inTab()).rejects.toThrow("another tab");
  const cloud = await clouds.inTab();
  expect(await clouds.inTab()).toBe(cloud);
  expect(begun).toBe(2);
});
