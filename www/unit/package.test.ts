// The parts of the npm package that need no WebAssembly; the rest is tested from its tarball (package/tests).

import { describe, expect, test, vi } from "vitest";
import { texts } from "../package/src/element-texts";
import { wordsOf } from "../package/src/element-words";
import { Feed } from "../package/src/feed";
import { TimedOut, within } from "../package/src/wait";
import type { Entry } from "../src/muster/types";

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) read.push(item);
  return read;
}

describe("a timeline for many readers", () => {
  test("the past is bounded, its end is kept", async () => {
    const feed = new Feed<number>(10);
    for (let at = 0; at < 1_000; at += 1) feed.push(at);
    feed.end();
    const read = await all(feed);
    expect(read.length).toBeGreaterThanOrEqual(10);
    expect(read.length).toBeLessThan(20);
    expect(read.at(-1)).toBe(999);
    expect(read).toEqual(read.toSorted((a, b) => a - b));
  });

  test("a reader that leaves hears no more, the others do", async () => {
    const feed = new Feed<number>(10);
    feed.push(1);
    const leaves = feed[Symbol.asyncIterator]();
    const stays = all(feed);
    expect((await leaves.next()).value).toBe(1);
    await leaves.return?.();
    expect((await leaves.next()).done).toBe(true);
    feed.push(2);
    feed.end();
    expect(await stays).toEqual([1, 2]);
  });

  test("a listener that stops in the middle of the past hears nothing after that", () => {
    const feed = new Feed<number>(10);
    for (const item of [1, 2, 3]) feed.push(item);
    const heard: number[] = [];
    const stop = feed.listen(
      (item) => {
        heard.push(item);
        queueMicrotask(() => stop());
      },
      () => heard.push(-1),
    );
    expect(heard).toEqual([1, 2, 3]);
    stop();
    feed.push(4);
    feed.end();
    expect(heard).toEqual([1, 2, 3]);
  });

  test("whoever comes after the end is told of it", () => {
    const feed = new Feed<number>(10);
    feed.push(1);
    feed.end();
    const heard: unknown[] = [];
    feed.listen(
      (item) => heard.push(item),
      () => heard.push("end"),
    );
    expect(heard).toEqual([1, "end"]);
  });
});

describe("waiting", () => {
  test("whatever comes first settles it once, and everything is let go", async () => {
    vi.useFakeTimers();
    try {
      const controller = new AbortController();
      const stopped = vi.fn();
      let resolve: (value: number) => void = () => {};
      const waiting = within<number>({ timeout: 100, signal: controller.signal }, () => "late", (done) => ((resolve = done), stopped));
      resolve(1);
      resolve(2);
      controller.abort();
      vi.advanceTimersByTime(200);
      expect(await waiting).toBe(1);
      expect(stopped).toHaveBeenCalledTimes(1);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("too late is TimedOut, with words that are made then", async () => {
    vi.useFakeTimers();
    try {
      let said = "before";
      const waiting = within<void>({ timeout: 100 }, () => said, () => () => {});
      said = "after";
      const rejected = expect(waiting).rejects.toSatisfy((error: unknown) => error instanceof TimedOut && error.message === "after");
      await vi.advanceTimersByTimeAsync(100);
      await rejected;
    } finally {
      vi.useRealTimers();
    }
  });

  test("what is there already is there, and its listener is let go", async () => {
    const stopped = vi.fn();
    expect(await within<number>({}, () => "", (resolve) => (resolve(7), stopped))).toBe(7);
    expect(stopped).toHaveBeenCalledTimes(1);
  });
});

describe("the element's words", () => {
  const entry = (what: object): Entry => ({ seq: 1, at: 1, unix: 1, ...what }) as Entry;

  test("both languages have all of them, and different ones", () => {
    const leaves = (value: unknown, path = ""): [string, string][] => {
      if (typeof value === "string") return [[path, value]];
      if (typeof value === "function") return [[path, String((value as (x: unknown) => string)("1"))]];
      return Object.entries(value as object).flatMap(([key, item]) => leaves(item, `${path}.${key}`));
    };
    const [en, zh] = [new Map(leaves(texts("en"))), new Map(leaves(texts("zh-CN")))];
    expect([...zh.keys()]).toEqual([...en.keys()]);
    for (const [path, text] of zh) {
      expect(text, path).not.toBe("");
      expect(text, path).not.toBe(en.get(path));
      expect(text, path).toMatch(/[\u4e00-\u9fff]/);
    }
  });

  test("hundreds of download entries are no rows, and what failed is marked", () => {
    const words = (what: object): ReturnType<typeof wordsOf> => wordsOf(entry(what), texts("en"));
    expect(words({ kind: "event", event: { event: "update", update: { phase: "downloading", received: 1, total: 2 } } })).toBeUndefined();
    expect(words({ kind: "event", event: { event: "update", update: { phase: "failed", reason: "digest" } } })).toMatchObject({ bad: true });
    expect(words({ kind: "http", direction: "down", message: { status: 500, headers: [], size: 0, masked: 0 } })).toEqual({ text: "HTTP 500", way: "↓", bad: true });
    expect(words({ kind: "store", action: "put", key: "credential", size: 1, outcome: "failed", latency: 1 })).toEqual({ text: "credential: could not be stored", way: "", bad: true });
  });
});
