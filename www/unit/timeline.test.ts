import { describe, expect, it } from "vitest";
import type { Entry, Event, What } from "../src/muster/types";
import { Log } from "../src/state/log";
import { Timeline, freshFacts, freshOwner, percent, reduce, reduceOwner, type DeviceFacts, type PhaseRow } from "../src/state/timeline";

let seq = 0;
const entry = (what: What, at = 0): Entry => ({ seq: ++seq, at, unix: 1_000_000 + at, ...what }) as Entry;
const event = (value: Event, at = 0) => entry({ kind: "event", event: value }, at);
const packet = (type: "CONNECT" | "PINGREQ" | "PUBLISH", at = 0) => entry({ kind: "mqtt", direction: "up", packet: { type, size: 2, masked: 0 } }, at);
const phases = (timeline: Timeline) => timeline.rows.filter((row): row is PhaseRow => row.type === "phase").map((row) => [row.phase, row.state]);
const after = (...events: Entry[]): DeviceFacts => events.reduce(reduce, freshFacts());

describe("a timeline", () => {
  it("puts packets under the phase whose step began before them", () => {
    const timeline = new Timeline("device");
    timeline.begin();
    timeline.push(event({ event: "step", step: "connect_to_register" }));
    timeline.push(packet("CONNECT"));
    timeline.push(event({ event: "step", step: "subscribe_for_secret" }));
    timeline.push(event({ event: "step", step: "request_secret" }));
    timeline.push(packet("PUBLISH"));
    expect(phases(timeline)).toEqual([["register", "done"], ["ask", "now"]]);
    expect(timeline.rows.map((row) => row.type)).toEqual(["phase", "entry", "phase", "entry"]);
  });

  it("marks the phase that a device stopped in, and begins it anew when a person tries again", () => {
    const timeline = new Timeline("device");
    timeline.begin();
    timeline.push(event({ event: "step", step: "login" }));
    timeline.push(event({ event: "stopped", error: { blame: "rejected", by: { how: "connack", code: 5 } }, advice: "check_device" }));
    timeline.push(event({ event: "step", step: "login" }));
    expect(phases(timeline)).toEqual([["login", "failed"], ["login", "now"]]);
  });

  it("shows a retry as such until packets go out again", () => {
    const timeline = new Timeline("device");
    timeline.begin();
    timeline.push(event({ event: "step", step: "login" }));
    timeline.push(event({ event: "retrying", error: { blame: "network", failure: "lost" }, failures: 1, in_ms: 1000 }));
    expect(phases(timeline)).toEqual([["login", "retrying"]]);
    timeline.push(event({ event: "step", step: "login" }));
    timeline.push(packet("CONNECT"));
    expect(phases(timeline)).toEqual([["login", "now"]]);
  });

  it("returns to the quiet time after a periodic report", () => {
    const timeline = new Timeline("device");
    timeline.begin();
    timeline.push(event({ event: "step", step: "login" }));
    timeline.push(event({ event: "ready" }));
    timeline.push(event({ event: "step", step: "report_version" }));
    timeline.push(packet("PUBLISH"));
    timeline.push(event({ event: "heartbeat", next: 1, next_unix: 2, why: "period" }));
    timeline.push(packet("PINGREQ"));
    expect(phases(timeline)).toEqual([["login", "done"], ["online", "done"], ["session", "done"], ["online", "now"]]);
  });

  it("keeps one row for a download that moves on", () => {
    const timeline = new Timeline("device");
    timeline.begin();
    timeline.push(event({ event: "step", step: "download" }));
    for (const received of [1, 2, 3]) timeline.push(event({ event: "update", update: { phase: "downloading", received, total: 3 } }));
    const rows = timeline.rows.filter((row) => row.type === "entry");
    expect(rows).toHaveLength(1);
    expect(rows[0]?.entry).toMatchObject({ event: { update: { received: 3 } } });
  });

  it("lets the oldest entries go, with the phases that held nothing else", () => {
    const timeline = new Timeline("device", new Log(600));
    timeline.begin();
    timeline.push(event({ event: "step", step: "login" }));
    timeline.push(packet("CONNECT"));
    timeline.push(event({ event: "ready" }));
    for (let i = 0; i < 5_000; i++) timeline.push(packet("PINGREQ", i));
    const entries = timeline.rows.filter((row) => row.type === "entry").length;
    expect(entries).toBeLessThanOrEqual(600);
    expect(entries + timeline.log.dropped).toBe(5_002);
    expect(phases(timeline)).toEqual([["online", "now"]]);
  });

  it("tells lives apart, though their numbers begin again", () => {
    const timeline = new Timeline("device");
    timeline.begin();
    timeline.push({ ...packet("CONNECT"), seq: 1 });
    timeline.note("power_cut", 0);
    timeline.begin();
    timeline.push({ ...packet("PUBLISH"), seq: 1 });
    expect(timeline.bySeq(1, 1)?.entry).toMatchObject({ packet: { type: "CONNECT" } });
    expect(timeline.bySeq(2, 1)?.entry).toMatchObject({ packet: { type: "PUBLISH" } });
  });

  it("lays device and app side by side in the order of time, also what is told late", () => {
    const log = new Log();
    const device = new Timeline("device", log);
    const app = new Timeline("app", log);
    device.begin();
    app.begin();
    device.push(packet("CONNECT", 10));
    device.push(packet("PUBLISH", 30));
    const { epoch } = log;
    app.push(entry({ kind: "app_event", event: { event: "step", step: "token" } }, 20));
    app.push(entry({ kind: "app_event", event: { event: "waiting", for_ms: 5 } }, 20));
    expect(log.rows.map((row) => `${row.side} ${row.type}`)).toEqual(["device phase", "device entry", "app phase", "app entry", "device entry"]);
    expect(log.epoch).not.toBe(epoch);
    expect(app.rows.map((row) => row.type)).toEqual(["phase", "entry"]);
  });

  it("tells how long a phase took, once it is over", () => {
    const timeline = new Timeline("device");
    const took = () => timeline.rows.flatMap((row) => (row.type === "phase" ? [row.until === null ? null : row.until - row.at] : []));
    timeline.begin();
    timeline.push(event({ event: "step", step: "login" }, 100));
    timeline.push(packet("CONNECT", 110));
    expect(took()).toEqual([null]);
    timeline.push(event({ event: "ready" }, 130));
    timeline.push(event({ event: "step", step: "report_version" }, 200));
    timeline.push(event({ event: "heartbeat", next: 1, next_unix: 2, why: "period" }, 250));
    expect(took()).toEqual([30, 70, 50]);
  });
});

describe("what is true of a device", () => {
  const step = (name: Parameters<typeof event>[0] & { event: "step" }) => event(name);

  it("goes from registering over login to online", () => {
    expect(after(step({ event: "step", step: "connect_to_register" })).word).toBe("registering");
    expect(after(step({ event: "step", step: "connect_to_register" }), step({ event: "step", step: "login" })).word).toBe("login");
    expect(after(step({ event: "step", step: "login" }), event({ event: "ready" })).word).toBe("online");
  });

  it("is online again after a report", () => {
    const facts = after(event({ event: "ready" }), step({ event: "step", step: "heartbeat" }), event({ event: "heartbeat", next: null, next_unix: 7, why: "limit" }));
    expect(facts).toMatchObject({ word: "online", heartbeat: { nextUnix: 7, why: "limit" } });
  });

  it("keeps the trouble while it retries, and drops it once it is ready", () => {
    const retrying = event({ event: "retrying", error: { blame: "network", failure: "lost" }, failures: 2, in_ms: 500 }, 100);
    const facts = after(retrying, step({ event: "step", step: "login" }));
    expect(facts.trouble).toMatchObject({ failures: 2, advice: null, retryAt: 1_000_600 });
    expect(reduce(facts, event({ event: "ready" })).trouble).toBeNull();
  });

  it("ties the second look at a connection to the failure, whichever comes first", () => {
    const link = entry({ kind: "link", what: "closed", url: "ws://a", trouble: { reason: "cors", url: "ws://a" } });
    const failure = event({ event: "stopped", error: { blame: "network", failure: "unreachable" }, advice: "check_network" });
    expect(after(link, failure).trouble?.link?.reason).toBe("cors");
    expect(after(failure, link).trouble?.link?.reason).toBe("cors");
    const answer = entry({ kind: "http", direction: "down", message: { status: 0, headers: [], size: 0, masked: 0, trouble: { reason: "mixed_content", url: "http://a" } } });
    expect(after(answer, failure).trouble?.link?.reason).toBe("mixed_content");
    const fine = entry({ kind: "http", direction: "down", message: { status: 200, headers: [], size: 0, masked: 0 } });
    expect(after(answer, fine, failure).trouble?.link).toBeNull();
  });

  it("follows an update from its order to its report", () => {
    const update = (value: (Event & { event: "update" })["update"]) => event({ event: "update", update: value });
    const ready = after(event({ event: "ready" }));
    let facts = reduce(ready, update({ phase: "offered", from: "1.0.0", to: "1.0.1", size: 200 }));
    facts = reduce(facts, update({ phase: "downloading", received: 50, total: 200 }));
    expect(facts.word).toBe("updating");
    expect(facts.update === null ? null : percent(facts.update)).toBe(25);
    facts = reduce(facts, step({ event: "step", step: "login" }));
    expect(facts.word).toBe("updating");
    facts = reduce(facts, event({ event: "ready" }));
    facts = reduce(facts, update({ phase: "installed", from: "1.0.0", to: "1.0.1" }));
    facts = reduce(facts, update({ phase: "reported", version: "1.0.1" }));
    expect(facts).toMatchObject({ word: "online", update: { phase: "reported", from: "1.0.0", to: "1.0.1" } });
  });

  it("forgets no version when an update fails", () => {
    const offered = event({ event: "update", update: { phase: "offered", from: "1", to: "2", size: null } });
    const failed = event({ event: "update", update: { phase: "failed", reason: "digest" } });
    expect(after(event({ event: "ready" }), offered, failed)).toMatchObject({ word: "online", update: { phase: "failed", from: "1", to: "2", failure: "digest" } });
  });
});

describe("what is true of a bind", () => {
  it("ends bound, or failed with the reason", () => {
    const app = (value: (What & { kind: "app_event" })["event"]) => entry({ kind: "app_event", event: value }, 5);
    const device = { product_key: "p", device_name: "d" };
    const waiting = [app({ event: "step", step: "token" }), app({ event: "waiting", for_ms: 100 })].reduce(reduceOwner, freshOwner());
    expect(waiting).toMatchObject({ word: "binding", step: "token", waitingUntil: 1_000_105 });
    expect(reduceOwner(waiting, app({ event: "bound", device, iot_id: "i" }))).toMatchObject({ word: "bound", iotId: "i", waitingUntil: null });
    expect(reduceOwner(waiting, app({ event: "failed", step: "token", failure: { why: "no_token" } }))).toMatchObject({ word: "failed", failure: { why: "no_token" } });
  });
});
