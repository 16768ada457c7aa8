import { beforeEach, describe, expect, it, vi } from "vitest";
import type { FleetRow, FleetStatus } from "../src/muster/types";

/** A fleet that is only told what to do. */
class FakeFleet {
  onstatus: ((status: FleetStatus) => void) | null = null;
  phase: FleetStatus["phase"] = "idle";
  stopped = false;
  refuse: unknown = null;
  constructor(readonly options: { platform: string; rows: string[][] }) {}
  async set() {}
  async run() {
    this.phase = "running";
  }
  async halt() {
    this.phase = "idle";
  }
  async stop() {
    this.stopped = true;
  }
  async status() {
    return { phase: this.phase, at: 0, devices: 1, counts: {}, latency: {} } as unknown as FleetStatus;
  }
  async take() {
    if (this.refuse !== null) throw this.refuse;
    return {};
  }
}

const world = vi.hoisted(() => ({ fleets: [] as unknown[], operations: [] as string[], world: "local", tabBegun: 0, hold: null as Promise<void> | null, started: [] as unknown[] }));
vi.mock("../src/state/engine", () => ({
  engine: {
    state: "ready",
    generation: 1,
    subscribe: () => () => {},
    get: async () => {
      await world.hold;
      return {
        fleet: async (options: never) => {
          const fleet = new FakeFleet(options);
          world.fleets.push(fleet);
          return fleet;
        },
      };
    },
  },
}));
vi.mock("../src/state/clouds", () => ({
  clouds: {
    get world() {
      return world.world;
    },
    get tabBegun() {
      return world.tabBegun;
    },
    subscribe: () => () => {},
    inTab: async () => ({}),
    demo: async () => ({ ucloud: { settings: { product_sn: "p", device_sn: "d", broker: "ws://x" }, devices: [] } }),
    operator: (name: string) => (name === "real" ? null : { operate: async () => void world.operations.push(name) }),
  },
}));
vi.mock("../src/state/devices", () => ({ devices: { sessions: [], fits: () => true, start: (plan: unknown) => void world.started.push(plan) } }));
vi.mock("../src/state/fleet-series", async (original) => {
  const real = await original<typeof import("../src/state/fleet-series")>();
  return { ...real, judge: () => null, Series: class { samples = []; add() {} clear() {} } };
});
vi.stubGlobal("location", { origin: "http://127.0.0.1:7878", host: "127.0.0.1:7878", protocol: "http:" });

const { fleet } = await import("../src/state/fleet");
const fleets = () => world.fleets as FakeFleet[];

beforeEach(async () => {
  await fleet.clear();
  Object.assign(world, { world: "local", tabBegun: 0, hold: null });
  for (const list of [world.fleets, world.operations, world.started]) list.length = 0;
  fleet.update({ platform: "ucloud", source: "count", count: 3 });
  fleet.failure = null;
});

describe("the fleet of the page", () => {
  it("is one, however often Run is pressed before it is made", async () => {
    let go = () => {};
    world.hold = new Promise((done) => (go = done));
    const both = [fleet.run(), fleet.run()];
    expect(fleet.making).toBe("making");
    go();
    await Promise.all(both);
    expect(fleets()).toHaveLength(1);
    expect([fleet.making, fleet.phase]).toEqual(["ready", "running"]);
  });

  it("that is shown is the one that runs again, whichever clouds are chosen by then", async () => {
    await fleet.run();
    await fleet.halt();
    for (const other of ["tab", "real"]) {
      world.world = other;
      await fleet.run();
      expect([fleets().length, fleets()[0]!.phase, fleet.made?.world]).toEqual([1, "running", "local"]);
      await fleet.halt();
    }
    expect(world.operations).toEqual(["local"]);
  });

  it("is made anew when the clouds in this tab began anew, and the one before is let go", async () => {
    world.world = "tab";
    await fleet.run();
    await fleet.halt();
    world.tabBegun = 1;
    await Promise.all([fleet.run(), fleet.run()]);
    expect(fleets().map(({ stopped, phase }) => [stopped, phase])).toEqual([
      [true, "idle"],
      [false, "running"],
    ]);
  });

  it("reads no file that is far too long to be a list, nor one that is gone", async () => {
    await fleet.read({ name: "list.csv", size: 33 * 1024 * 1024 } as File);
    expect([fleet.file, fleet.failure?.message]).toEqual([null, "file: has to be at most 32 MiB"]);
    await fleet.read({ name: "gone.csv", size: 1, arrayBuffer: async () => Promise.reject(new Error("the file could not be read")) } as never);
    expect([fleet.file, fleet.failure?.message]).toEqual([null, "the file could not be read"]);
    await fleet.read({ name: "list.csv", size: 9, arrayBuffer: async () => new TextEncoder().encode("device_sn\na\n").buffer } as never);
    expect([fleet.file?.list.rows, fleet.failure]).toEqual([[["a"]], null]);
    fleet.forgetFile();
  });

  it("is not invented for a real cloud", async () => {
    world.world = "real";
    await fleet.run();
    expect(fleets()).toHaveLength(0);
    expect([fleet.making, fleet.failure?.message]).toEqual(["idle", "a fleet on a real cloud needs a list of its devices"]);
  });

  it("lets a device that could not be opened be opened again, and a refusal before hides no success", async () => {
    await fleet.run();
    const row = { n: 0, name: "d" } as FleetRow;
    fleets()[0]!.refuse = Object.assign(new Error("another tab of this browser runs it"), { code: "in_use" });
    expect(await fleet.open(row)).toBe(false);
    expect([fleet.unopened.has(0), fleet.failure?.code, world.started.length]).toEqual([true, "in_use", 0]);
    fleets()[0]!.refuse = null;
    expect(await fleet.open(row)).toBe(true);
    expect([fleet.unopened.has(0), fleet.failure, world.started.length]).toEqual([false, null, 1]);
  });
});
