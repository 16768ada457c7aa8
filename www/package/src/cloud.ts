/// <reference lib="esnext.disposable" preserve="true" />
import { MusterDied, MusterError } from "../../src/muster/errors";
import type {
  Cloud as Handle,
  CloudOptions,
  Demo,
  LogLine,
  Muster,
  Operation,
  OperationResult,
  PlatformName,
  Storage,
  Store,
} from "../../src/muster/types";
import { asyncDispose, shared } from "./runtime";

export type StartCloud = {
  /** Where it keeps what it acknowledges: `memory` (default), `browser`, or a place of your own. */
  storage?: Storage | Store;
  name?: string;
  /** Stops it once it is aborted. */
  signal?: AbortSignal;
  /** Another instance than the shared one, from `load()`. */
  muster?: Muster;
};

export type Firmware = { platform: PlatformName; product: string; version: string; module?: string; bytes: Uint8Array };

type Home = { muster: Muster; handle: Handle };
const homes = new WeakMap<Cloud, Home>();

/** Where a cloud lives: its devices have to live there too. */
export function homeOf(cloud: Cloud): Home {
  const home = homes.get(cloud);
  if (home === undefined) throw new MusterError("misuse", "cloud: has to come from Cloud.start()");
  return home;
}

/** The clouds of four vendors, strict copies, in this process: no server, no port, no network. */
export class Cloud implements AsyncDisposable {
  private stopping: Promise<void> | undefined;

  /** With the demo products, or with what `storage` kept. */
  static async start(options: StartCloud = {}): Promise<Cloud> {
    const { storage, name, signal } = options;
    signal?.throwIfAborted();
    const muster = options.muster ?? (await shared());
    const given: CloudOptions = {};
    if (storage !== undefined) given.storage = storage;
    if (name !== undefined) given.name = name;
    const cloud = new Cloud(muster, await muster.cloud(given), signal);
    if (signal?.aborted) {
      await cloud.stop();
      throw signal.reason;
    }
    return cloud;
  }

  private constructor(muster: Muster, handle: Handle, private readonly signal: AbortSignal | undefined) {
    homes.set(this, { muster, handle });
    signal?.addEventListener("abort", this.abort, { once: true });
  }

  private readonly abort = (): void => void this.stop().catch(() => {});

  /** Does what an operator does: products, devices, switches, resets, updates. Rejects with `CloudRefused`. */
  operate(operation: Operation): Promise<OperationResult> {
    return homeOf(this).handle.operate(operation);
  }

  /** Keeps an image and makes it known; `operate` pushes it. */
  addFirmware(image: Firmware): Promise<void> {
    return homeOf(this).handle.addFirmware(image);
  }

  /** Complete settings of a demo device for each platform, secrets included. */
  demo(): Promise<Demo> {
    return homeOf(this).handle.demo();
  }

  /** What it wrote down: the past (bounded), then what comes. */
  log(): AsyncIterable<LogLine> {
    return homeOf(this).handle.log();
  }

  /** Ends it; devices see their connections break. What has ended already stays so. */
  stop(): Promise<void> {
    return (this.stopping ??= this.finish());
  }

  [asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async finish(): Promise<void> {
    this.signal?.removeEventListener("abort", this.abort);
    try {
      await homeOf(this).handle.stop();
    } catch (error) {
      if (!(error instanceof MusterDied) && !(error instanceof MusterError && error.code === "stopped")) throw error;
    }
  }
}
