// The Worker in which a person's script runs, and nothing else: no module is imported, no secret ever comes here.
//
// The server sends this file with a policy of its own (host/src/up/console.rs): code may be evaluated, nothing may be
// fetched, and the origin is an opaque one, so that IndexedDB and the page's other stores are not even of the same site.
// On top of that every global that is not part of the language is removed before the script begins.

import type { Call, Place, Said, ScriptEvent, ScriptState, Told } from "./protocol";

/** What is used of the Worker's global; the page's types know no Worker from inside. */
type Scope = {
  origin: string;
  setTimeout: (work: () => void, ms?: number) => number;
  setInterval: (work: () => void, ms: number) => number;
  clearTimeout: (id: number) => void;
  clearInterval: (id: number) => void;
  postMessage: (message: unknown) => void;
  close: () => void;
  addEventListener: {
    (type: "message", hear: (event: MessageEvent<Told>) => void): void;
    (type: "unhandledrejection", hear: (event: PromiseRejectionEvent) => void): void;
    (type: "error", hear: (event: ErrorEvent) => void, options: { once: true }): void;
  };
};

{
  // Kept before the script can touch them.
  const scope = self as unknown as Scope;
  const { setTimeout: later, setInterval: again, clearTimeout: notLater, clearInterval: notAgain } = scope;
  const post = scope.postMessage.bind(scope);
  const listen = scope.addEventListener.bind(scope) as Scope["addEventListener"];
  const end = scope.close.bind(scope);
  const { stringify } = JSON;
  const { freeze, entries, isFrozen } = Object;
  const now = () => Date.now();
  const AsyncFunction = (async () => {}).constructor as new (...parts: string[]) => (...values: unknown[]) => Promise<unknown>;
  const say = (message: Said) => post(message);

  // The language, and what computes without reaching anything.
  const LANGUAGE = new Set(
    ("Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError SuppressedError " +
      "globalThis JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt Set Iterator WeakMap WeakSet WeakRef FinalizationRegistry Proxy Reflect " +
      "decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape eval isFinite isNaN TextEncoder TextDecoder URL URLSearchParams structuredClone atob btoa").split(" "),
  );

  /** Takes away whatever is not the language. */
  function strip(): void {
    for (let at: object | null = scope; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
      for (const name of Reflect.ownKeys(at)) {
        if (typeof name === "string" && LANGUAGE.has(name)) continue;
        if (Reflect.deleteProperty(at, name)) continue;
        // What cannot be deleted is covered, if it may be.
        try {
          Object.defineProperty(at, name, { value: undefined, writable: false, configurable: false });
        } catch {
          // It is fixed: `NaN` and its like, which reach nothing.
        }
      }
    }
  }

  // ---------- limits ----------

  function bucket(burst: number, perSecond: number): () => boolean {
    let left = burst;
    let at = now();
    return () => {
      const time = now();
      left = Math.min(burst, left + ((time - at) * perSecond) / 1_000);
      at = time;
      if (left < 1) return false;
      left -= 1;
      return true;
    };
  }
  // As in protocol.ts: imports are what this file does without.
  const mayCall = bucket(40, 20);
  const mayLog = bucket(200, 50);
  let unsaid = 0;

  // ---------- what a script is given ----------

  const asked = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let lastCall = 0;
  let state: ScriptState = freeze({ platform: "", product: "", device: "", word: "", ready: false, registered: false });
  const handlers = new Map<string, Set<(event: unknown) => unknown>>();
  const timers = new Set<number>();
  let running = 0;

  function call(what: Call): Promise<unknown> {
    if (!mayCall()) return Promise.reject(new RangeError("too many calls: a script may make 20 a second, and 40 at once"));
    lastCall += 1;
    const id = lastCall;
    // An answer comes out of nowhere: where it was asked for is known now.
    const refused = new Error("refused");
    return new Promise((resolve, reject) => {
      // What cannot be copied, such as a function, throws here.
      say({ said: "call", id, call: what });
      asked.set(id, {
        resolve,
        reject: (error) => {
          refused.message = error.message;
          reject(refused);
        },
      });
    });
  }

  function line(level: "log" | "error", text: string, place?: Place): void {
    if (!mayLog()) {
      unsaid += 1;
      return;
    }
    const more = unsaid > 0 ? ` (${unsaid} lines before this one were too many)` : "";
    unsaid = 0;
    say({ said: "log", level, text: `${text.slice(0, 2_000)}${more}`, ...(place === undefined ? {} : { place }) });
  }

  function show(value: unknown): string {
    if (typeof value === "string") return value;
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    try {
      return stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  }

  const log = (...values: unknown[]) => line("log", values.map(show).join(" "));

  /** Lines before the script's first one: what the browser puts ahead of a function's body, and ours. */
  let shift = 3;

  /** Where in the script an error was thrown. */
  function placeOf(error: unknown): Place | undefined {
    const stack = error instanceof Error && typeof error.stack === "string" ? error.stack : "";
    const found = /script\.js:(\d+):(\d+)/.exec(stack);
    return found === null ? undefined : { line: Math.max(1, Number(found[1]) - shift), column: Number(found[2]) };
  }

  function complain(error: unknown): void {
    line("error", show(error), placeOf(error));
  }

  async function run(work: (value?: unknown) => unknown, value?: unknown): Promise<void> {
    running += 1;
    try {
      await work(value);
    } catch (error) {
      complain(error);
    } finally {
      running -= 1;
      rest();
    }
  }

  /** Says once that nothing of the script is left to happen. */
  let resting = false;
  function rest(): void {
    const idle = running === 0 && timers.size === 0 && asked.size === 0 && [...handlers.values()].every((set) => set.size === 0);
    if (idle && !resting) say({ said: "idle" });
    resting = idle;
  }

  function whole(ms: unknown, least: number, what: string): number {
    if (typeof ms !== "number" || !(ms >= least)) throw new RangeError(`${what} has to be a number of milliseconds, ${least} or more`);
    return Math.min(ms, 2_147_483_647);
  }

  function isWork(work: unknown): asserts work is () => unknown {
    if (typeof work !== "function") throw new TypeError("a function is missing");
  }

  const every = (ms: number, work: () => unknown) => {
    isWork(work);
    const id = again(() => void run(work), whole(ms, 10, "the interval"));
    timers.add(id);
    return () => {
      notAgain(id);
      timers.delete(id);
      rest();
    };
  };

  const after = (ms: number, work: () => unknown) => {
    isWork(work);
    const id = later(() => {
      timers.delete(id);
      void run(work);
    }, whole(ms, 0, "the wait"));
    timers.add(id);
    return () => {
      notLater(id);
      timers.delete(id);
      rest();
    };
  };

  /** Not before this moment by the clock: a timer may be some milliseconds early, and waits for at most 24.8 days. */
  const when = (due: number, work: () => unknown) => {
    let cancel = () => {};
    const wait = (): void => {
      cancel = after(due - now() > 0 ? due - now() : 0, () => (due - now() > 0 ? wait() : work()));
    };
    wait();
    return () => cancel();
  };

  /** "08:00" or "08:00:30": each day, by this machine's clock; a Date or milliseconds since 1970: once. */
  const at = (time: string | number | Date, work: () => unknown) => {
    isWork(work);
    if (typeof time !== "string") {
      const due = Number(time);
      if (!(due - now() >= 0)) throw new RangeError("this time is over, or none");
      return when(due, work);
    }
    const [, h, m, s = "0"] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(time) ?? [];
    if (h === undefined || m === undefined || Number(h) > 23 || Number(m) > 59 || Number(s) > 59) throw new RangeError('a time of day is written "08:00" or "08:00:30"');
    let cancel = () => {};
    const next = () => {
      const due = new Date(now());
      due.setHours(Number(h), Number(m), Number(s), 0);
      if (due.getTime() <= now()) due.setDate(due.getDate() + 1);
      cancel = when(due.getTime(), () => {
        next();
        return work();
      });
    };
    next();
    return () => cancel();
  };

  const on = (name: string, handler: (event: unknown) => unknown) => {
    isWork(handler);
    const set = handlers.get(name) ?? new Set();
    handlers.set(name, set.add(handler));
    return () => {
      set.delete(handler);
      rest();
    };
  };

  const sleep = (ms: number) => new Promise<void>((done) => after(ms, done));

  /** The next event of this name. */
  const once = (name: string) =>
    new Promise<unknown>((done) => {
      const off = on(name, (event) => {
        off();
        done(event);
      });
    });

  /** Numbers from 0 to 1 that repeat with their seed (mulberry32). */
  const random = (seed = 1) => {
    let word = seed >>> 0;
    return () => {
      word = (word + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(word ^ (word >>> 15), word | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    };
  };

  const text = (payload: unknown) => {
    const written = typeof payload === "string" ? payload : (stringify(payload) ?? "");
    if (written.length > 65_536) throw new RangeError("a payload has at most 65,536 characters");
    return written;
  };
  const topicOf = (topic: unknown) => {
    if (typeof topic !== "string" || topic === "" || topic.length > 256) throw new TypeError("a topic is a text of 1 to 256 characters");
    return topic;
  };
  const qosOf = (options: unknown): 0 | 1 => {
    const qos = (options as { qos?: unknown } | null)?.qos ?? 0;
    if (qos !== 0 && qos !== 1) throw new RangeError("qos is 0 or 1");
    return qos;
  };
  const idsOf = (ids: unknown[]) => {
    if (ids.length > 64 || !ids.every((id) => typeof id === "string" && id.length <= 256)) throw new TypeError("ids are at most 64 texts of at most 256 characters");
    return ids as string[];
  };
  const list = <T>(one: T | T[]): T[] => (Array.isArray(one) ? one : [one]);

  const api: Record<string, unknown> = {
    on,
    once,
    every,
    after,
    at,
    sleep,
    random,
    log,
    console: freeze({ log, info: log, warn: log, error: log, debug: log }),
    post: (properties: Record<string, unknown>) => call({ call: "post", properties }),
    report: () => call({ call: "report" }),
    publish: (topic: unknown, payload: unknown, options: unknown = {}) => call({ call: "publish", topic: topicOf(topic), payload: text(payload), qos: qosOf(options) }),
    subscribe: (topic: unknown, options: unknown = {}) => call({ call: "subscribe", topic: topicOf(topic), qos: qosOf(options) }),
    faults: freeze({
      arm: (rules: never) => call({ call: "arm", rules: list(rules) }),
      disarm: (ids: string | string[]) => call({ call: "disarm", ids: idsOf(list(ids)) }),
      clear: () => call({ call: "clear" }),
    }),
    state: new Proxy(
      {},
      {
        get: (_, name) => (state as Record<string | symbol, unknown>)[name],
        has: (_, name) => name in state,
        ownKeys: () => Reflect.ownKeys(state),
        getOwnPropertyDescriptor: (_, name) => ({ value: (state as Record<string | symbol, unknown>)[name], enumerable: true, configurable: true }),
        set: () => false,
      },
    ),
    stop: () => {
      say({ said: "stop" });
      end();
    },
  };

  // ---------- the script ----------

  function start(source: string): void {
    const names = entries(api).map(([name]) => name);
    const values = entries(api).map(([, value]) => value);
    const body = `${source}\n//# sourceURL=script.js`;
    let script: (...values: unknown[]) => Promise<unknown>;
    try {
      // Where the body begins differs between browsers: one that fails in its first line tells.
      script = new AsyncFunction("throw new Error\n//# sourceURL=script.js");
      script().catch((error: unknown) => {
        const [, line] = /script\.js:(\d+):/.exec(error instanceof Error ? String(error.stack) : "") ?? [];
        if (line !== undefined) shift = Number(line);
      });
      script = new AsyncFunction(...names, `"use strict";\n${body}`);
    } catch (error) {
      if (error instanceof SyntaxError) locate(source, error);
      else complain(error);
      return;
    }
    void run(() => script(...values));
  }

  /** A syntax error tells nobody its line but the one who evaluates a text as a whole. */
  function locate(source: string, error: SyntaxError): void {
    listen(
      "error",
      (event) => {
        event.preventDefault();
        line("error", show(error), event.lineno > 1 ? { line: event.lineno - 1, column: event.colno } : undefined);
        rest();
      },
      { once: true },
    );
    (later as unknown as (code: string) => void)(`(async function () {"use strict";\n${source}\n})`);
  }

  function tell({ names, event }: ScriptEvent): void {
    for (const name of names) for (const handler of [...(handlers.get(name) ?? [])]) void run(handler, event);
  }

  listen("message", (event) => {
    const told = event.data;
    switch (told.told) {
      case "run":
        state = freeze(told.state);
        start(told.source);
        return;
      case "event":
        state = isFrozen(told.state) ? told.state : freeze(told.state);
        return tell(told.event);
      case "answer": {
        const asker = asked.get(told.id);
        asked.delete(told.id);
        if (told.error === undefined) asker?.resolve(told.value);
        else asker?.reject(new Error(told.error));
        return rest();
      }
      case "ping":
        return say({ said: "pong", id: told.id });
    }
  });
  listen("unhandledrejection", (event) => {
    event.preventDefault();
    complain(event.reason);
  });

  const isolated = scope.origin === "null";
  strip();
  say({ said: "ready", isolated });
}
