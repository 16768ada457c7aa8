import type { App as Handle, AppBindPlan, AppCall, AppEvent, AppOptions, AppReply, Entry, HandOver, Muster } from "../../src/muster/types";
import { MusterError } from "../../src/muster/errors";
import { homeOf, type Cloud } from "./cloud";
import { Living } from "./living";
import { shared } from "./runtime";

export type StartApp = {
  /** Those of `muster app alibaba`. Left out with a `cloud`: its demo owner. */
  settings?: Record<string, string>;
  cloud?: Cloud;
  /** Stops it once it is aborted. */
  signal?: AbortSignal;
  /** Another instance than the shared one, from `load()`. */
  muster?: Muster;
};

/** The owner's side of Alibaba Living Link: the provisioning calls, and the guided bind. */
export class App extends Living<AppEvent, Handle> {
  static async start(options: StartApp): Promise<App> {
    const { signal } = options;
    signal?.throwIfAborted();
    const home = options.cloud === undefined ? undefined : homeOf(options.cloud);
    const muster = home?.muster ?? options.muster ?? (await shared());
    const settings = options.settings ?? (await home?.handle.demo())?.alibaba_app?.settings;
    if (settings === undefined) throw new MusterError("misuse", "settings: an owner needs some, unless a cloud of this process has a demo owner");
    const given: AppOptions = { settings: { ...settings } };
    if (home !== undefined) given.cloud = home.handle;
    const app = new App(muster, await muster.app(given), signal);
    if (signal?.aborted) {
      await app.stop();
      throw signal.reason;
    }
    return app;
  }

  private constructor(muster: Muster, handle: Handle, signal: AbortSignal | undefined) {
    super(muster, handle, signal);
  }

  /** Makes one call. Rejects with `CallFailed`. */
  call(call: AppCall): Promise<AppReply> {
    return this.handle.call(call);
  }

  /** Begins the guided bind; how it goes on is told by events. */
  bind(plan: AppBindPlan): Promise<void> {
    return this.handle.bind(plan);
  }

  /** The device announced this token. */
  bindToken(token: string): Promise<void> {
    return this.handle.bindToken(token);
  }

  /** What the last guided bind handed over to its device; secrets in it. Undefined if there was nothing. */
  handOver(): Promise<HandOver | undefined> {
    return this.handle.handOver();
  }

  /** Stops the guided bind. */
  cancel(): Promise<void> {
    return this.handle.cancel();
  }

  /** @internal */
  protected override eventOf(entry: Entry): AppEvent | undefined {
    return entry.kind === "app_event" ? entry.event : undefined;
  }

  /** @internal */
  protected override note(): void {}
}
