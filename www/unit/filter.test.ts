import { describe, expect, it } from "vitest";
import type { Entry, What } from "../src/muster/types";
import { Filtered, NO_FILTER, conditions, isFiltered, only, type Filter } from "../src/state/filter";
import { Log } from "../src/state/log";
import { matches, parseQuery } from "../src/state/query";
import { Timeline } from "../src/state/timeline";
import { ALL, drawn, reveal } from "../src/state/virtual";

let seq = 0;
const entry = (what: What): Entry => ({ seq: ++seq, at: seq, unix: 1_000 + seq, ...what }) as Entry;
const publish = (topic: string, text = "", latency?: number) =>
  entry({ kind: "mqtt", direction: latency === undefined ? "up" : "down", packet: { type: "PUBLISH", size: 9, masked: 0, topic, payload: { size: text.length, text, json: true }, ...(latency === undefined ? {} : { latency }) } });
const ping = () => entry({ kind: "mqtt", direction: "up", packet: { type: "PINGREQ", size: 2, masked: 0 } });
const refused = () => entry({ kind: "mqtt", direction: "down", packet: { type: "CONNACK", size: 4, masked: 0, return_code: 5 } });

describe("a search", () => {
  const has = (text: string, value: Entry, label = "") => matches(value, parseQuery(text), () => label);
  const message = publish("/ota/upstream", '{"Version":"1.0.1","note":"two words"}');

  it("wants every word, in whatever case and place", () => {
    expect(has("OTA version", message)).toBe(true);
    expect(has("ota missing", message)).toBe(false);
    expect(has("", message)).toBe(true);
  });

  it("takes a phrase as one, and a minus as without", () => {
    expect(has('"two words"', message)).toBe(true);
    expect(has('"words two"', message)).toBe(false);
    expect(has("ota -missing", message)).toBe(true);
    expect(has("ota -version", message)).toBe(false);
  });

  it("looks in one place if told so", () => {
    expect(has("topic:version", message)).toBe(false);
    expect(has("payload:version", message)).toBe(true);
    expect(has("type:publish topic:ota", message)).toBe(true);
    expect(has("type:connect", message)).toBe(false);
  });

  it("compares how long an answer took", () => {
    expect(has("latency>100", publish("/a", "", 150))).toBe(true);
    expect(has("latency<100", publish("/a", "", 150))).toBe(false);
    expect(has("latency>100", message)).toBe(false);
    expect(has("-latency>100", message)).toBe(true);
  });

  it("finds what the page shows, and takes signs as they are", () => {
    expect(has("注册", entry({ kind: "event", event: { event: "ready" } }), "已注册")).toBe(true);
    expect(has("1.0.1", publish("/a", "1x0x1"))).toBe(false);
    expect(has("[(*", publish("/a", "[(*"))).toBe(true);
  });

  it("hides nothing for what is half typed", () => {
    for (const text of ["-", "topic:", '"', "type:", "-topic:", "latency>"]) expect(has(text, message), text).toBe(true);
  });
});

describe("a filter", () => {
  const log = () => {
    const made = new Log();
    const timeline = new Timeline("device", made);
    timeline.begin();
    timeline.note("started", 1);
    timeline.push(entry({ kind: "event", event: { event: "step", step: "login" } }));
    timeline.push(refused());
    timeline.push(ping());
    timeline.push(entry({ kind: "event", event: { event: "step", step: "subscribe" } }));
    timeline.push(publish("/ota"));
    return { made, timeline };
  };
  const shown = (rows: readonly { type: string }[]) => rows.map((row) => row.type).join(" ");
  const filtered = (filter: Partial<Filter>, of = log().made) => {
    const list = new Filtered(() => "");
    list.feed(of.rows, of.epoch, { ...NO_FILTER, ...filter });
    expect(list.advance(Infinity)).toBe(false);
    return list;
  };

  it("shows everything if nothing is asked for", () => {
    const { made } = log();
    expect(filtered({}, made).rows).toBe(made.rows);
  });

  it("shows what is left under its phases, and a phase without anything not at all", () => {
    expect(shown(filtered({ without: ["ping"] }).rows)).toBe("note phase entry phase entry");
    expect(shown(filtered({ text: "ota" }).rows)).toBe("phase entry");
    expect(shown(filtered({ problems: true }).rows)).toBe("phase entry");
    expect(shown(filtered({ direction: "down" }).rows)).toBe("note phase entry");
    expect(shown(filtered({ side: "app" }).rows)).toBe("");
    expect(filtered({ without: ["ping"] }).shown).toBe(2);
  });

  it("goes on with what comes, and starts anew when rows went", () => {
    const { made, timeline } = log();
    const list = new Filtered(() => "");
    const filter = { ...NO_FILTER, text: "ota" };
    const look = () => {
      list.feed(made.rows, made.epoch, filter);
      list.advance(Infinity);
      return list.shown;
    };
    expect(look()).toBe(1);
    timeline.push(publish("/ota/2"));
    timeline.push(ping());
    expect(look()).toBe(2);
    made.epoch += 1;
    expect(look()).toBe(2);
  });

  it("shows the last result until the next one is whole, and never works longer than it may", () => {
    const made = new Log();
    const timeline = new Timeline("device", made);
    timeline.begin();
    for (let i = 0; i < 2_000; i += 1) timeline.push(publish(i % 2 === 0 ? "/even" : "/odd"));
    const list = new Filtered(() => "");
    list.feed(made.rows, made.epoch, { ...NO_FILTER, text: "even" });
    list.advance(Infinity);
    expect(list.shown).toBe(1_000);
    let time = 0;
    // A clock on which each look costs a millisecond.
    const clock = () => (time += 1);
    list.feed(made.rows, made.epoch, { ...NO_FILTER, text: "odd" });
    let frames = 1;
    for (; list.advance(2, clock); frames += 1) {
      expect(list.searching).toBe(true);
      expect(list.shown).toBe(1_000);
      expect((list.rows[1] as { entry: { packet: { topic: string } } }).entry.packet.topic).toBe("/even");
    }
    expect(frames).toBeGreaterThan(2);
    expect((list.rows[1] as { entry: { packet: { topic: string } } }).entry.packet.topic).toBe("/odd");
  });

  it("counts its conditions, and shows one group alone or all again", () => {
    expect(isFiltered({ ...NO_FILTER, text: "  " })).toBe(false);
    expect(conditions({ ...NO_FILTER, problems: true, direction: "up", without: ["ping"] })).toBe(3);
    const alone = only(NO_FILTER, "http");
    expect(alone).not.toContain("http");
    expect(alone).toHaveLength(6);
    expect(only({ ...NO_FILTER, without: alone }, "http")).toEqual([]);
  });
});

describe("the log", () => {
  it("keeps the newest, by number and by size, and forgets what is dropped", () => {
    const log = new Log(100, 40_000);
    const timeline = new Timeline("device", log);
    timeline.begin();
    for (let i = 0; i < 300; i += 1) timeline.push({ ...ping(), seq: i });
    expect(log.entries).toBeLessThanOrEqual(100);
    expect(log.entries + log.dropped).toBe(300);
    expect(log.added).toBe(300);
    expect(log.find("device:1:0")).toBeUndefined();
    expect(log.find("device:1:299")?.entry.seq).toBe(299);
    expect(log.rows.filter((row) => row.type === "entry")).toHaveLength(log.entries);
    timeline.push({ ...publish("/a", "x".repeat(39_000)), seq: 300 });
    expect(log.entries).toBeLessThan(10);
    expect(log.find("device:1:300")).toBeDefined();
  });
});

describe("what is drawn of a list", () => {
  it("is everything while that is little", () => {
    expect(drawn(0, 32, 0, 600)).toEqual({ from: 0, to: 0 });
    expect(drawn(ALL, 32, 3_000, 600)).toEqual({ from: 0, to: ALL });
  });

  it("is what is seen and a little more, at either end too", () => {
    const begin = drawn(100_000, 32, 0, 640);
    const middle = drawn(100_000, 32, 1_600_000, 640);
    const end = drawn(100_000, 32, 99_999_999, 640);
    expect(begin.from).toBe(0);
    expect(middle.from).toBeLessThan(50_000);
    expect(middle.to).toBeGreaterThan(50_020);
    expect(end.to).toBe(100_000);
    for (const { from, to } of [begin, middle, end]) {
      expect(to - from).toBeGreaterThan(20);
      expect(to - from).toBeLessThan(60);
    }
  });

  it("scrolls as little as it must to show a row", () => {
    expect(reveal(10, 32, 300, 640)).toBeNull();
    expect(reveal(5, 32, 300, 640)).toBe(160);
    expect(reveal(40, 32, 300, 640)).toBe(41 * 32 - 640);
  });
});
