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
    return undefined;
  }
  async stop() {
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
  async stop() {
    this.end();
  }
}

const world = vi.hoisted(() => ({ devices: [] as unknown[], apps: [] as unknown[], refuse: null as unknown, listeners: new Set<() => void>(), state: "ready" }));
vi.mock("../src/state/engine", () => ({
  engine: {
    get state() {
      return world.state;
    },
    generation: 1,
    subscribe: (listener: () => void) => world.listeners.add(listener),
    get: async (): Promise<Partial<Muster>> => ({
      device: async (options) => {
        if (world.refuse !== null) throw world.refuse;
        const device = new FakeDevice(options);
        world.devices.push(device);
        return device;
      },
      app: async () => {
        const app = new FakeApp();
        world.apps.push(app);
        return app;
      },
    }),
  },
}));

const { devices } = await import("../src/state/devices");
const settled = () => new Promise((done) => setTimeout(done, 5));
const plan = { platform: "alibaba" as const, world: "local" as const, settings: { product_key: "p", device_name: "d", broker: "ws://x" }, storage: "memory" as const };

beforeEach(async () => {
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

describe("the owner's side", () => {
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
