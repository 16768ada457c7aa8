import { describe, expect, test, vi } from "vitest";
import type { Entry, Replay, ReplayCheck, ReplayMark, ReplayPlace } from "../src/muster/types";
import { Places, Player, inputOf, waitFor } from "../src/state/replay";

const mqtt = (seq: number, direction: "up" | "down", type: string, more = {}): Entry => ({ seq, at: seq, unix: seq, kind: "mqtt", direction, packet: { type, size: 4, masked: 0, ...more } }) as Entry;
const event = (seq: number): Entry => ({ seq, at: seq, unix: seq, kind: "event", event: { event: "ready" } });
const mark = (seq: number, input: string, mono = seq): ReplayMark => ({ seq, input, mono });

describe("where entries and steps meet", () => {
  const entries = [
    event(1),
    mqtt(2, "up", "CONNECT"),
    mqtt(3, "down", "CONNACK", { return_code: 0 }),
    mqtt(4, "up", "SUBSCRIBE"),
    mqtt(5, "up", "PUBLISH"),
    // Three packets in one read: all are told before the first is taken.
    mqtt(6, "down", "SUBACK"),
    mqtt(7, "down", "PINGRESP"),
    mqtt(8, "down", "PUBLISH"),
    mqtt(9, "down", "PUBLISH"),
    event(10),
    event(11),
  ];
  const marks = [mark(3, "connected"), mark(9, "acked"), mark(9, "message"), mark(10, "message"), mark(11, "timeout")];
  const places = new Places(marks, entries);

  test("an entry that became an input belongs to its step, whatever came in the same read", () => {
    expect([3, 6, 8, 9].map((seq) => places.stepOf(seq))).toEqual([1, 2, 3, 4]);
    expect([1, 2, 3, 4].map((step) => places.entryOf(step))).toEqual([3, 6, 8, 9]);
  });

  test("any other entry belongs to the step that led to it", () => {
    expect([1, 2, 4, 5, 7, 10, 11].map((seq) => places.stepOf(seq))).toEqual([0, 0, 1, 1, 1, 3, 4]);
    expect(places.entryOf(5)).toBe(11);
    expect(places.entryOf(0)).toBe(0);
  });

  test("an entry that became nothing takes no later step away", () => {
    const late = new Places([mark(200, "closed")], [{ seq: 5, at: 5, unix: 5, kind: "link", what: "closed", url: "ws://x" } as Entry, { seq: 199, at: 9, unix: 9, kind: "link", what: "closed", url: "ws://x" } as Entry]);
    expect(late.stepOf(5)).toBe(0);
    expect(late.stepOf(199)).toBe(1);
  });

  test("which entries become inputs", () => {
    expect(inputOf(mqtt(1, "up", "PUBLISH"))).toBeNull();
    expect(inputOf(mqtt(1, "down", "CONNACK", { return_code: 5 }))).toBeNull();
    expect(inputOf(event(1))).toBeNull();
  });
});

describe("the player", () => {
  const check = { length: 3 } as ReplayCheck;
  const player = () => {
    let at = 0;
    const replay = { goTo: vi.fn(async (step: number) => ({ at: (at = step), mono: step * 10 }) as ReplayPlace), close: vi.fn(async () => {}) };
    return { replay, player: new Player(1, check, [mark(1, "timeout", 10), mark(2, "timeout", 20), mark(3, "timeout", 30)], new Places([], []), replay as unknown as Replay), at: () => at };
  };

  test("stays between the beginning and the end", async () => {
    const { player: p } = player();
    await p.go(99);
    expect(p.at).toBe(3);
    await p.step(1);
    expect(p.at).toBe(3);
    await p.go(-5);
    expect(p.at).toBe(0);
  });

  test("plays to the end and stops there; from the end it begins anew", async () => {
    vi.useFakeTimers();
    try {
      const { player: p, replay } = player();
      await p.go(0);
      p.faster("max");
      p.toggle();
      await vi.runAllTimersAsync();
      expect([p.at, p.playing]).toEqual([3, false]);
      p.toggle();
      await vi.runAllTimersAsync();
      expect(replay.goTo.mock.calls.map(([step]) => step)).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("goes on one step at a time when its speed is changed while a step is under way", async () => {
    vi.useFakeTimers();
    try {
      const { player: p, replay } = player();
      await p.go(0);
      p.faster("max");
      // The engine takes its time: nearly always a step is under way.
      replay.goTo.mockImplementation((step) => new Promise((done) => setTimeout(() => done({ at: step, mono: step * 10 } as ReplayPlace), 100)));
      p.toggle();
      await vi.advanceTimersByTimeAsync(10);
      p.faster("1");
      await vi.advanceTimersByTimeAsync(2_000);
      expect([p.at, p.playing]).toEqual([3, false]);
      // The step that was under way may be asked for once more, and none else twice.
      const asked = replay.goTo.mock.calls.map(([step]) => step);
      expect(asked.filter((step) => step > 1)).toEqual([2, 3]);

      // A pause is one, even for the step under way.
      await vi.advanceTimersByTimeAsync(200);
      const went = p.go(0);
      await vi.advanceTimersByTimeAsync(200);
      await went;
      p.toggle();
      await vi.advanceTimersByTimeAsync(20);
      p.pause();
      await vi.advanceTimersByTimeAsync(2_000);
      expect([p.at, p.playing]).toEqual([0, false]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("of many wishes the last one counts", async () => {
    const { player: p, replay } = player();
    const answers: ((place: ReplayPlace) => void)[] = [];
    replay.goTo.mockImplementation((step) => new Promise((resolve) => answers.push(() => resolve({ at: step, mono: 0 } as ReplayPlace))));
    const first = p.go(1);
    const second = p.go(2);
    answers[1]?.({} as ReplayPlace);
    answers[0]?.({} as ReplayPlace);
    await Promise.all([first, second]);
    expect(p.at).toBe(2);
  });

  test("a failure is told and stops it", async () => {
    const { player: p, replay } = player();
    replay.goTo.mockRejectedValue(new Error("gone"));
    await p.go(1);
    expect([p.failure?.message, p.playing]).toEqual(["gone", false]);
  });

  test("waits as long as it was, shortened and never too short to be seen", () => {
    expect([waitFor(0, 500, "1"), waitFor(0, 500, "10"), waitFor(0, 60_000, "1"), waitFor(0, 1, "10"), waitFor(0, 9_000, "max")]).toEqual([500, 50, 2_000, 40, 0]);
  });
});
