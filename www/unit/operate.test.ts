// The Cloud view's store on clouds that are made up here.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Action, DeviceView, OperationResult, PlatformName, ProductView } from "../src/muster/types";
import { clouds, type Operator } from "../src/state/clouds";
import { named, operate } from "../src/state/operate";

const SETTLED = 5_000;

/** Clouds with these products, which remember what they were asked. */
class Stub {
  readonly asked: string[] = [];
  readonly done: string[] = [];
  readonly products_: Record<string, Map<string, DeviceView>> = {};
  /** How long an operation takes. */
  delay = 0;

  constructor(products: Record<string, readonly string[]>) {
    for (const [id, names] of Object.entries(products)) this.products_[id] = new Map(names.map((name) => [name, { name, state: "inactive", secret: null, version: null, last_active: null, more: {} }]));
  }

  count(what: string): number {
    return this.asked.filter((each) => each === what).length;
  }

  async products(): Promise<ProductView[]> {
    this.asked.push("products");
    return Object.entries(this.products_).map(([id, devices]) => ({ id, name: id, secret: null, switches: {}, devices: devices.size, firmware: [] }));
  }

  async devices(_: PlatformName, product: string): Promise<{ total: number; items: DeviceView[] }> {
    this.asked.push("devices");
    const all = [...(this.products_[product]?.values() ?? [])];
    return { total: all.length, items: all };
  }

  async some(_: PlatformName, product: string, names: readonly string[]): Promise<{ total: number; items: DeviceView[] }> {
    this.asked.push(`some ${names.join()}`);
    const all = this.products_[product] ?? new Map<string, DeviceView>();
    return { total: all.size, items: names.flatMap((name) => all.get(name) ?? []) };
  }

  readonly upgrades = async () => [];
  readonly images = async () => [];
  readonly owners = async () => [];
  readonly waiting = async () => [];
  readonly gateways = async () => [];
  readonly reports = async () => [];
  readonly follow = () => () => {};

  async operate(action: Action & { platform: string }): Promise<OperationResult> {
    await new Promise((done) => setTimeout(done, this.delay));
    if ("device" in action) this.done.push(`${action.action} ${action.device}`);
    if (action.action === "switch" && action.name.startsWith("announce.")) {
      const name = action.name.slice("announce.".length);
      const device = this.products_[action.product ?? ""]?.get(name);
      if (device !== undefined) this.products_[action.product ?? ""]?.set(name, { ...device, more: action.value === "true" ? { announced: "true" } : {} });
    }
    return { result: "done" };
  }
}

const worlds: Partial<Record<"local" | "tab", Stub>> = {};
const use = (world: "local" | "tab", stub: Stub) => {
  worlds[world] = stub;
  clouds.world = world;
  operate.watch();
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: false });
  vi.stubGlobal("requestAnimationFrame", (call: () => void) => setTimeout(call, 16));
  vi.spyOn(clouds, "operator").mockImplementation((world) => (worlds[world as "local"] as unknown as Operator | undefined) ?? null);
  clouds.localThere = true;
});

afterEach(() => {
  operate.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("an address", () => {
  it("that names a product which is not there leads to the first one, and to no end of requests", async () => {
    const stub = new Stub({ p1: ["a", "b"] });
    const address = {};
    // What the view does at each of its updates.
    const update = () => {
      operate.arrive(address, "ucloud", "GONE");
      operate.watch();
    };
    worlds.local = stub;
    clouds.world = "local";
    const end = operate.subscribe(() => queueMicrotask(update));
    update();
    await vi.advanceTimersByTimeAsync(SETTLED);
    end();
    expect([operate.product, operate.roster.size]).toEqual(["p1", 2]);
    expect([stub.count("products"), stub.count("devices")]).toEqual([1, 1]);
  });

  it("is followed once: what a person chooses meanwhile stays, and what was said of it", async () => {
    use("local", new Stub({ p1: ["a"], p2: ["b"] }));
    const address = {};
    operate.arrive(address, "ucloud", "p1");
    await vi.advanceTimersByTimeAsync(SETTLED);
    operate.choose("ucloud", "p2");
    operate.tell(() => "p2 is created");
    operate.arrive(address, "ucloud", "p1");
    expect([operate.product, operate.did?.text()]).toEqual(["p2", "p2 is created"]);
    operate.arrive({}, "ucloud", "p1");
    expect(operate.product).toBe("p1");
  });
});

describe("an action", () => {
  it("shows what it changed, also where the log names the product alone", async () => {
    const stub = new Stub({ p1: ["a", "b"] });
    use("local", stub);
    operate.choose("alibaba", "p1");
    await vi.advanceTimersByTimeAsync(SETTLED);
    await Promise.all([operate.operate({ action: "switch", product: "p1", name: "announce.a", value: "true" }), vi.advanceTimersByTimeAsync(SETTLED)]);
    expect(operate.roster.get("a")?.more["announced"]).toBe("true");
    expect(stub.asked).toContain("some a");
  });

  it("is about these devices", () => {
    expect(named({ action: "add_topology", product: "g", device: "gateway", sub_product: "p", sub_device: "sub" }, "p")).toEqual(["sub"]);
    expect(named({ action: "add_topology", product: "p", device: "gateway", sub_product: "p", sub_device: "sub" }, "p")).toEqual(["gateway", "sub"]);
    expect(named({ action: "switch", product: "p", name: "DynamicRegister", value: "true" }, "p")).toEqual([]);
    expect(named({ action: "disable", product: "q", device: "d", disabled: true }, "p")).toEqual([]);
  });

  it("on many says that nothing was done while others are under way", async () => {
    const stub = new Stub({ p1: ["a", "b"] });
    stub.delay = 1_000;
    use("local", stub);
    const first = operate.each(["a"], () => "", (device) => ({ action: "disable", product: "p1", device, disabled: true }));
    expect(await operate.each(["b"], () => "", (device) => ({ action: "reset", product: "p1", device, new_secret: true }))).toBeNull();
    await vi.advanceTimersByTimeAsync(SETTLED);
    expect((await first)?.done).toEqual(["a"]);
    expect(stub.done).toEqual(["disable a"]);
  });

  it("that ends when other clouds are looked at is neither told nor taken back there", async () => {
    const [local, tab] = [new Stub({ p1: ["a"] }), new Stub({ p1: ["a"] })];
    local.delay = 1_000;
    use("local", local);
    operate.choose("ucloud", "p1");
    const { place } = operate;
    if (place === null) throw new Error("no clouds");
    const ended = operate.each(["a"], () => "", (device) => ({ action: "disable", product: "p1", device, disabled: true }), place);
    use("tab", tab);
    await vi.advanceTimersByTimeAsync(SETTLED);
    expect((await ended)?.done).toEqual(["a"]);
    operate.tell(() => "a is disabled", async () => {}, [], place);
    expect(operate.did).toBeNull();
    // And what belongs to it goes where it was begun.
    void operate.operate({ action: "disable", product: "p1", device: "a", disabled: false }, place);
    await vi.advanceTimersByTimeAsync(SETTLED);
    expect([local.done, tab.done]).toEqual([["disable a", "disable a"], []]);
  });

  it("that ends when another product is looked at is told without a way back", () => {
    use("local", new Stub({ p1: ["a"], p2: [] }));
    operate.choose("ucloud", "p1");
    const { place } = operate;
    operate.choose("ucloud", "p2");
    operate.tell(() => "a is disabled", async () => {}, [], place);
    expect(operate.did).toMatchObject({ undo: null });
  });
});
