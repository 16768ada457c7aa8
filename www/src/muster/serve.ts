// What a Worker does: it holds the WebAssembly instance, its sockets, its timers and its storage. A browser slows the
// timers of a page in the background down to one a minute; those of a Worker it leaves alone.

import type * as all from "./generated/muster_all/muster_all";
import { toPlain } from "./errors";
import type { Ask, Handle, Question, Say } from "./protocol";
import { forget, storeFor, type Store } from "./storage";
import type { ArmedFault, Entry, FleetStatus, LogLine, Next } from "./types";

/** The bindings of a module. The smallest one has devices alone, without faults and recordings. */
export type Bindings = Pick<typeof all, "default" | "Device" | "setPending"> & Partial<Pick<typeof all, "App" | "Cloud" | "Fleet" | "Replay" | "tool">>;

type Device = all.Device;
type App = all.App;
type Cloud = all.Cloud;
type Fleet = all.Fleet;
type Replay = all.Replay;
type Thing = { device?: Device; app?: App; cloud?: Cloud; fleet?: Fleet; replay?: Replay; store?: Store };

const things = new Map<Handle, Thing>();

function say(message: Say): void {
  postMessage(message);
}

/** A trap leaves the instance in no state to go on with. */
function died(error: unknown): void {
  say({ say: "died", message: error instanceof Error ? error.message : String(error) });
  close();
}

let bindings: Bindings;

/** Begins to answer, with this module. */
export function serve(module: Bindings): void {
  bindings = module;
  listen();
}

function listen(): void {
  addEventListener("error", (event) => died(event.error ?? event.message));
  addEventListener("unhandledrejection", (event) => died(event.reason));

  addEventListener("message", ({ data }: MessageEvent<Question>) => {
    answer(data).then(
      (value) => say({ say: "answer", id: data.id, value }),
      (error) => {
        if (error instanceof WebAssembly.RuntimeError) return died(error);
        say({ say: "error", id: data.id, error: toPlain(error) });
      },
    );
  });
}

async function answer(question: Ask): Promise<unknown> {
  switch (question.ask) {
    case "init":
      await bindings.default(question.wasm === undefined ? undefined : { module_or_path: question.wasm });
      return;
    case "device":
      return startDevice(question);
    case "intend":
      return device(question.handle).intend(question.intent);
    case "faults":
      return armed(device(question.handle)).faults(question.change);
    case "publish":
      return armed(device(question.handle)).publish(question.topic, question.payload, question.qos);
    case "subscribe":
      return armed(device(question.handle)).subscribe(question.topic, question.qos);
    case "dropNetwork":
      return device(question.handle).dropNetwork();
    case "cutPower": {
      device(question.handle).cutPower();
      return end(question.handle);
    }
    case "credential": {
      // What is stored, not what is about to be.
      const value = (await is(thing(question.handle).store).load()).get("credential");
      return value === undefined ? undefined : new TextDecoder().decode(value);
    }
    case "packet": {
      const { device, app } = thing(question.handle);
      return (device ?? app)?.packet(question.seq, question.reveal);
    }
    case "stop": {
      const { device, app, cloud, fleet } = thing(question.handle);
      await device?.stop();
      await fleet?.stop();
      app?.stop();
      cloud?.stop();
      return end(question.handle);
    }
    case "app":
      return startApp(question);
    case "call":
      return app(question.handle).call(question.call);
    case "bind":
      return app(question.handle).bind(question.plan);
    case "bindToken":
      return app(question.handle).bindToken(question.token);
    case "cancel":
      return app(question.handle).cancel();
    case "handOver":
      return app(question.handle).handOver();
    case "cloud":
      return startCloud(question);
    case "operate":
      return cloud(question.handle).operate(question.operation);
    case "addFirmware":
      return cloud(question.handle).addFirmware(question.image, question.bytes);
    case "demo":
      return cloud(question.handle).demo();
    case "log":
      return cloud(question.handle).logLines();
    case "kept":
      return new Map(await is(thing(question.handle).store).load());
    case "recording":
      return device(question.handle).recording?.();
    case "replay": {
      const replay = new (is(bindings.Replay))(question.recording);
      try {
        const found = { check: replay.check(), marks: replay.marks() };
        things.set(question.handle, { replay });
        return found;
      } catch (error) {
        replay.free();
        throw error;
      }
    }
    case "replayTo": {
      const replay = is(thing(question.handle).replay);
      replay.goTo(question.step);
      return replay.place();
    }
    case "replayCover":
      return is(thing(question.handle).replay).cover();
    case "logRead":
      return cloud(question.handle).logRead();
    case "fleet":
      return startFleet(question);
    case "fleetDo":
      return fleet(question.handle)[question.what]();
    case "fleetSet":
      return fleet(question.handle).set(question.bounds);
    case "fleetRows":
      return fleet(question.handle).rows(question.query);
    case "fleetTake":
      return fleet(question.handle).take(question.n);
    case "fleetTaken":
      return forgetTaken(question.handle, question.n, question.names);
    case "keep": {
      const store = await storeFor("device", question.storage, question.name);
      try {
        return await store.write(question.values);
      } finally {
        await store.release();
      }
    }
    case "handshakes":
      return bindings.setPending(question.most);
    case "tool":
      return is(bindings.tool)(question.tool, question.input);
    case "forget":
      return forget(question.kind, question.name);
  }
}

async function startDevice(question: Extract<Ask, { ask: "device" }>): Promise<void> {
  const { handle, platform, settings } = question;
  const store = await storeFor("device", question.storage, question.name);
  try {
    const stored = Object.fromEntries(await store.load());
    const hooks = {
      entries: (entries: Entry[]) => say({ say: "entries", handle, entries }),
      next: (next: Next | null) => say({ say: "next", handle, next }),
      store: (key: string, value?: Uint8Array) => store.write([value ? [key, value] : [key]]),
      faults: (armed: ArmedFault[]) => say({ say: "faults", handle, armed }),
      cut: (restart_ms: number | null) => {
        // The device is in the middle of its last word.
        queueMicrotask(() => {
          const recording = things.has(handle) ? end(handle) : undefined;
          say({ say: "cut", handle, restart_ms, ...(recording === undefined ? {} : { recording }) });
        });
      },
    };
    const faults = question.faults ?? [];
    const more = { ...(faults.length > 0 ? { faults } : {}), ...(question.record === true ? { record: true } : {}) };
    const options = { platform, settings, stored, ...by(question.relay), ...more };
    const device =
      question.cloud === undefined
        ? new bindings.Device(options, hooks)
        : bindings.Device.inTab(options, hooks, cloud(question.cloud));
    things.set(handle, { device, store });
  } catch (error) {
    store.release();
    throw error;
  }
}

function by(relay: true | undefined): { relay?: true } {
  return relay === undefined ? {} : { relay };
}

function startApp({ handle, settings, cloud: home, relay }: Extract<Ask, { ask: "app" }>): void {
  const hooks = { entries: (entries: Entry[]) => say({ say: "entries", handle, entries }) };
  const App = is(bindings.App);
  const options = { settings, ...by(relay) };
  const app = home === undefined ? new App(options, hooks) : App.inTab(options, hooks, cloud(home));
  things.set(handle, { app });
}

async function startCloud({ handle, storage, name }: Extract<Ask, { ask: "cloud" }>): Promise<void> {
  const store = await storeFor("cloud", storage, name);
  try {
    const hooks = {
      persist: (changes: [string, Uint8Array?][]) => store.write(changes),
      log: (lines: LogLine[]) => say({ say: "log", handle, lines }),
    };
    const kept = [...(await store.load())];
    things.set(handle, { cloud: (await is(bindings.Cloud).start({ kept }, hooks)) as Cloud, store });
  } catch (error) {
    store.release();
    throw error;
  }
}

async function startFleet({ handle, plan, storage, name, cloud: home }: Extract<Ask, { ask: "fleet" }>): Promise<void> {
  const Fleet = is(bindings.Fleet);
  // In memory the fleets of this Worker share one shelf; else one transaction keeps what many devices have to keep.
  const store = storage === "browser" ? await storeFor("fleet", storage, name) : undefined;
  try {
    const hooks = {
      tick: (status: FleetStatus) => say({ say: "fleet", handle, status }),
      store: (changes: [string, Uint8Array?][]) => is(store).write(changes),
    };
    const options = store === undefined ? { ...plan, shelf: name } : { ...plan, stored: [...(await store.load())] };
    const fleet = home === undefined ? new Fleet(options, hooks) : Fleet.inTab(options, hooks, cloud(home));
    things.set(handle, { fleet, ...(store && { store }) });
  } catch (error) {
    await store?.release();
    throw error;
  }
}

/** A device that left is kept elsewhere by now: only then its values go. */
async function forgetTaken(handle: Handle, n: number, names: string[]): Promise<void> {
  const { store } = thing(handle);
  if (names.length > 0) await store?.write(names.map((name) => [name]));
  fleet(handle).taken(n);
}

/** What a device recorded outlives it. */
function end(handle: Handle): Uint8Array | undefined {
  const { device, app, cloud, fleet, replay, store } = thing(handle);
  things.delete(handle);
  const recording = device?.recording?.();
  device?.free();
  app?.free();
  cloud?.free();
  replay?.free();
  fleet?.free();
  store?.release();
  return recording;
}

function thing(handle: Handle): Thing {
  const thing = things.get(handle);
  if (!thing) throw Object.assign(new Error("it was stopped"), { code: "stopped", next: "start another one" });
  return thing;
}

function device(handle: Handle): Device {
  return is(thing(handle).device);
}

/** The smallest module knows no faults, and no packets beside the core. */
function armed(device: Device): Device {
  if ("faults" in device) return device;
  throw Object.assign(new Error("this device takes no faults, and no packets beside its own"), { code: "misuse", next: "start it with `faults`; an empty list will do" });
}

function app(handle: Handle): App {
  return is(thing(handle).app);
}

function cloud(handle: Handle): Cloud {
  return is(thing(handle).cloud);
}

function fleet(handle: Handle): Fleet {
  return is(thing(handle).fleet);
}

function is<T>(value: T | undefined): T {
  if (value === undefined) throw Object.assign(new Error("this module has no such thing"), { code: "misuse" });
  return value;
}
