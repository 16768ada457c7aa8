import { beforeEach, describe, expect, it, vi } from "vitest";
import { Armory } from "../src/muster/armory";
import type { App, AppBindPlan, Device, DeviceOptions, Entry, Intent, Muster, Next, What } from "../src/muster/types";

/** Entries pushed by the test, read by the page. */
class Feed implements AsyncIterable<Entry> {
  #items: Entry[] = [];
  #wake: (() => void) | undefined;
  #over = false;
  #seq = 0;
  push(what: What): void {
    this.#seq += 1;
    this.#items.push({ seq: this.#seq, at: this.#seq, unix: 1_000 + this.#seq, ...what } as Entry);
    this.#wake?.();
  }
  end(): void {
    this.#over = true;
    this.#wake?.();
  }
  async *[Symbol.asyncIterator](): AsyncIterator<Entry> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) yield item;
      else if (this.#over) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}

class FakeDevice extends Feed implements Device {
  readonly id = 1;
  readonly platform = "alibaba" as const;
  next: Next | null = null;
  onnext: ((next: Next | null) => void) | null = null;
  oncut: Device["oncut"] = null;
  async publish() {}
  async subscribe() {}
  readonly faults = new Armory(async () => []);
  readonly intents: Intent[] = [];
  stops = 0;
  constructor(readonly options: DeviceOptions) {
    super();
  }
  async intend(intent: Intent) {
    this.intents.push(intent);
    if (intent.intent === "new_bind_token") this.push({ kind: "event", event: { event: "bind_token", token: "NEW", for_ms: 60_000 } });
  }
  async packet() {
    return undefined;
  }
  async dropNetwork() {}
  async credential() {
    return undefined;
  }
  async recording() {
    return new Uint8Array(1);
  }
  async stop() {
    this.stops += 1;
    if (this.stops > 1) throw new Error("stopped");
    this.push({ kind: "mqtt", direction: "up", packet: { type: "DISCONNECT", size: 2, masked: 0 } });
    this.end();
  }
  async cutPower() {
    this.end();
  }
}

class FakeApp extends Feed implements App {
  readonly plans: AppBindPlan[] = [];
  readonly tokens: string[] = [];
  async call() {
    return null as never;
  }
  async bind(plan: AppBindPlan) {
    this.plans.push(plan);
  }
  async bindToken(token: string) {
    this.tokens.push(token);
  }
  async cancel() {}
  async handOver() {
    return undefined;
  }
  async packet() {
    return undefined;
  }
  stops = 0;
  async stop() {
    this.stops += 1;
    this.end();
  }
}

const world = vi.hoisted(() => ({ replays: 0, hold: null as Promise<void> | null, holdDevice: null as Promise<void> | null, devices: [] as unknown[], apps: [] as unknown[], refuse: null as unknown, listeners: new Set<() => void>(), state: "ready" }));
vi.mock("../src/state/engine", () => ({
  engine: {
    get state() {
      return world.state;
    },
    generation: 1,
    subscribe: (listener: () => void) => world.listeners.add(listener),
    get: async (): Promise<Partial<Muster>> => {
      await world.hold;
      return {
        device: async (options) => {
          if (world.refuse !== null) throw world.refuse;
          const device = new FakeDevice(options);
          world.devices.push(device);
          await world.holdDevice;
          return device;
        },
        replay: async () => {
          await world.holdDevice;
          world.replays += 1;
          return { check: { length: 1 }, marks: [], goTo: async () => ({ at: 0, mono: 0 }), close: async () => void (world.replays -= 1) } as never;
        },
        app: async () => {
          const app = new FakeApp();
          world.apps.push(app);
          await world.holdDevice;
          return app;
        },
      };
    },
  },
}));
const demos = vi.hoisted(() => ({ hold: null as Promise<void> | null, demo: null as unknown }));
vi.mock("../src/state/clouds", () => ({
  clouds: {
    world: "local",
    subscribe: () => () => {},
    known: () => undefined,
    inTab: async () => ({}),
    demo: async () => {
      await demos.hold;
      if (demos.demo === null) throw new Error("nobody answers");
      return demos.demo;
    },
  },
}));

const { devices } = await import("../src/state/devices");
const { arranged } = await import("../src/state/device-list");
const { bundleParts } = await import("../src/state/bundle");
const { addDevices, fromFile } = await import("../src/state/incoming");
const { i18n } = await import("../src/i18n");
const { Owner } = await import("../src/state/owner");
const { Log } = await import("../src/state/log");
const { MOST_DEVICES } = await import("../src/state/profiles");
const settled = () => new Promise((done) => setTimeout(done, 5));
const plan = { platform: "alibaba" as const, world: "local" as const, settings: { product_key: "p", device_name: "d", broker: "ws://x" }, storage: "memory" as const };

beforeEach(async () => {
  vi.unstubAllGlobals();
  world.hold = world.holdDevice = demos.hold = demos.demo = null;
  world.state = "ready";
  world.refuse = null;
  for (const session of [...devices.sessions]) await devices.remove(session);
  world.devices.length = 0;
  world.apps.length = 0;
});

const lastDevice = () => world.devices.at(-1) as FakeDevice;
const notes = (rows: readonly { type: string }[]) => rows.filter((row) => row.type === "note").map((row) => (row as unknown as { note: string }).note);

describe("a session", () => {
  it("reads what its device tells, and says what is next", async () => {
    const session = devices.start(plan);
    await settled();
    lastDevice().push({ kind: "event", event: { event: "ready" } });
    lastDevice().onnext?.({ at: 5, why: "heartbeat" });
    await settled();
    expect(session.facts.word).toBe("online");
    expect(session.next).toEqual({ at: 5, why: "heartbeat" });
    expect(lastDevice().options).toMatchObject({ storage: "memory", name: "alibaba/local/p/d" });
  });

  it("keeps its timeline over a power cut and a restart", async () => {
    const session = devices.start(plan);
    await settled();
    lastDevice().push({ kind: "event", event: { event: "ready" } });
    await settled();
    await session.cutPower();
    expect(session.facts.word).toBe("cut");
    await session.start();
    expect(world.devices).toHaveLength(2);
    expect(notes(session.timeline.rows)).toEqual(["started", "power_cut", "restarted"]);
    expect(session.timeline.life).toBe(2);
  });

  it("hears a device out that logs off", async () => {
    const session = devices.start(plan);
    await settled();
    await session.stop();
    await settled();
    expect(session.facts.word).toBe("off");
    expect(notes(session.timeline.rows)).toEqual(["started", "stopped"]);
  });

  it("says why it could not be started, and with which setting", async () => {
    world.refuse = Object.assign(new Error("setting `broker`: is missing"), { code: "config", key: "broker" });
    const session = devices.start(plan);
    await settled();
    expect(session).toMatchObject({ running: false, failure: { code: "config", key: "broker" } });
    world.refuse = null;
    await session.start();
    expect(session).toMatchObject({ running: true, failure: null });
  });

  it("that is stopped while it starts runs nowhere, and can be started again", async () => {
    const session = devices.start(plan);
    let go = () => {};
    world.holdDevice = new Promise((done) => (go = done));
    await settled();
    expect([session.busy, session.running]).toEqual([true, false]);
    const stopped = session.stop();
    world.holdDevice = null;
    go();
    await stopped;
    expect([session.busy, session.running, session.facts.word]).toEqual([false, false, "off"]);
    expect(lastDevice().stops).toBe(1);
    await session.start();
    expect([world.devices.length, session.running]).toEqual([2, true]);
  });

  it("that is taken off the list while it starts runs nowhere", async () => {
    let go = () => {};
    world.hold = new Promise((done) => (go = done));
    const session = devices.start(plan);
    const put = devices.remove(session);
    // The same device from its card meanwhile is another entry with the same store.
    world.hold = null;
    const twin = devices.start(plan);
    go();
    await settled();
    await settled();
    put();
    expect(session.running).toBe(false);
    expect((world.devices as FakeDevice[]).filter(({ stops }) => stops === 0)).toHaveLength(twin.running ? 1 : 0);
  });

  it("that is given other settings while it starts runs with those", async () => {
    const session = devices.start(plan);
    session.replan({ ...plan, settings: { ...plan.settings, keep_alive: "30" } });
    await session.restart();
    expect((world.devices as FakeDevice[]).filter(({ stops }) => stops === 0).map(({ options }) => options.settings["keep_alive"])).toEqual(["30"]);
    expect(session.running).toBe(true);
  });

  it("is stopped once, however often that is asked for", async () => {
    const session = devices.start(plan);
    await settled();
    await Promise.all([session.stop(), session.stop(), session.restart()]);
    expect(lastDevice()).not.toBe(world.devices[0]);
    expect([(world.devices[0] as FakeDevice).stops, session.running]).toEqual([1, true]);
  });

  it("does not come back after a fault's power cut if it is told to stay off", async () => {
    vi.useFakeTimers();
    try {
      const session = devices.start(plan);
      await vi.advanceTimersByTimeAsync(5);
      lastDevice().oncut?.({ restart_ms: 60_000 });
      lastDevice().end();
      expect([session.facts.word, session.back === null]).toEqual(["cut", false]);
      await session.stop();
      expect(session.back).toBeNull();
      await vi.advanceTimersByTimeAsync(120_000);
      expect(world.devices).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it("says that it is gone when its entries end because the instance died", async () => {
    const session = devices.start(plan);
    await settled();
    // As the Worker's line does it: entries end first, and that it died is told some microtasks later.
    lastDevice().end();
    void Promise.resolve()
      .then(() => {})
      .then(() => {})
      .then(() => (world.state = "dead"));
    await settled();
    await settled();
    expect(session.facts.word).toBe("dead");
    expect(notes(session.timeline.rows)).toEqual(["started", "died"]);
  });

  it("is gone when the instance died", async () => {
    const session = devices.start(plan);
    await settled();
    world.state = "dead";
    for (const listener of world.listeners) listener();
    expect(session.facts.word).toBe("dead");
    expect(session.running).toBe(false);
  });

  it("offers names that are not in use", async () => {
    devices.start(plan);
    expect(devices.taken("alibaba", "local")).toEqual(new Set(["d"]));
    expect(devices.taken("alibaba", "tab")).toEqual(new Set());
  });
});

describe("a replay", () => {
  it("that nobody wants any more when it has come is let go, with the recording in it", async () => {
    const session = devices.start(plan);
    await settled();
    let wanted = true;
    let go = () => {};
    world.holdDevice = new Promise((done) => (go = done));
    const late = session.replay(1, () => wanted);
    await settled();
    // Another device was opened meanwhile.
    wanted = false;
    session.endReplay();
    go();
    expect(await late).toBe(false);
    expect([session.player, world.replays]).toEqual([null, 0]);
    world.holdDevice = null;
    expect(await session.replay(1)).toBe(true);
    expect(await session.replay(1)).toBe(true);
    expect(world.replays).toBe(1);
    session.endReplay();
    await settled();
    expect(world.replays).toBe(0);
  });
});

describe("a reload", () => {
  const box = () => {
    const values = new Map<string, string>();
    return { values, getItem: (key: string) => values.get(key) ?? null, setItem: (key: string, value: string) => void values.set(key, value) };
  };
  const own = { ...plan, storage: "browser" as const, settings: { ...plan.settings, device_secret: "SECRET" } };
  const browser = { ...plan, storage: "browser" as const };
  /** What a reload leaves: nothing but the browser's storage. */
  const reload = () => {
    devices.sessions.splice(0);
    devices.current = null;
    devices.remember();
  };
  let local = box();
  let here = box();
  beforeEach(() => {
    vi.stubGlobal("localStorage", (local = box()));
    vi.stubGlobal("sessionStorage", (here = box()));
  });

  it("leaves the list, and one click goes on under the same name in the storage", async () => {
    devices.start(browser);
    await settled();
    const before = lastDevice().options;
    reload();
    const session = devices.sessions[0]!;
    expect(session).toMatchObject({ remembered: true, running: false });
    expect(devices.current).toBeNull();
    expect(await session.goOn()).toBe(true);
    expect(world.devices).toHaveLength(2);
    expect(lastDevice().options).toEqual(before);
    expect(session.remembered).toBe(false);
  });

  it("starts nothing by itself, and the same device from a card is that one", async () => {
    devices.start(browser);
    await settled();
    reload();
    await settled();
    expect(world.devices).toHaveLength(1);
    expect(devices.taken("alibaba", "local")).toEqual(new Set());
    devices.start(browser);
    await settled();
    expect(devices.sessions).toHaveLength(1);
    expect(world.devices).toHaveLength(2);
  });

  it("does not start a device whose own secret was in its settings: without it, it would register anew", async () => {
    devices.start(own);
    await settled();
    expect([...local.values.values(), ...here.values.values()].join()).not.toContain("SECRET");
    reload();
    const session = devices.sessions[0]!;
    expect(await session.goOn()).toBe(false);
    expect(session).toMatchObject({ running: false, missing: ["device_secret"] });
    expect(world.devices).toHaveLength(1);
    session.replan(own);
    expect(await session.goOn()).toBe(true);
    expect(lastDevice().options.settings["device_secret"]).toBe("SECRET");
  });

  it("keeps asking for the device's own secret, whichever way it is started", async () => {
    devices.start(own);
    await settled();
    reload();
    demos.demo = { alibaba: { settings: { product_key: "p", product_secret: "x" }, devices: [] } };
    const session = devices.sessions[0]!;
    // From its card, with what the demo knows.
    expect(devices.start({ ...browser, settings: { ...plan.settings, product_secret: "x" } })).toBe(session);
    await settled();
    expect([session.running, session.missing]).toEqual([false, ["device_secret"]]);
    // The dialog, with its field left empty.
    session.replan({ ...browser, settings: { ...plan.settings, product_secret: "x" } });
    expect(await session.goOn()).toBe(false);
    expect(world.devices).toHaveLength(1);
    // A person says so.
    session.without();
    expect(await session.goOn()).toBe(true);
  });

  it("lets go of a device that is stopped while its demo is asked", async () => {
    devices.start({ ...browser, settings: { ...plan.settings, product_secret: "SECRET" } });
    await settled();
    reload();
    let go = () => {};
    demos.hold = new Promise((done) => (go = done));
    demos.demo = { alibaba: { settings: { product_key: "p", product_secret: "x" }, devices: [] } };
    const session = devices.sessions[0]!;
    const gone = session.goOn();
    await session.stop();
    go();
    expect(await gone).toBe(true);
    await settled();
    expect([session.running, world.devices.length]).toEqual([false, 1]);
  });

  it("loses none of as many devices as the list takes, and no other one is taken", { timeout: 60_000 }, async () => {
    const many = Array.from({ length: MOST_DEVICES }, (_, at) => ({ ...browser, settings: { ...plan.settings, device_name: `d${at}` } }));
    for (const one of many) devices.add(one, { keep: false });
    devices.keep();
    expect(devices.room).toBe(0);
    expect(() => devices.add({ ...browser, settings: { ...plan.settings, device_name: "more" } })).toThrow("no place");
    expect(() => devices.start({ ...browser, settings: { ...plan.settings, device_name: "more" } })).toThrow("no place");
    expect(devices.duplicate(devices.sessions[0]!)).toBeNull();
    // One of them is there already.
    expect(devices.add(many[7]!).added).toBe(false);
    const names = () => devices.sessions.map((session) => session.names.device);
    const before = names();
    reload();
    expect(names()).toEqual(before);
    // And so in another tab.
    devices.keep();
    here.values.clear();
    reload();
    expect(names()).toEqual(before);
    devices.sessions.splice(0);
  });

  it("keeps how far each fault is: one that has struck does not strike again", async () => {
    const session = devices.start(browser);
    await session.arm([{ fault: "power_cut", when: "before", key: "credential", id: "cut" }]);
    await settled();
    lastDevice().faults.hear([{ ...session.faults[0]!, seen: 1, struck: 1 }]);
    devices.keepNow();
    reload();
    expect(devices.sessions[0]?.faults).toMatchObject([{ id: "cut", seen: 1, struck: 1 }]);
    // Another device like it begins anew.
    expect(devices.duplicate(devices.sessions[0]!)?.faults).toMatchObject([{ id: "cut", seen: 0, struck: 0 }]);
  });

  it("is another thing than another tab, which knows only devices whose secrets the browser keeps", async () => {
    devices.start(plan);
    devices.start({ ...browser, settings: { ...plan.settings, device_name: "kept" } });
    await settled();
    here.values.clear();
    reload();
    expect(devices.sessions.map((session) => session.names.device)).toEqual(["kept"]);
  });

  it("forgets who was removed", async () => {
    const session = devices.start(browser);
    await settled();
    await devices.remove(session);
    reload();
    expect(devices.sessions).toEqual([]);
    here.values.clear();
    reload();
    expect(devices.sessions).toEqual([]);
  });
});

describe("the list", () => {
  it("is searched by what it shows, in the language in use", async () => {
    vi.stubGlobal("document", { documentElement: { lang: "" } });
    const session = devices.start({ ...plan, world: "real" });
    await settled();
    const found = (search: string) => arranged(devices.sessions, { search, sort: "added" }).flatMap(({ sessions }) => sessions);
    lastDevice().push({ kind: "event", event: { event: "ready" } });
    await settled();
    try {
      for (const search of ["Alibaba", "Real cloud", "online", "alibaba real"]) expect(found(search), search).toEqual([session]);
      i18n.set("zh");
      for (const search of ["阿里云", "真实云", "在线", "online", "alibaba"]) expect(found(search), search).toEqual([session]);
      await session.stop();
      expect([found("已关机"), found("在线")]).toEqual([[session], []]);
    } finally {
      i18n.set("en");
    }
  });
});

describe("a whole page as a file", () => {
  it("carries what is armed and the scripts; a device's own session does not", async () => {
    const { session } = devices.add({ ...plan, world: "tab", script: "log('MINE')" });
    await session.arm([{ fault: "network_loss", ms: 500, id: "loss" }]);
    session.timeline.note("started", 1);
    const text = [...bundleParts(devices.sessions, [], { timelines: true, secrets: false }, new Date(0))].join("");
    const file = JSON.parse(text) as { devices: { recording: { device: object } }[] };
    expect(file.devices[0]?.recording.device).not.toHaveProperty("script");
    expect(file.devices[0]?.recording.device).not.toHaveProperty("faults");
    await devices.remove(session);

    const read = fromFile(text, "page.json");
    if (!("items" in read)) throw new Error("it is not read");
    expect(read.items).toMatchObject([{ unknown: [], script: "log('MINE')", rules: [{ id: "loss" }] }]);
    const made = addDevices(read.items, { origin: "http://x", host: "x", protocol: "http:" } as never);
    expect(made).toMatchObject({ added: 1, left: 0, unshown: [] });
    expect(made.last?.plan.script).toBe("log('MINE')");
    expect(made.last?.faults).toMatchObject([{ id: "loss", ms: 500 }]);
    expect(made.last?.running).toBe(false);
  });

  it("names faults and scripts that it cannot take, and takes the device", () => {
    const { session } = devices.add({ ...plan, world: "tab" });
    const file = JSON.parse([...bundleParts([session], [], { timelines: false, secrets: false }, new Date(0))].join("")) as { devices: Record<string, unknown>[] };
    Object.assign(file.devices[0]!, { faults: [{ fault: "explode" }], script: 7 });
    const read = fromFile(JSON.stringify(file), "page.json");
    expect(read).toMatchObject({ items: [{ unknown: ["faults", "script"], script: "", rules: [], profile: { platform: "alibaba" } }] });
  });
});

describe("the faults of a device", () => {
  const loss = { fault: "network_loss", ms: 500 } as const;

  it("are 64 at most, all calls together, and a script hears that", async () => {
    const { session } = devices.add(plan);
    for (let at = 0; at < 64; at += 1) await session.harm({ arm: [loss] });
    await expect(session.harm({ arm: [loss] })).rejects.toThrow("faults has more than 64 rules");
    expect([session.faults.length, session.misuse]).toEqual([64, null]);
    await session.arm([loss]);
    expect([session.faults.length, session.misuse]).toEqual([64, "faults has more than 64 rules"]);
    // In the place of one that is there it is none more.
    await session.arm([{ ...loss, id: "network_loss-1", ms: 900 }]);
    expect([session.faults.length, session.misuse]).toEqual([64, null]);
  });
});

describe("the owner's side", () => {
  it("is one app, however many want it at once, and none if it was stopped meanwhile", async () => {
    const owner = new Owner("local", { app_key: "k" }, new Log());
    let go = () => {};
    world.holdDevice = new Promise((done) => (go = done));
    const both = Promise.all([owner.start(), owner.start()]);
    await settled();
    go();
    await both;
    expect([world.apps.length, owner.lives.length]).toEqual([1, 1]);
    await owner.stop();

    world.holdDevice = new Promise((done) => (go = done));
    const late = owner.start();
    await settled();
    const stopped = owner.stop();
    go();
    await expect(late).rejects.toMatchObject({ code: "stopped" });
    await stopped;
    expect([owner.running, (world.apps as FakeApp[]).map(({ stops }) => stops)]).toEqual([false, [1, 1]]);
    world.holdDevice = null;
    await owner.start();
    expect([owner.running, world.apps.length]).toEqual([true, 3]);
    await owner.stop();
  });

  const lastApp = () => world.apps.at(-1) as FakeApp;
  const announce = (for_ms: number) => {
    // The device's clock and the page's are the same machine's.
    const device = lastDevice();
    device.push({ kind: "event", event: { event: "bind_token", token: "OLD", for_ms } });
  };

  it("binds by the token that the device stands by", async () => {
    const session = devices.start(plan);
    await settled();
    announce(Date.now() + 60_000);
    await settled();
    session.withOwner({ app_key: "k", home_id: "h" });
    await session.bind("token");
    expect(lastApp().plans).toEqual([{ devices: [{ product_key: "p", device_name: "d" }], by: "token", home_id: "h", token: "OLD" }]);
    expect(lastDevice().intents).toEqual([]);
    expect(notes(session.owner?.timeline.rows ?? [])).toEqual(["app_started", "token_handed_over"]);
  });

  it("asks the device for another token if the last one ran out, and hands it over once", async () => {
    const session = devices.start(plan);
    await settled();
    announce(1);
    await settled();
    session.withOwner({ app_key: "k" });
    await session.bind("token");
    await settled();
    expect(lastDevice().intents).toEqual([{ intent: "new_bind_token" }]);
    expect(lastApp().plans[0]).not.toHaveProperty("token");
    expect(lastApp().tokens).toEqual(["NEW"]);
  });

  it("hands nothing over when it binds by time window, or when the bind is over", async () => {
    const session = devices.start(plan);
    await settled();
    announce(Date.now() + 60_000);
    await settled();
    session.withOwner({ app_key: "k" });
    await session.bind("window");
    expect(lastApp().plans[0]).not.toHaveProperty("token");
    await lastDevice().intend({ intent: "new_bind_token" });
    await settled();
    expect(lastApp().tokens).toEqual([]);
    expect(notes(session.owner?.timeline.rows ?? [])).toEqual(["app_started"]);
    await session.bind("token");
    lastApp().push({ kind: "app_event", event: { event: "bound", device: { product_key: "p", device_name: "d" }, iot_id: "i" } });
    await settled();
    lastDevice().push({ kind: "event", event: { event: "bind_token", token: "LATER", for_ms: 1 } });
    await settled();
    expect(session.owner?.facts).toMatchObject({ word: "bound", iotId: "i" });
    expect(lastApp().tokens).not.toContain("LATER");
  });
});
