// A store of the page's own, lent to the Worker over a channel: the Worker asks, the page keeps, and only its answer
// counts. So persist-then-acknowledge holds whatever the store is made of.

import { StorageError, fromPlain, toPlain, type PlainError } from "./errors";
import type { Store } from "./types";

type Change = [name: string, value?: Uint8Array];
type Wish = { id: number } & ({ wish: "load" } | { wish: "write"; changes: Change[] } | { wish: "release" });
type Granted = { id: number; values?: [string, Uint8Array][]; error?: PlainError };

/** The page's end. `over` gives the store back, once: when the device has ended, or its Worker died. */
export type Lent = { port: MessagePort; over: () => Promise<void> };

/** What is lent now. Two devices that keep their secrets in one place would overwrite each other's. */
const out = new WeakSet<Store>();

export function lend(store: Store): Lent {
  if (out.has(store)) throw new StorageError("in_use", "another device, or a cloud, uses this store", "stop it, or give this one a store of its own");
  out.add(store);
  const { port1, port2 } = new MessageChannel();
  let released: Promise<void> | undefined;
  // One after the other: what was asked for first is kept first.
  let turn: Promise<unknown> = Promise.resolve();
  const release = (): Promise<void> => (released ??= turn.then(() => store.release()).finally(() => out.delete(store)));
  port1.onmessage = ({ data }: MessageEvent<Wish>) => {
    const granted = turn.then(() => grant(data));
    turn = granted.then((answer) => port1.postMessage(answer));
  };
  async function grant(wish: Wish): Promise<Granted> {
    const { id } = wish;
    try {
      // It may be somebody else's by now.
      if (released !== undefined) throw new StorageError("storage", "the store was given back", "start the device again");
      if (wish.wish === "load") return { id, values: [...(await store.load())] };
      if (wish.wish === "write") await store.write(wish.changes);
      return { id };
    } catch (error) {
      return { id, error: asStorageError(error) };
    }
  }
  return {
    port: port2,
    async over() {
      try {
        await release();
      } finally {
        port1.close();
      }
    },
  };
}

/** Whatever a store throws, it is one that did not keep something. */
function asStorageError(error: unknown): PlainError {
  const plain = toPlain(error);
  const known = plain.code === "in_use" || plain.code.startsWith("stored_");
  return known ? plain : { ...plain, code: "storage" };
}

/** The Worker's end. */
export function borrowed(port: MessagePort): Store {
  let last = 0;
  const asked = new Map<number, { resolve: (granted: Granted) => void; reject: (error: Error) => void }>();
  port.onmessage = ({ data }: MessageEvent<Granted>) => {
    const asker = asked.get(data.id);
    asked.delete(data.id);
    if (data.error) asker?.reject(fromPlain(data.error));
    else asker?.resolve(data);
  };
  type Wanted = { wish: "load" } | { wish: "write"; changes: Change[] };
  const ask = (wish: Wanted): Promise<Granted> =>
    new Promise((resolve, reject) => {
      const id = ++last;
      asked.set(id, { resolve, reject });
      port.postMessage({ id, ...wish });
    });
  return {
    load: async () => new Map((await ask({ wish: "load" })).values),
    async write(changes) {
      await ask({ wish: "write", changes });
    },
    // The page gives it back when it hears of the end.
    release: () => port.close(),
  };
}
