// Where a device's secrets, and what a cloud of the tab knows, are kept: in memory, or in IndexedDB if the person asks.
//
// A promise of these settles when the value will survive a power cut: transactions are asked for with strict
// durability, and only their `complete` counts.

import { borrowed } from "./lend";
import type { Storage, Store } from "./types";

export type { Store } from "./types";

/** Where a device or a cloud keeps its values: a channel leads to a store of the page's own. */
export async function storeFor(kind: Kind, storage: Storage | MessagePort, name: string): Promise<Store> {
  if (storage === "memory") return memory(kind === "device" ? name : "");
  return storage === "browser" ? browser(kind, name) : borrowed(storage);
}

const memories = new Map<string, Map<string, Uint8Array>>();

/** Gone with the Worker, and there for the next one of this name until then: as a device's flash is after a power cut. */
export function memory(name: string): Store {
  const values = (name === "" ? undefined : memories.get(name)) ?? new Map<string, Uint8Array>();
  if (name !== "") memories.set(name, values);
  return {
    load: async () => new Map(values),
    async write(changes) {
      for (const [key, value] of changes) {
        if (value) values.set(key, value);
        else values.delete(key);
      }
    },
    release: () => {},
  };
}

export type Kind = "device" | "cloud" | "fleet";

const DATABASE = "muster";
const TABLE = "values";

/** IndexedDB, under a name that one tab at a time may use. */
export async function browser(kind: Kind, name: string): Promise<Store> {
  // What a cloud keeps has slashes in its names: behind a name with one it would be found under two.
  if (kind !== "device" && name.includes("/")) throw Object.assign(new Error(`${name}: the name of a cloud or a fleet has no slash`), { code: "misuse" });
  if (typeof indexedDB === "undefined") throw storageError("there is no browser's storage here");
  const release = await lock(`muster/${kind}/${name}`);
  let database: IDBDatabase;
  try {
    database = await open();
  } catch (error) {
    release();
    throw storageError(`this browser keeps nothing: ${text(error)}`);
  }
  const prefix = `${kind}/${name}/`;
  // Everything that begins with the prefix: U+FFFF is behind every character of a name.
  const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  // Behind a slash it is another device's, whose name begins with this one's.
  const own = (key: string) => kind !== "device" || !key.includes("/");
  return {
    async load() {
      const table = database.transaction(TABLE, "readonly").objectStore(TABLE);
      const [keys, values] = await Promise.all([settled(table.getAllKeys(range)), settled(table.getAll(range))]);
      const all = keys.map((key, at): [string, Uint8Array] => [String(key).slice(prefix.length), values[at] as Uint8Array]);
      return new Map(all.filter(([key]) => own(key)));
    },
    write(changes) {
      return new Promise((resolve, reject) => {
        const transaction = database.transaction(TABLE, "readwrite", { durability: "strict" });
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(storageError(`not stored: ${text(transaction.error)}`));
        const table = transaction.objectStore(TABLE);
        for (const [key, value] of changes) {
          if (value) table.put(value, prefix + key);
          else table.delete(prefix + key);
        }
      });
    },
    release() {
      database.close();
      release();
    },
  };
}

/** Forgets everything that is kept under a name. */
export async function forget(kind: Kind, name: string): Promise<void> {
  memories.delete(name);
  const store = await browser(kind, name);
  try {
    await store.write([...(await store.load()).keys()].map((key) => [key]));
  } finally {
    store.release();
  }
}

/** Two drivers of one device would overwrite each other's secrets. */
async function lock(name: string): Promise<() => void> {
  if (!("locks" in navigator)) return () => {};
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(name, { ifAvailable: true }, (granted) => {
      if (!granted) {
        reject(
          Object.assign(new Error("another tab of this browser runs it"), {
            code: "in_use",
            next: "stop it there, or give this one another name",
          }),
        );
        return undefined;
      }
      return new Promise<void>((free) => resolve(free));
    });
    held.catch(reject);
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function storageError(message: string): Error {
  return Object.assign(new Error(message), {
    code: "storage",
    next: "make room, leave private browsing, or keep it in memory",
  });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : "no reason was given";
}
