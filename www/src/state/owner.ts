// The owner's side of an Alibaba device: the app, its calls, and the bind.

import { MusterError } from "../muster/errors";
import type { App, AppBindPlan, AppCall, AppReply, DeviceNameOf, Entry, HandOver, PacketLook } from "../muster/types";
import { clouds, type World } from "./clouds";
import { engine } from "./engine";
import { refusal, type Refusal } from "./failure";
import { Frame } from "./frame";
import type { Log } from "./log";
import type { Life } from "./recording";
import { Store } from "./store";
import { Timeline, freshOwner, reduceOwner, type OwnerFacts } from "./timeline";

export class Owner extends Store {
  readonly timeline: Timeline;
  /** When each of the app's lives began. */
  readonly lives: Life[] = [];
  facts: OwnerFacts = freshOwner();
  settings: Record<string, string>;
  failure: Refusal | null = null;
  /** The last call by hand and what it gave. */
  answer: { call: string; reply: AppReply | null; failure: Refusal | null } | null = null;
  readonly world: World;
  /** Hears every entry, after it is in the timeline. */
  onentry: ((entry: Entry) => void) | null = null;
  /** Whether its calls go by the relay. */
  relay: () => boolean | Promise<boolean> = () => false;
  #app: App | undefined;
  /** An app is being made. */
  #starting: Promise<void> | undefined;
  /** How often it was told to stop: what was begun before that is not gone on with. */
  #stops = 0;
  readonly #arrived = new Frame(() => this.changed());
  /** A bind by token is under way: what the device announces is for the app's ears. */
  #awaitsToken = false;
  #handed: string | null = null;

  /** `before`: its part of a timeline that was opened from a file, to be carried on. */
  constructor(world: World, settings: Record<string, string>, log: Log, before = new Timeline("app", log)) {
    super();
    this.timeline = before;
    this.world = world;
    this.settings = settings;
  }

  get running(): boolean {
    return this.#app !== undefined;
  }

  /** Two who want it at the same time get one app. */
  async start(): Promise<void> {
    const stops = this.#stops;
    while (this.#app === undefined) {
      await (this.#starting ??= this.#begin(this.#stops).finally(() => (this.#starting = undefined)));
      if (stops !== this.#stops) throw new MusterError("stopped", "it was stopped", "start another one");
    }
  }

  /** None comes of it if it is told to stop meanwhile. */
  async #begin(stops: number): Promise<void> {
    this.failure = null;
    try {
      const muster = await engine.get();
      const app = await muster.app({ settings: this.settings, ...(this.world === "tab" ? { cloud: await clouds.inTab() } : { relay: this.world === "real" && (await this.relay()) }) });
      if (stops !== this.#stops) return await app.stop();
      this.#app = app;
      this.timeline.begin();
      this.lives.push({ side: "app", life: this.timeline.life, begun: Date.now(), replay: null });
      this.timeline.note("app_started", Date.now());
      this.facts = { ...freshOwner(), word: "ready" };
      this.changed();
      void this.#read(app);
    } catch (error) {
      this.failure = refusal(error);
      this.changed();
      throw error;
    }
  }

  async #read(app: App): Promise<void> {
    try {
      for await (const entry of app) {
        this.timeline.push(entry);
        this.facts = reduceOwner(this.facts, entry);
        this.onentry?.(entry);
        if (this.facts.word !== "binding") this.#awaitsToken = false;
        this.#arrived.request();
      }
    } catch {
      // The instance died; the page says so.
    }
    if (this.#app === app) this.#ended();
  }

  #ended(): void {
    this.#app = undefined;
    this.timeline.note("app_stopped", Date.now());
    this.facts = { ...this.facts, word: "off", waitingUntil: null };
    this.changed();
  }

  async stop(): Promise<void> {
    this.#stops += 1;
    const app = this.#app;
    if (app !== undefined) {
      this.#ended();
      await app.stop();
    }
    // One that is still being made is let go as soon as it is there; why it could not be made was told to who asked for it.
    await this.#starting?.catch(() => {});
  }

  /** A guided bind. `token`: what the device announced, if it still stands by it. */
  async bind(by: "token" | "window", device: DeviceNameOf, token: string | null): Promise<void> {
    const plan: AppBindPlan = { devices: [device], by };
    const home = this.settings["home_id"];
    if (home !== undefined && home !== "") plan.home_id = home;
    if (token !== null) plan.token = token;
    await this.follow(plan);
  }

  /** A guided bind by a plan that is complete. */
  async follow(plan: AppBindPlan): Promise<void> {
    await this.start();
    this.facts = { ...freshOwner(), word: "binding" };
    this.failure = null;
    this.#awaitsToken = plan.by === "token";
    this.#handed = plan.token ?? null;
    if (plan.token !== undefined) this.timeline.note("token_handed_over", Date.now(), plan.token);
    this.changed();
    try {
      await this.#app?.bind(plan);
    } catch (error) {
      this.failure = refusal(error);
      this.facts = { ...this.facts, word: "failed" };
      this.changed();
    }
  }

  /** The device announced a token on its local network; here the page is that network. */
  async hear(token: string): Promise<void> {
    if (!this.#awaitsToken || this.#app === undefined || token === this.#handed) return;
    this.#handed = token;
    this.timeline.note("token_handed_over", Date.now(), token);
    this.changed();
    await this.#app.bindToken(token);
  }

  /** What the last guided bind handed over. Secrets in it: for the person who asks. */
  async handOver(): Promise<HandOver | undefined> {
    return this.#app?.handOver();
  }

  async cancel(): Promise<void> {
    this.#awaitsToken = false;
    await this.#app?.cancel();
  }

  async call(call: AppCall): Promise<void> {
    this.answer = null;
    try {
      this.answer = { call: call.call, reply: await this.request(call), failure: null };
    } catch (error) {
      this.answer = { call: call.call, reply: null, failure: refusal(error) };
    }
    this.changed();
  }

  /** One call for whoever needs its answer; throws what it was refused with. */
  async request(call: AppCall): Promise<AppReply> {
    await this.start();
    if (this.#app === undefined) throw new MusterError("stopped", "it was stopped", "start another one");
    return this.#app.call(call);
  }

  async packet(life: number, seq: number, reveal: boolean): Promise<PacketLook | undefined> {
    if (life !== this.timeline.life) return undefined;
    return this.#app?.packet(seq, { reveal });
  }
}
