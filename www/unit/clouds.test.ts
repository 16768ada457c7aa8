import { afterEach, expect, test, vi } from "vitest";
import { clouds } from "../src/state/clouds";
import type { Demo } from "../src/muster/types";

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
