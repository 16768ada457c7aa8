// A device's script: starts the Worker that it runs in, tells it what happens, and does for it what it may ask for. What
// comes from that Worker is a stranger's: each message is looked at before anything is done.

import type { Entry } from "../muster/types";
import { CALLS, LINES, LONGEST_LINE, LONGEST_PAYLOAD, type Call, type Place, type Said, type ScriptEvent, type ScriptState, type Told } from "../script/protocol";
import { devices, type Session } from "./devices";
import { refusal } from "./failure";
import { isWrong, readRules } from "./fault-rules";
import { Store } from "./store";

export type LogLine = { at: number; level: "log" | "error" | "note"; text: string; place: Place | null };
export type Ended = "stopped" | "silent" | "flood" | "broken" | "finished";

/** Lines that are kept. */
const MOST_LINES = 500;
/** A script that does not answer for so long is stuck. */
const SILENT = 5_000;
const BEAT = 1_000;
/** A Worker whose file does not come. */
const BEGIN = 30_000;

/** Lets through so many at once, and so many a second. */
export class Bucket {
  #left: number;
  #at: number;

  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.#left = burst;
    this.#at = clock();
  }

  take(): boolean {
    const now = this.clock();
    this.#left = Math.min(this.burst, this.#left + ((now - this.#at) * this.perSecond) / 1_000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** What a script may hear of an entry; nothing of what is of no use to it. */
export function eventOf(entry: Entry): ScriptEvent | null {
  switch (entry.kind) {
    case "event": {
      const { event } = entry;
      if (event.event === "properties_set") {
        const properties = parsed(event.json);
        return { names: ["properties_set", "property_set"], event: { event: "properties_set", properties: typeof properties === "object" ? properties : {} } };
      }
      return { names: event.event === "step" ? ["step", `step:${event.step}`] : [event.event], event: { ...event } };
    }
    case "mqtt": {
      const { packet, direction } = entry;
      if (packet.type !== "PUBLISH") return { names: ["packet"], event: { direction, type: packet.type, topic: packet.topic ?? null, return_code: packet.return_code ?? null } };
      const payload = packet.payload?.text ?? null;
      const event = { direction, type: packet.type, topic: packet.topic ?? "", qos: packet.qos ?? 0, payload, json: payload === null ? null : parsed(payload) };
      return { names: direction === "down" ? ["message", "packet"] : ["packet"], event };
    }
    case "http": {
      const { method, url, status, payload } = entry.message;
      const path = url === undefined ? null : url.replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/[?#].*$/s, "");
      return { names: [entry.direction === "up" ? "request" : "response"], event: { method: method ?? null, path, status: status ?? null, payload: payload?.text ?? null } };
    }
    case "link":
      return { names: [entry.what === "closed" ? "offline" : entry.what === "open" ? "connected" : "connecting"], event: { what: entry.what } };
    case "fault":
      return { names: ["fault"], event: { rule: entry.rule, fault: entry.done.fault } };
    case "store":
      return { names: ["store"], event: { action: entry.action, key: entry.key, outcome: entry.outcome } };
    default:
      return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class Script extends Store {
  running = false;
  readonly lines: LogLine[] = [];
  /** How it ended the last time. */
  ended: Ended | null = null;
  #worker: Worker | undefined;
  #calls = new Bucket(CALLS.burst * 2, CALLS.perSecond * 2);
  #logs = new Bucket(LINES.burst * 2, LINES.perSecond * 2);
  #beat: ReturnType<typeof setInterval> | undefined;
  #pinged = 0;
  #heard = 0;
  #misses = 0;
  /** It has begun; until then `#pinged` is when it was started. */
  #begun = false;
  #ends: (() => void)[] = [];

  constructor(private readonly session: Session) {
    super();
  }

  run(source: string): void {
    this.stop();
    this.lines.length = 0;
    this.ended = null;
    this.running = true;
    this.#calls = new Bucket(CALLS.burst * 2, CALLS.perSecond * 2);
    this.#logs = new Bucket(LINES.burst * 2, LINES.perSecond * 2);
    const worker = new Worker(new URL("../script/script-worker.ts", import.meta.url), { type: "module", name: "muster-script" });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (this.#worker === worker) this.#hear(data, source);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (this.#worker === worker) this.#end("broken", event.message || "its Worker could not be loaded");
    };
    const hear = (entry: Entry) => this.#event(entry);
    this.session.heard.add(hear);
    // A device that is taken off the list takes its script along.
    const gone = devices.subscribe(() => {
      if (!devices.sessions.includes(this.session)) this.stop();
    });
    this.#ends = [() => this.session.heard.delete(hear), gone];
    this.#begun = false;
    this.#pinged = this.#heard = performance.now();
    this.#misses = 0;
    this.#beat = setInterval(() => this.#pulse(), BEAT);
    this.changed();
  }

  stop(): void {
    if (this.running) this.#end("stopped");
  }

  #end(how: Ended, text = ""): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    clearInterval(this.#beat);
    for (const end of this.#ends) end();
    this.#ends = [];
    this.running = false;
    this.ended = how;
    if (text !== "") this.#line("error", text, null);
    this.changed();
  }

  #state(): ScriptState {
    const { facts, names, plan } = this.session;
    return { platform: plan.platform, product: names.product, device: facts.identity?.device ?? names.device, word: facts.word, ready: facts.ready, registered: facts.registered };
  }

  #tell(told: Told): void {
    this.#worker?.postMessage(told);
  }

  #event(entry: Entry): void {
    const event = eventOf(entry);
    if (event !== null) this.#tell({ told: "event", event, state: this.#state() });
  }

  /** Asks whether it is still there. A page that slept itself asks once more before it says no. */
  #pulse(): void {
    // A clock that is set back must not let it run away meanwhile.
    const now = performance.now();
    if (!this.#begun) {
      if (now - this.#pinged >= BEGIN) this.#end("broken", "its Worker did not begin");
      return;
    }
    if (this.#heard < this.#pinged && now - this.#pinged >= SILENT) {
      this.#misses += 1;
      if (this.#misses > 1) return this.#end("silent");
    } else if (this.#heard >= this.#pinged) {
      this.#misses = 0;
      this.#pinged = now;
      this.#tell({ told: "ping", id: now });
    }
  }

  #hear(data: unknown, source: string): void {
    const said = readSaid(data);
    if (said === null) return this.#end("broken", "the script's Worker said what it never says");
    switch (said.said) {
      case "ready":
        if (this.#begun) return this.#end("broken", "the script's Worker said what it never says");
        this.#begun = true;
        if (!said.isolated) this.#line("note", "not_isolated", null);
        return this.#tell({ told: "run", source, state: this.#state() });
      case "pong":
        this.#heard = performance.now();
        return;
      case "log":
        if (!this.#logs.take()) return this.#end("flood");
        return this.#line(said.level, said.text, said.place ?? null);
      case "idle":
        return this.#end("finished");
      case "stop":
        return this.#end("stopped");
      case "call":
        if (!this.#calls.take()) return this.#end("flood");
        void this.#call(said.id, said.call);
    }
  }

  #line(level: LogLine["level"], text: string, place: Place | null): void {
    this.lines.push({ at: Date.now(), level, text, place });
    if (this.lines.length > MOST_LINES) this.lines.splice(0, this.lines.length - MOST_LINES);
    this.changed();
  }

  async #call(id: number, call: Call): Promise<void> {
    const worker = this.#worker;
    let answer: Told;
    try {
      const value = await this.#do(call);
      answer = { told: "answer", id, ...(value === undefined ? {} : { value }) };
    } catch (error) {
      answer = { told: "answer", id, error: refusal(error).message };
    }
    // One that has begun anew knows nothing of this call.
    if (this.#worker === worker) this.#tell(answer);
  }

  async #do(call: Call): Promise<unknown> {
    const { session } = this;
    switch (call.call) {
      case "post":
        if (!isObject(call.properties)) throw new Error("properties are an object of names and values");
        return session.attempt({ intent: "post_properties", json: JSON.stringify(call.properties) });
      case "report":
        return session.attempt({ intent: "report" });
      case "publish":
        return session.sendPublish(call.topic, call.payload, call.qos);
      case "subscribe":
        return session.sendSubscribe(call.topic, call.qos);
      case "arm": {
        const rules = readRules(call.rules, session.plan.platform);
        if (isWrong(rules)) throw new Error(`${rules.field}: ${rules.problem}${rules.problem === "one_of" ? ` ${rules.of.join(", ")}` : ""}`);
        await session.harm({ arm: rules });
        return session.faults.map(({ id, struck }) => ({ id, struck }));
      }
      case "disarm":
        return session.harm({ disarm: call.ids });
      case "clear":
        return session.harm({ set: [] });
    }
  }
}

// ---------- what a stranger says ----------

type Plain = Record<string, unknown>;
const isObject = (value: unknown): value is Plain => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown, longest: number): value is string => typeof value === "string" && value.length <= longest;
const isCount = (value: unknown): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** A message of the script's Worker; null if it is none. */
export function readSaid(data: unknown): Said | null {
  if (!isObject(data)) return null;
  switch (data["said"]) {
    case "ready":
      return { said: "ready", isolated: data["isolated"] === true };
    case "pong":
      return { said: "pong", id: 0 };
    case "idle":
      return { said: "idle" };
    case "stop":
      return { said: "stop" };
    case "log": {
      const { level, text, place } = data;
      if ((level !== "log" && level !== "error") || !isText(text, LONGEST_LINE + 100)) return null;
      const at = isObject(place) && isCount(place["line"]) && isCount(place["column"]) ? { line: place["line"], column: place["column"] } : undefined;
      return { said: "log", level, text, ...(at === undefined ? {} : { place: at }) };
    }
    case "call": {
      const { id, call } = data;
      const read = isObject(call) ? readCall(call) : null;
      return isCount(id) && read !== null ? { said: "call", id, call: read } : null;
    }
    default:
      return null;
  }
}

/** A call whose arguments are of the right kinds; what is wrong with their values is said by whoever carries it out. */
function readCall(call: Plain): Call | null {
  switch (call["call"]) {
    case "post":
      // What is no object is told so by the device, in its own words.
      return { call: "post", properties: (call["properties"] ?? null) as Record<string, unknown> };
    case "report":
      return { call: "report" };
    case "clear":
      return { call: "clear" };
    case "publish": {
      const { topic, payload, qos } = call;
      const way = qos === 1 ? 1 : 0;
      return isText(topic, 1_024) && isText(payload, LONGEST_PAYLOAD) ? { call: "publish", topic, payload, qos: way } : null;
    }
    case "subscribe": {
      const { topic, qos } = call;
      return isText(topic, 1_024) ? { call: "subscribe", topic, qos: qos === 1 ? 1 : 0 } : null;
    }
    case "arm":
      // Read strictly when it is carried out.
      return Array.isArray(call["rules"]) ? { call: "arm", rules: call["rules"] as never } : null;
    case "disarm": {
      const { ids } = call;
      return Array.isArray(ids) && ids.length <= 64 && ids.every((id) => isText(id, 256)) ? { call: "disarm", ids: ids as string[] } : null;
    }
    default:
      return null;
  }
}

const scripts = new WeakMap<Session, Script>();

/** The script of a device: it runs on while nobody looks. */
export function scriptOf(session: Session): Script {
  let script = scripts.get(session);
  if (script === undefined) {
    script = new Script(session);
    scripts.set(session, script);
  }
  return script;
}
