import { MusterError } from "../../src/muster/errors";
import type {
  Advice,
  Device as Handle,
  DeviceOptions,
  Entry,
  Error as Cause,
  Event,
  FaultRule,
  Faults,
  Identity,
  Intent,
  Muster,
  Next,
  PlatformName,
  Storage,
  Store,
  Trouble,
} from "../../src/muster/types";
import { freshFacts, reduce, type DeviceFacts } from "../../src/state/timeline";
import { homeOf, type Cloud } from "./cloud";
import { Living, type Stamped } from "./living";
import { shared } from "./runtime";
import { within, type Wait } from "./wait";

/** What happens to a device, in the core's own words. */
export type DeviceEvent = Stamped<Event>;

/** In one word: `online`, or what keeps it from being so. `stopped` waits for a person, `off` has ended. */
export type DeviceState = "starting" | "registering" | "login" | "online" | "updating" | "retrying" | "stopped" | "off";

export type StartDevice = {
  platform: PlatformName;
  /** Those of `muster device`, with `ws://` or `wss://` as broker. Left out with a `cloud`: its demo device. */
  settings?: Record<string, string>;
  /** Where its secret goes: `memory` (default), `browser`, or a place of your own. */
  storage?: Storage | Store;
  /** Under which it is kept; a device that starts under the same name is the same one. */
  name?: string;
  /** A cloud of this process instead of the network. */
  cloud?: Cloud;
  /** What is done to it: lost replies, power cuts, wrong clocks. `device.faults` arms and disarms later. */
  faults?: readonly FaultRule[];
  /** Stops the device once it is aborted. */
  signal?: AbortSignal;
  /** Another instance than the shared one, from `load()`. */
  muster?: Muster;
};

/** The device has stopped, and waits for a person. Code `device_stopped`. */
export class DeviceStopped extends MusterError {
  override readonly name = "DeviceStopped";
  constructor(
    /** Why, with the one to blame. */
    readonly error: Cause,
    /** What to do about it. */
    readonly advice: Advice,
    /** What was found out about the connection, if that is why. */
    readonly trouble: Trouble | null = null,
  ) {
    super("device_stopped", `the device stopped: ${describe(error)}${trouble === null ? "" : ` (${describeTrouble(trouble)})`}`, advice);
  }
}

/** A device: it registers, keeps its secret, logs in, sends heartbeats, updates. */
export class Device extends Living<Event, Handle> {
  private facts: DeviceFacts = freshFacts();
  /** Set when a fault has cut its power; `restart_ms`: when it would come back, if it would. */
  cut: { readonly restart_ms: number | null } | null = null;
  /** Told of each change of `next`. */
  onnext: ((next: Next | null) => void) | null = null;

  /** Brings it to life; `ready()` waits until it is online. */
  static async start(options: StartDevice): Promise<Device> {
    const { platform, storage, name, signal } = options;
    signal?.throwIfAborted();
    const home = options.cloud === undefined ? undefined : homeOf(options.cloud);
    const muster = home?.muster ?? options.muster ?? (await shared());
    const settings = options.settings ?? (await home?.handle.demo())?.[platform]?.settings;
    if (settings === undefined) throw new MusterError("misuse", "settings: a device needs some, unless a cloud of this process has a demo device", "see docs/device.md");
    const given: DeviceOptions = { platform, settings: { ...settings } };
    if (storage !== undefined) given.storage = storage;
    if (name !== undefined) given.name = name;
    if (home !== undefined) given.cloud = home.handle;
    if (options.faults !== undefined) given.faults = options.faults;
    const device = new Device(muster, await muster.device(given), signal);
    if (signal?.aborted) {
      await device.stop();
      throw signal.reason;
    }
    return device;
  }

  private constructor(muster: Muster, handle: Handle, signal: AbortSignal | undefined) {
    super(muster, handle, signal);
    handle.onnext = (next) => this.onnext?.(next);
    handle.oncut = (cut) => (this.cut = cut);
  }

  get platform(): PlatformName {
    return this.handle.platform;
  }

  get state(): DeviceState {
    const { word } = this.facts;
    return this.over || word === "cut" || word === "dead" ? "off" : word;
  }

  /** Who it is, since it registered in this life. */
  get identity(): Identity | null {
    return this.facts.identity;
  }

  /** What will happen next, when and why. */
  get next(): Next | null {
    return this.handle.next;
  }

  /** Until it is online; at once if it is. Rejects with `DeviceStopped` if it gives up, `TimedOut`, or the signal's reason. */
  async ready(wait: Wait = {}): Promise<void> {
    if (this.over) throw new MusterError("stopped", "ready: it was stopped", "start another one");
    const { word, ready, trouble } = this.facts;
    if (word === "stopped" && trouble?.advice != null) throw new DeviceStopped(trouble.error, trouble.advice, trouble.link);
    // Called off before, but online: an aborted wait is an aborted wait.
    if (ready) return within(wait, () => "", (resolve) => (resolve(undefined), () => {}));
    await this.until("ready", wait, this.seen);
  }

  /**
   * The first event of that name, or that passes the test, of all since the start; `after` skips those up to a `seq`.
   * Rejects with `DeviceStopped` if the device gives up before it.
   */
  until<N extends Event["event"]>(event: N, wait?: Wait, after?: number): Promise<Stamped<Extract<Event, { event: N }>>>;
  until(test: (event: DeviceEvent) => boolean, wait?: Wait, after?: number): Promise<DeviceEvent>;
  until(what: string | ((event: DeviceEvent) => boolean), wait: Wait = {}, after = 0): Promise<DeviceEvent> {
    const passes = typeof what === "string" ? (event: DeviceEvent) => event.event === what : what;
    const matches = (event: DeviceEvent): event is DeviceEvent => event.seq > after && passes(event);
    const failure = (event: DeviceEvent): Error | undefined => {
      if (event.event !== "stopped" || event.seq <= after) return undefined;
      return new DeviceStopped(event.error, event.advice, this.facts.link);
    };
    return this.first(typeof what === "string" ? what : "the event", matches, failure, wait);
  }

  /** What a person wants of it. Rejects if this platform has no such thing. */
  intend(intent: Intent): Promise<void> {
    return this.handle.intend(intent);
  }

  /** Cuts the connection without a word, as a network does that fails. */
  dropNetwork(): Promise<void> {
    return this.handle.dropNetwork();
  }

  /** What it stored of its registration, as the JSON that it is: identity and secret. Undefined before. */
  credential(): Promise<string | undefined> {
    return this.handle.credential();
  }

  /** What is done to it, and how far each rule is. */
  get faults(): Faults {
    return this.handle.faults;
  }

  /** Ends at once, without a word to anybody: what was not stored is lost. */
  cutPower(): Promise<void> {
    return this.finish(() => this.handle.cutPower());
  }

  /** @internal */
  protected override eventOf(entry: Entry): Event | undefined {
    return entry.kind === "event" ? entry.event : undefined;
  }

  /** @internal */
  protected override hint(): string {
    const { trouble, link } = this.facts;
    return [trouble === null ? "" : describe(trouble.error), link === null ? "" : describeTrouble(link)].filter((part) => part !== "").join(": ");
  }

  private seen = 0;

  /** @internal */
  protected override note(entry: Entry): void {
    this.seen = entry.seq;
    this.facts = reduce(this.facts, entry);
  }
}

function describe(error: Cause): string {
  switch (error.blame) {
    case "codec":
      return `the cloud's answer could not be parsed: ${text(error.error)}`;
    case "peer_misbehaved":
      return `the cloud broke the protocol: ${error.how}`;
    case "rejected":
      switch (error.by.how) {
        case "connack":
          return `the cloud refused the login with CONNACK ${error.by.code}`;
        case "suback":
          return `the cloud refused to subscribe ${error.by.topic}`;
        case "code":
          return `the cloud refused with code ${error.by.code}${error.by.message === "" ? "" : `: ${error.by.message}`}`;
        case "http":
          return `the cloud answered with HTTP status ${error.by.status}${error.by.message === "" ? "" : `: ${error.by.message}`}`;
      }
      break;
    case "network":
      return `no connection: ${text(error.failure)}`;
    case "no_reply":
      return `no answer to ${error.step}`;
    case "local":
      return `here: ${text(error.failure)}`;
  }
}

function text(value: string | object): string {
  return typeof value === "string" ? value : Object.entries(value).flat().join(" ");
}

function describeTrouble({ reason, url, detail }: Trouble): string {
  return [reason, url, detail].filter((part) => part !== undefined && part !== "").join(", ");
}
