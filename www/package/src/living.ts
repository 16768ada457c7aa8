/// <reference lib="esnext.disposable" preserve="true" />
// What devices and owners' apps have in common: a timeline, events in it, and an end.

import { MusterDied, MusterError } from "../../src/muster/errors";
import type { Entry, Muster, PacketLook } from "../../src/muster/types";
import { Feed } from "./feed";
import { asyncDispose } from "./runtime";
import { within, type Wait } from "./wait";

/** An event with its place in the timeline: `at` counts milliseconds from the start, `unix` from 1970. */
export type Stamped<E> = E & { readonly seq: number; readonly at: number; readonly unix: number };

/** Events and entries that are kept for readers who come late. */
const KEPT = 5_000;

interface Handle extends AsyncIterable<Entry> {
  packet(seq: number, options?: { reveal?: boolean }): Promise<PacketLook | undefined>;
  stop(): Promise<void>;
}

export abstract class Living<E extends object, H extends Handle> implements AsyncIterable<Stamped<E>>, AsyncDisposable {
  private readonly events = new Feed<Stamped<E>>(KEPT);
  private readonly entries = new Feed<Entry>(KEPT);
  private stopping: Promise<void> | undefined;
  /** Settles when it has come to its end, whatever the reason; an error if it was not its own end. */
  readonly ended: Promise<MusterDied | undefined>;
  private isOver = false;
  /** @internal */
  protected readonly handle: H;

  // Not for others: devices and apps come from `start`.
  protected constructor(muster: Muster, handle: H, signal: AbortSignal | undefined) {
    this.handle = handle;
    this.ended = this.read(muster);
    if (signal === undefined) return;
    const abort = (): void => void this.stop().catch(() => {});
    signal.addEventListener("abort", abort, { once: true });
    void this.ended.then(() => signal.removeEventListener("abort", abort));
    if (signal.aborted) abort();
  }

  /** @internal What of the timeline is an event of this. */
  protected abstract eventOf(entry: Entry): E | undefined;

  /** @internal What keeps it from going on, for a person. */
  protected hint(): string {
    return "";
  }

  /** @internal Something has happened; nobody else knows yet. */
  protected abstract note(entry: Entry): void;

  private async read(muster: Muster): Promise<MusterDied | undefined> {
    for await (const entry of this.handle) {
      this.note(entry);
      this.entries.push(entry);
      const event = this.eventOf(entry);
      if (event !== undefined) this.events.push({ seq: entry.seq, at: entry.at, unix: entry.unix, ...event });
    }
    // A timeline that ends by itself ends with its instance: `died` settles a moment later.
    const own = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 0));
    const why = this.isOver ? undefined : await Promise.race([muster.died as Promise<MusterDied>, own]);
    this.isOver = true;
    this.events.end();
    this.entries.end();
    return why;
  }

  /** Its events: those that have been, then those that come, until its end. Any number of readers. */
  [Symbol.asyncIterator](): AsyncIterator<Stamped<E>> {
    return this.events[Symbol.asyncIterator]();
  }

  /** Everything: events, packets, requests, what was stored. Like the events, for any number of readers. */
  get timeline(): AsyncIterable<Entry> {
    return this.entries;
  }

  /** Whether it has come to its end. */
  get over(): boolean {
    return this.isOver;
  }

  /** Bytes and decoded form of one packet; secrets only with `reveal`. Old packets are dropped: undefined. */
  packet(seq: number, options?: { reveal?: boolean }): Promise<PacketLook | undefined> {
    return this.handle.packet(seq, options);
  }

  /** Ends it. What has ended already stays so. */
  stop(): Promise<void> {
    return this.finish(() => this.handle.stop());
  }

  [asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** @internal */
  protected finish(how: () => Promise<void>): Promise<void> {
    if (this.isOver && this.stopping === undefined) return Promise.resolve();
    return (this.stopping ??= this.finishOnce(how));
  }

  private async finishOnce(how: () => Promise<void>): Promise<void> {
    this.isOver = true;
    try {
      await how();
    } catch (error) {
      // It is over in any case; only what could not be kept or given back is news.
      if (!(error instanceof MusterDied) && !(error instanceof MusterError && error.code === "stopped")) throw error;
    }
    await this.ended;
  }

  /** @internal The first event that matches; `failure` looks at each one before. */
  protected first<M extends Stamped<E>>(
    what: string,
    matches: (event: Stamped<E>) => event is M,
    failure: (event: Stamped<E>) => Error | undefined,
    wait: Wait,
  ): Promise<M> {
    let last: Stamped<E> | undefined;
    const late = (): string =>
      [`${what}: not within ${wait.timeout} ms`, last === undefined ? "" : `the last event was ${words(last)}`, this.hint()].filter((part) => part !== "").join("; ");
    return within(wait, late, (resolve, reject) =>
      this.events.listen(
        (event) => {
          last = event;
          if (matches(event)) return resolve(event);
          const error = failure(event);
          if (error !== undefined) reject(error);
        },
        () => void this.ended.then((why) => reject(why ?? new MusterError("stopped", `${what}: it was stopped before`, "start another one"))),
      ),
    );
  }
}

/** An event without its numbers, on one line. */
function words(event: object): string {
  const { event: name, step } = event as { event?: string; step?: string };
  return step === undefined ? String(name) : `${name} ${step}`;
}
