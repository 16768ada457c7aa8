import { describe, expect, it } from "vitest";
import { beginRun, dropRun, failedStep, nextOf, reduceRun, resumeRun, stepsOf, type Run } from "../src/state/bindrun";
import type { AppBindPlan, BindFailure, Entry, Error, What } from "../src/muster/types";

const device = { product_key: "p", device_name: "d" };
const plan: AppBindPlan = { devices: [device], by: "token" };
let seq = 0;
const entry = (what: What): Entry => ({ seq: ++seq, at: seq, unix: 1_000 + seq, ...what }) as Entry;
const event = (event: Extract<What, { kind: "app_event" }>["event"]) => entry({ kind: "app_event", event });
const asked = (path: string) => entry({ kind: "http", direction: "up", message: { method: "POST", url: `https://gateway/stage${path}?x=1`, headers: [], size: 1, masked: 0 } });
const answered = (request: Entry, code: number) =>
  entry({ kind: "http", direction: "down", of: request.seq, latency: 5, message: { status: 200, headers: [], size: 1, masked: 0, payload: { size: 1, json: true, text: JSON.stringify({ code }) } } });
const after = (run: Run, ...entries: Entry[]) => entries.reduce((now, entry) => reduceRun(now, entry, 1), run);
const states = (run: Run) => run.steps.map(({ step, state }) => `${step} ${state}`);
const exchanges = (run: Run) => run.steps.map((step) => step.exchanges.length);

describe("a guided bind", () => {
  it("has the steps that its plan takes", () => {
    expect(stepsOf(plan)).toEqual(["filter", "token", "bind"]);
    expect(stepsOf({ devices: [], by: "window" })).toEqual(["list", "filter", "bind"]);
    expect(stepsOf({ ...plan, cipher: { type: 3 } })).toEqual(["filter", "cipher", "token", "bind"]);
  });

  it("goes on step by step, each with its own requests", () => {
    let run = after(beginRun(plan, device, 1), event({ event: "step", step: "filter" }));
    const filter = asked("/awss/enrollee/product/filter");
    run = after(run, filter);
    // By hand, meanwhile: of no step.
    run = after(run, asked("/awss/token/check"), answered(filter, 200), event({ event: "filtered", devices: [] }), event({ event: "chosen", device }));
    expect(states(run)).toEqual(["filter now", "token todo", "bind todo"]);
    run = after(run, event({ event: "step", step: "token" }), event({ event: "waiting", for_ms: 9_000 }));
    expect(states(run)).toEqual(["filter done", "token now", "bind todo"]);
    expect(run.waitingUntil).toBe(1_000 + seq + 9_000);
    const [first, second] = [asked("/awss/token/check"), asked("/awss/token/check")];
    run = after(run, first, answered(first, 6608), second, answered(second, 200), event({ event: "token_known", iot_id: "i" }));
    expect(run).toMatchObject({ waitingUntil: null, iotId: "i" });
    run = after(run, event({ event: "step", step: "bind" }));
    const bind = asked("/awss/token/user/bind");
    run = after(run, bind, answered(bind, 200), event({ event: "bound", device, iot_id: "i" }));
    expect(states(run)).toEqual(["filter done", "token done", "bind done"]);
    expect(exchanges(run)).toEqual([1, 2, 1]);
    expect(run.word).toBe("bound");
    expect(run.steps.every(({ begun, ended }) => begun !== null && ended !== null && ended >= begun)).toBe(true);
    expect(failedStep(run)).toBeNull();
  });

  it("keeps an answer that comes after the end", () => {
    let run = after(beginRun(plan, device, 1), event({ event: "step", step: "filter" }));
    const filter = asked("/awss/enrollee/product/filter");
    run = after(run, filter, event({ event: "cancelled" }), answered(filter, 200));
    expect(run.word).toBe("stopped");
    expect(run.steps[0]?.exchanges[0]?.response).not.toBeNull();
  });

  it("says where it failed, and goes on there with what came before kept", () => {
    let run = after(beginRun(plan, device, 1), event({ event: "step", step: "filter" }), event({ event: "step", step: "token" }));
    const check = asked("/awss/token/check");
    run = after(run, check, answered(check, 6608), event({ event: "failed", step: "token", failure: { why: "no_token" } }));
    expect(states(run)).toEqual(["filter done", "token failed", "bind todo"]);
    expect(run).toMatchObject({ word: "failed", failure: { step: "token", failure: { why: "no_token" } } });
    expect(failedStep(run)).toBe("token");
    const again = resumeRun(run, "token", { ...plan, token: "T" }, 50);
    expect(states(again)).toEqual(["filter done", "token todo", "bind todo"]);
    expect(exchanges(again)).toEqual([0, 1, 0]);
    expect(again).toMatchObject({ word: "running", failure: null, plan: { from: "token", token: "T" } });
    const bound = after(again, event({ event: "chosen", device }), event({ event: "step", step: "token" }), event({ event: "step", step: "bind" }), event({ event: "bound", device, iot_id: "i" }));
    expect(states(bound)).toEqual(["filter done", "token done", "bind done"]);
  });

  it("goes back for another token when the bind finds that it ran out, and does not call that bind done", () => {
    let run = after(beginRun(plan, device, 1), event({ event: "step", step: "filter" }), event({ event: "step", step: "token" }), event({ event: "step", step: "bind" }));
    const bind = asked("/awss/token/user/bind");
    run = after(run, bind, answered(bind, 6608), event({ event: "step", step: "token" }), event({ event: "waiting", for_ms: 1_000 }));
    expect(states(run)).toEqual(["filter done", "token now", "bind todo"]);
    const check = asked("/awss/token/check");
    run = after(run, check, answered(check, 6608));
    expect(exchanges(run)).toEqual([0, 1, 1]);
    run = after(run, event({ event: "failed", step: "token", failure: { why: "no_token" } }));
    expect(states(run)).toEqual(["filter done", "token failed", "bind todo"]);
    expect(failedStep(run)).toBe("token");
  });

  it("takes no answer of another life of the app for its own", () => {
    let run = after(beginRun(plan, device, 1), event({ event: "step", step: "filter" }));
    const filter = asked("/awss/enrollee/product/filter");
    run = reduceRun(after(run, filter), answered(filter, 200), 2);
    expect(run.steps[0]?.exchanges[0]?.response).toBeNull();
  });

  it("tells a failure that came before its step was told", () => {
    const run = after(beginRun({ ...plan, devices: [device] }, device, 1), event({ event: "failed", step: "filter", failure: { why: "nothing_to_bind" } }));
    expect(states(run)).toEqual(["filter failed", "token todo", "bind todo"]);
  });

  it("can be stopped, and ends with its app", () => {
    const run = after(beginRun(plan, device, 1), event({ event: "step", step: "filter" }), event({ event: "step", step: "token" }));
    for (const over of [after(run, event({ event: "cancelled" })), dropRun(run, 99)]) {
      expect(states(over)).toEqual(["filter done", "token stopped", "bind todo"]);
      expect(failedStep(over)).toBe("token");
      // What comes late changes nothing.
      expect(after(over, event({ event: "step", step: "bind" }))).toBe(over);
      expect(dropRun(over, 100)).toBe(over);
    }
    // Stopped before anything began: it begins at the first step.
    expect(failedStep(dropRun(beginRun(plan, device, 1), 2))).toBe("filter");
  });

  it("says that a call is made again, until it is", () => {
    let run = after(beginRun(plan, device, 1), event({ event: "step", step: "filter" }), event({ event: "retrying", call: "filter", error: { blame: "network", failure: "timed_out" }, failures: 1, in_ms: 900 }));
    expect(run.retrying?.in_ms).toBe(900);
    run = after(run, asked("/awss/enrollee/product/filter"));
    expect(run.retrying).toBeNull();
  });

  it("has a next move for each way to fail", () => {
    const refused = (code: string): Error => ({ blame: "rejected", by: { how: "code", code, message: "" } });
    const next = (failure: BindFailure, step: "filter" | "cipher" | "token" | "bind" = "bind", by: "token" | "window" = "token") => nextOf(after(beginRun({ ...plan, by }, device, 1), event({ event: "failed", step, failure })));
    expect(next({ why: "no_token" })).toBe("no_token");
    expect(next({ why: "no_window" })).toBe("no_window");
    expect(next({ why: "not_among_them" }, "filter")).toBe("filter");
    expect(next({ why: "call", error: refused("401") })).toBe("login");
    expect(next({ why: "call", error: refused("2066") })).toBe("others");
    expect(next({ why: "call", error: refused("6608") })).toBe("no_token");
    expect(next({ why: "call", error: refused("6608") }, "bind", "window")).toBe("no_window");
    expect(next({ why: "call", error: { blame: "network", failure: "timed_out" } })).toBe("network");
    expect(next({ why: "call", error: refused("5005") }, "cipher")).toBe("cipher");
    expect(next({ why: "password" }, "cipher")).toBe("cipher");
    expect(next({ why: "call", error: refused("460") })).toBe("any");
    expect(nextOf(beginRun(plan, device, 1))).toBe("any");
  });
});
