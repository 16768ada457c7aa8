// One guided bind as a person follows it: its steps, what was said in each, and where it stands. Made of the entries
// that the app tells; the core decides what happens (src/platform/alibaba/app/bind.rs).

import type { AppBindPlan, AppStep, BindFailure, Bindable, DeviceNameOf, Entry } from "../muster/types";
import { answers, httpOf, isCall, type Exchange, type HttpEntry } from "./exchange";

export type StepState = "todo" | "now" | "done" | "failed" | "stopped";
export type RunWord = "running" | "bound" | "failed" | "stopped";

export type RunStep = {
  step: AppStep;
  state: StepState;
  /** Milliseconds since 1970. */
  begun: number | null;
  ended: number | null;
  /** Every request, those of earlier tries too. */
  exchanges: readonly Exchange[];
};

export type Run = {
  plan: AppBindPlan;
  device: DeviceNameOf;
  word: RunWord;
  steps: readonly RunStep[];
  begun: number;
  ended: number | null;
  filtered: readonly Bindable[] | null;
  handedOver: boolean;
  /** The app waits for the device's token until then; null: it does not, or has it. */
  waitingUntil: number | null;
  iotId: string | null;
  failure: { step: AppStep; failure: BindFailure } | null;
  /** A call that got no reply is made again. */
  retrying: (Extract<Entry, { kind: "app_event" }>["event"] & { event: "retrying" }) | null;
};

/** What is asked in a step. */
const CALLS_OF: Record<AppStep, readonly string[]> = {
  list: ["/awss/enrollee/list/get"],
  filter: ["/awss/enrollee/product/filter"],
  cipher: ["/awss/cipher/get"],
  token: ["/awss/token/check"],
  bind: ["/awss/token/user/bind", "/awss/time/window/user/bind"],
};

/** The steps that a plan takes. */
export function stepsOf(plan: AppBindPlan): AppStep[] {
  const steps: AppStep[] = plan.devices.length === 0 ? ["list", "filter"] : ["filter"];
  if (plan.cipher !== undefined) steps.push("cipher");
  if (plan.by === "token") steps.push("token");
  return [...steps, "bind"];
}

function fresh(step: AppStep): RunStep {
  return { step, state: "todo", begun: null, ended: null, exchanges: [] };
}

export function beginRun(plan: AppBindPlan, device: DeviceNameOf, now: number): Run {
  const steps = stepsOf(plan).map(fresh);
  return { plan, device, word: "running", steps, begun: now, ended: null, filtered: null, handedOver: false, waitingUntil: null, iotId: null, failure: null, retrying: null };
}

/** The step to go on at: the one that failed or was stopped, else the first that is not done. */
export function failedStep(run: Run): AppStep | null {
  if (run.word === "running" || run.word === "bound") return null;
  const found = run.steps.find(({ state }) => state === "failed" || state === "stopped") ?? run.steps.find(({ state }) => state !== "done");
  return found?.step ?? null;
}

/** The same run again, beginning at `from`: what came before it stays as it was. `plan` may know more by now. */
export function resumeRun(run: Run, from: AppStep, plan: AppBindPlan, now: number): Run {
  const at = run.steps.findIndex(({ step }) => step === from);
  const steps = run.steps.map((step, i) => (i < at ? step : { ...fresh(step.step), exchanges: step.exchanges }));
  return { ...run, plan: { ...plan, from }, word: "running", steps, ended: null, waitingUntil: null, failure: null, retrying: null, begun: now };
}

/** What is true after `entry`, of the app's `life`. */
export function reduceRun(run: Run, entry: Entry, life: number): Run {
  if (entry.kind === "http") return reduceHttp(run, entry, life);
  if (entry.kind !== "app_event" || run.word !== "running") return run;
  const { event } = entry;
  switch (event.event) {
    case "step":
      return { ...run, retrying: null, waitingUntil: event.step === "bind" ? null : run.waitingUntil, steps: enter(run.steps, event.step, entry.unix) };
    case "filtered":
      return { ...run, filtered: event.devices };
    case "chosen":
      return { ...run, device: event.device };
    case "key_ready":
      return { ...run, handedOver: true };
    case "waiting":
      return { ...run, waitingUntil: entry.unix + event.for_ms };
    case "token_known":
      return { ...run, iotId: event.iot_id, waitingUntil: null };
    case "bound":
      return end({ ...run, device: event.device, iotId: event.iot_id }, "bound", "done", entry.unix);
    case "failed":
      return end({ ...run, failure: { step: event.step, failure: event.failure }, steps: enter(run.steps, event.step, entry.unix) }, "failed", "failed", entry.unix);
    case "cancelled":
      return end(run, "stopped", "stopped", entry.unix);
    case "retrying":
      return { ...run, retrying: event };
    default:
      return run;
  }
}

/** The app is gone, and with it the run. */
export function dropRun(run: Run, now: number): Run {
  return run.word === "running" ? end(run, "stopped", "stopped", now) : run;
}

function end(run: Run, word: RunWord, state: StepState, unix: number): Run {
  const steps = run.steps.map((step) => (step.state === "now" ? { ...step, state, ended: unix } : step));
  return { ...run, word, steps, ended: unix, waitingUntil: null, retrying: null };
}

function enter(steps: readonly RunStep[], name: AppStep, unix: number): RunStep[] {
  const at = steps.findIndex(({ step }) => step === name);
  if (at < 0) return [...steps];
  return steps.map((step, i) => {
    if (i === at) return step.state === "now" ? step : { ...step, state: "now", begun: unix, ended: null };
    if (step.state !== "now") return step;
    // Back to an earlier step, such as for another token: this one was not done.
    return i > at ? { ...step, state: "todo", ended: null } : { ...step, state: "done", ended: unix };
  });
}

function reduceHttp(run: Run, entry: HttpEntry, life: number): Run {
  const answered = entry.direction === "down";
  let step: AppStep | undefined;
  if (answered) step = run.steps.find(({ exchanges }) => exchanges.some((one) => answers(entry, life, one)))?.step;
  // What a person asks by hand meanwhile is not of this run: only the step in hand asks.
  else if (run.word === "running") step = run.steps.find((one) => one.state === "now" && CALLS_OF[one.step].some((path) => isCall(entry, path)))?.step;
  if (step === undefined) return run;
  return { ...run, retrying: null, steps: run.steps.map((one) => (one.step === step ? { ...one, exchanges: httpOf(one.exchanges, entry, life) } : one)) };
}

export type NextMove = "filter" | "cipher" | "no_token" | "no_window" | "login" | "others" | "network" | "any";

/** What a person does about a failure. */
export function nextOf(run: Run): NextMove {
  const found = run.failure;
  if (found === null) return "any";
  const { step, failure } = found;
  if (failure.why === "no_token") return "no_token";
  if (failure.why === "no_window") return "no_window";
  if (failure.why === "nothing_to_bind" || failure.why === "not_among_them") return "filter";
  if (failure.why === "call") {
    const { error } = failure;
    if (error.blame === "network") return "network";
    const code = error.blame === "rejected" && error.by.how === "code" ? error.by.code : "";
    if (code === "401") return "login";
    if (code === "2066") return "others";
    if (code === "6608") return run.plan.by === "token" ? "no_token" : "no_window";
  }
  return step === "cipher" ? "cipher" : "any";
}
