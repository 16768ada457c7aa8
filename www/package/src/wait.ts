// Waiting with a limit: a time, or somebody who calls it off.

import { MusterError } from "../../src/muster/errors";

/** How long to wait, and who may call it off. */
export type Wait = {
  /** Milliseconds; without it there is no limit. */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
};

/** It did not happen in time. Code `timed_out`. */
export class TimedOut extends MusterError {
  override readonly name = "TimedOut";
  constructor(message: string) {
    super("timed_out", message, "give it more time, or look at the timeline for what it waits for");
  }
}

/** Longer than this, timers wrap around. */
const LONGEST = 2 ** 31 - 1;

/** `begin` starts to wait and says how to stop it; `late` describes what did not come. */
export function within<T>(
  { timeout, signal }: Wait,
  late: () => string,
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void,
): Promise<T> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  if (timeout !== undefined && !(timeout >= 0)) return Promise.reject(new RangeError("timeout: milliseconds, 0 or more"));
  return new Promise((resolve, reject) => {
    let stop: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let settled = false;
    const settle = (how: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      stop?.();
      how();
    };
    const abort = (): void => settle(() => reject(signal?.reason));
    signal?.addEventListener("abort", abort, { once: true });
    if (timeout !== undefined && timeout <= LONGEST) timer = setTimeout(() => settle(() => reject(new TimedOut(late()))), timeout);
    stop = begin(
      (value) => settle(() => resolve(value)),
      (error) => settle(() => reject(error)),
    );
    // It may have been there already.
    if (settled) stop();
  });
}
