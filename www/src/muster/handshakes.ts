// Eight handshakes may be pending in a tab, of all Workers together. Loaded with the second Worker: the first one alone has
// them all.

import type { Ask } from "./protocol";

/** A Worker, as far as this asks it. */
type Asked = { ask<T>(question: Ask): Promise<T> };

const ALL = 8;
/** What each Worker gets: as long as anybody connects from the second one, single devices of the first get two. */
const SHARED = [2, 6];
const ALONE = [ALL, 0];
/** Milliseconds. */
const LOOK_AGAIN = 100;

/**
 * Shares the handshakes of two Workers. None that is pending is given up: one gets what the other does not use any more.
 * Whoever is about to connect from the second Worker enters, and gets how to say that he does no more.
 */
export function handshakes(...lines: [first: Asked, second: Asked]): () => Promise<() => void> {
  /** So many each may have pending, and has not more. */
  const held = [...ALONE];
  let users = 0;
  let turn: Promise<void> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout>;
  const look = async () => {
    clearTimeout(timer);
    const wanted = users > 0 ? SHARED : ALONE;
    for (const [at, line] of lines.entries()) {
      const most = Math.min(wanted[at]!, ALL - held[1 - at]!);
      held[at] = Math.max(most, await line.ask<number>({ ask: "handshakes", most }));
    }
    if (held.some((most, at) => most !== wanted[at])) timer = setTimeout(share, LOOK_AGAIN);
  };
  // One look after the other; of a Worker that died, whoever asks it for something hears.
  const share = () => (turn = turn.then(look).catch(() => {}));
  return async () => {
    users += 1;
    await share();
    return () => {
      users -= 1;
      void share();
    };
  };
}
