import { expect, test, vi } from "vitest";
import { borrowed, lend } from "../src/muster/lend";
import type { Store } from "../src/muster/types";

class Place implements Store {
  values = new Map<string, Uint8Array>();
  done: string[] = [];
  refuse: unknown = null;
  released = 0;
  begun = 0;
  async load() {
    return this.values;
  }
  async write(changes: [string, Uint8Array?][]) {
    this.begun += 1;
    await new Promise((resolve) => setTimeout(resolve, changes.length));
    if (this.refuse !== null) throw this.refuse;
    for (const [name, value] of changes) {
      this.done.push(name);
      if (value) this.values.set(name, value);
      else this.values.delete(name);
    }
  }
  release() {
    this.released += 1;
  }
}

test("a lent store keeps what is asked for, in order, and answers only then", async () => {
  const place = new Place();
  const lent = lend(place);
  const store = borrowed(lent.port);
  await Promise.all([store.write([["a", new Uint8Array([1])], ["b", new Uint8Array([2])], ["c", new Uint8Array([3])]]), store.write([["a"]])]);
  expect(place.done).toEqual(["a", "b", "c", "a"]);
  expect([...(await store.load()).keys()]).toEqual(["b", "c"]);
  expect((await store.load()).get("c")).toEqual(new Uint8Array([3]));
  store.release();
  await lent.over();
  await lent.over();
  expect(place.released).toBe(1);
});

test("what a store refuses is a refusal at the other end, with its own code and next move", async () => {
  const place = new Place();
  const lent = lend(place);
  const store = borrowed(lent.port);
  place.refuse = new Error("the disk is full");
  await expect(store.write([["a", new Uint8Array(1)]])).rejects.toMatchObject({ name: "StorageError", code: "storage", message: "the disk is full" });
  place.refuse = Object.assign(new Error("taken"), { code: "in_use", next: "stop the other one" });
  await expect(store.write([["a"]])).rejects.toMatchObject({ code: "in_use", next: "stop the other one" });
  place.refuse = null;
  await store.write([["a", new Uint8Array(1)]]);
  await lent.over();
});

test("what was asked for before the end is kept before the store is given back", async () => {
  const place = new Place();
  const lent = lend(place);
  const store = borrowed(lent.port);
  const written = store.write([["a", new Uint8Array(1)]]);
  // The message is under way: it has to arrive before the end does.
  await vi.waitFor(() => expect(place.begun).toBe(1));
  const over = lent.over();
  await over;
  expect(place.done).toEqual(["a"]);
  expect(place.released).toBe(1);
  await Promise.race([written, new Promise((resolve) => setTimeout(resolve, 5))]);
});

test("one store is lent to one at a time, and to the next when it was given back", async () => {
  const place = new Place();
  const lent = lend(place);
  expect(() => lend(place)).toThrow(expect.objectContaining({ name: "StorageError", code: "in_use" }));
  await lent.over();
  const again = lend(place);
  await borrowed(again.port).write([["a", new Uint8Array(1)]]);
  await again.over();
  expect(place.released).toBe(2);
});

test("what comes after the end is refused, and does not touch what the next one keeps", async () => {
  const place = new Place();
  const lent = lend(place);
  const store = borrowed(lent.port);
  const first = store.write([["a", new Uint8Array(1)]]);
  await vi.waitFor(() => expect(place.begun).toBe(1));
  const over = lent.over();
  const late = store.write([["b", new Uint8Array(1)]]);
  const refused = expect(Promise.race([late, over.then(() => Promise.reject(new Error("no answer: it was given back")))])).rejects.toThrow("given back");
  await Promise.all([first, refused]);
  expect(place.done).toEqual(["a"]);
});
