// What the Bind view works with, on clouds that are made up here.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AppCall, AppReply, Demo, DeviceView, LogLine, Operation, OperationResult, OwnerView, ProductView } from "../src/muster/types";
import { Desk, MOST_PASTED } from "../src/state/bind";
import { clouds, type Operator } from "../src/state/clouds";

const DEMO: Demo = { ucloud: null, cmcc: null, krtyun: null, alibaba: null, alibaba_app: { settings: { app_key: "k", app_secret: "of these clouds" }, devices: [] } as never };
const device = (name: string, more: Record<string, string> = {}): DeviceView => ({ name, state: "offline", secret: null, version: null, last_active: 1, more });

/** A cloud with one product, `p`. */
class Stub {
  readonly asked: string[] = [];
  devices_: DeviceView[] = [];
  take: (line: LogLine) => void = () => {};
  /** Called while it is asked, before it answers. */
  meanwhile: (what: string) => void = () => {};
  demo_ = DEMO;
  #seq = 0;

  say(what: LogLine["what"], subject: string): void {
    this.#seq += 1;
    this.take({ seq: this.#seq, unix: 0, platform: "alibaba", subject, what, detail: "" });
  }

  async products(): Promise<ProductView[]> {
    return [{ id: "p", name: "p", secret: null, switches: {}, devices: this.devices_.length, firmware: [] }];
  }

  async devices(_: string, __: string, limit: number): Promise<{ total: number; items: DeviceView[] }> {
    const items = this.devices_.slice(0, limit);
    this.asked.push("devices");
    await Promise.resolve();
    this.meanwhile("devices");
    return { total: this.devices_.length, items };
  }

  async some(_: string, __: string, names: readonly string[]): Promise<{ total: number; items: DeviceView[] }> {
    this.asked.push(`some ${names.join()}`);
    return { total: this.devices_.length, items: this.devices_.filter(({ name }) => names.includes(name)) };
  }

  async owners(): Promise<OwnerView[]> {
    return [{ identity: "demo", home_id: "home", iot_token: null, refresh_token: null, iot_token_until: 0, refresh_token_until: 0, devices: [] }];
  }

  async operate(operation: Operation): Promise<OperationResult> {
    return operation.action === "list_topology" ? { result: "topology", items: [] } : { result: "bind_tokens", items: [] };
  }

  readonly demo = async () => this.demo_;

  follow(take: (line: LogLine) => void): () => void {
    this.take = take;
    return () => (this.take = () => {});
  }
}

let stub: Stub;
let desk: Desk;
/** What the gateway answers. */
let gateway: (call: AppCall) => Promise<AppReply>;
const refused = (blame: object) => Object.assign(new Error("refused"), { code: "core", data: blame });
const code = (text: string) => refused({ blame: "rejected", by: { how: "code", code: text, message: "" } });

beforeEach(() => {
  vi.useFakeTimers();
  stub = new Stub();
  vi.spyOn(clouds, "operator").mockImplementation(() => stub as unknown as Operator);
  desk = new Desk("tab");
  vi.spyOn(desk.owner, "request").mockImplementation((call) => gateway(call));
  gateway = async (call) => {
    if (call.call === "filter") return { reply: "filtered", devices: [] };
    throw code("6608");
  };
});

afterEach(() => {
  desk.leave();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("what the cloud's log says", () => {
  const watched = async () => {
    desk.watch();
    await vi.advanceTimersByTimeAsync(5_000);
    stub.asked.length = 0;
  };

  it("while the page looks is looked at again", async () => {
    stub.devices_ = [device("d")];
    desk.watch();
    stub.meanwhile = () => {
      stub.meanwhile = () => {};
      stub.devices_ = [device("d", { owner: "demo", iotId: "i" })];
      stub.say("bound", "p/d");
    };
    await vi.advanceTimersByTimeAsync(10_000);
    expect(desk.inventory?.[0]?.devices[0]?.more["owner"]).toBe("demo");
  });

  it("of one device has that one asked for, and nothing else", async () => {
    stub.devices_ = [device("a"), device("c")];
    await watched();
    stub.devices_ = [{ ...device("a"), state: "online" }, device("b"), device("c")];
    stub.say("accepted", "p/a");
    stub.say("secret_issued", "p/b");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stub.asked).toEqual(["some a,b"]);
    expect(desk.inventory?.[0]?.devices.map(({ name, state }) => `${name} ${state}`)).toEqual(["a online", "b offline", "c offline"]);
  });

  it("of what is bound or under a gateway has all looked at", async () => {
    await watched();
    stub.say("operated", "p/gateway");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stub.asked).toEqual(["devices"]);
  });
});

describe("the filter", () => {
  it("finds a device behind the first thousand: it has an owner, and is not unknown", async () => {
    stub.devices_ = [...Array.from({ length: 1_200 }, (_, i) => device(`a${String(i).padStart(4, "0")}`)), device("z1", { owner: "bob" })];
    desk.paste("p/z1\np/nobody");
    await desk.filter();
    expect(desk.verdicts.get("p/z1")).toMatchObject({ why: "others", code: "2066" });
    expect(desk.verdicts.get("p/nobody")).toMatchObject({ why: "no_device" });
  });

  it("takes a refused login or a dead network for no answer about the device", async () => {
    for (const error of [code("401"), code("429"), refused({ blame: "network", failure: "timed_out" }), refused({ blame: "rejected", by: { how: "http", status: 403, message: "" } })]) {
      gateway = async (call) => {
        if (call.call === "filter") return { reply: "filtered", devices: [] };
        throw error;
      };
      stub.devices_ = [device("d")];
      desk.paste("p/d");
      await desk.filter();
      expect(desk.verdicts.size).toBe(0);
      expect(desk.failure?.message).toBe("refused");
    }
    gateway = async (call) => {
      if (call.call === "filter") return { reply: "filtered", devices: [] };
      throw code("6204");
    };
    await desk.filter();
    expect(desk.verdicts.get("p/d")).toMatchObject({ why: "disabled", asked: true });
  });

  it("is stopped by a person with what it has, and by another question with nothing", async () => {
    stub.devices_ = ["a", "b", "c"].map((name) => device(name));
    desk.paste("p/a\np/b\np/c");
    const after = (first: number, then: () => void) => {
      let asked = 0;
      gateway = async (call) => {
        if (call.call === "filter") return { reply: "filtered", devices: [] };
        asked += 1;
        if (asked === first) then();
        throw code("6608");
      };
    };
    after(2, () => desk.stopFilter());
    await desk.filter();
    expect([...desk.verdicts.keys()]).toEqual(["p/a"]);
    after(2, () => desk.set("scopeAll", true));
    await desk.filter();
    expect([desk.verdicts.size, desk.busy]).toEqual([0, null]);
  });

  it("has a bound on what is pasted, and says so", () => {
    expect(desk.paste(Array.from({ length: MOST_PASTED + 1 }, (_, i) => `p/device-${i}`).join("\n"))).toBe(false);
    expect([desk.written.length, desk.tooMany]).toEqual([MOST_PASTED, true]);
  });
});

it("lets go of everything when the tab's clouds begin anew: the next call is of the new ones", async () => {
  desk.watch();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(desk.owner.settings).toMatchObject({ app_secret: "of these clouds" });
  const stopped = vi.spyOn(desk.owner, "stop");
  desk.identity = "alice";
  stub.demo_ = { ...DEMO, alibaba_app: { settings: { app_key: "k", app_secret: "of the next ones" }, devices: [] } as never };
  clouds.tabBegun += 1;
  desk.watch();
  clouds.choose("tab");
  expect(stopped).toHaveBeenCalledOnce();
  expect([desk.inventory, desk.identity]).toEqual([null, "demo"]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(desk.owner.settings).toMatchObject({ app_secret: "of the next ones" });
  expect(desk.inventory).not.toBeNull();
});
