import { describe, expect, it, vi } from "vitest";
import { i18n } from "../src/i18n";
import type { AppEvent, Entry, Error, Event, Update, What } from "../src/muster/types";
import { Log } from "../src/state/log";
import { fileParts, play, readFile, redaction, type SessionFile, type Source } from "../src/state/recording";
import { MOST_ENTRIES, fenced, md, reportText } from "../src/state/report";
import { Timeline } from "../src/state/timeline";

vi.stubGlobal("document", { documentElement: { lang: "" } });
vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });

const TOKEN = "0123456789ABCDEF0123456789ABCDEF";
const plan = {
  platform: "alibaba" as const,
  world: "real" as const,
  storage: "memory" as const,
  settings: { broker: "wss://user:pw@h.example:443/mqtt?token=x", product_key: "a1muster001", device_name: "example1", product_secret: "SECRET", mac: "112233445566" },
};
const NOW = new Date("2026-01-02T03:04:05Z");

/** A life with a step, packets, an answer, a failure, and the owner's app beside it. */
function session(): { log: Log; source: Source } {
  const log = new Log();
  const device = new Timeline("device", log);
  const app = new Timeline("app", log);
  let seq = 0;
  const entry = (what: What, at = 10 * seq): Entry => ({ seq: ++seq, at, unix: 1_000 + at, ...what }) as Entry;
  device.begin();
  device.note("started", 1_000);
  device.push(entry({ kind: "event", event: { event: "step", step: "login" } }));
  device.push(entry({ kind: "mqtt", direction: "up", packet: { type: "CONNECT", size: 9, masked: 1, client_id: "a1muster001.example1|securemode=3|", username: "example1&a1muster001", password: "****" } }));
  device.push(entry({ kind: "mqtt", direction: "down", packet: { type: "CONNACK", size: 4, masked: 0, return_code: 0, of: 2, latency: 7 } }));
  device.push(entry({ kind: "event", event: { event: "ready" } }));
  device.push(entry({ kind: "event", event: { event: "bind_token", token: TOKEN, for_ms: 60_000 } }));
  app.begin();
  app.note("token_handed_over", 1_040, TOKEN);
  app.push(entry({ kind: "app_event", event: { event: "step", step: "bind" } }));
  app.push(entry({ kind: "http", direction: "up", message: { method: "POST", url: "https://h/awss?x-ca-request-id=1", headers: [["X-Ca-Key", "k"]], size: 2, masked: 1, payload: { size: 2, text: `{"token":"${TOKEN}"}`, json: true }, string_to_sign: "POST" } }));
  device.push(entry({ kind: "mqtt", direction: "down", packet: { type: "PUBLISH", size: 9, masked: 0, topic: "/ota/device/upgrade/a1muster001/example1", payload: { size: 9, text: '{"url":"https://oss/x.bin?Signature=abc\\u0026b=1"}', json: true } } }));
  device.push(entry({ kind: "event", event: { event: "stopped", error: { blame: "rejected", by: { how: "connack", code: 5 } }, advice: "check_device" } }));
  device.note("stopped", 2_000);
  return { log, source: { plan, rows: log.rows, lives: [{ side: "device", life: 1, begun: 1_000, replay: null }] } };
}

function written({ source }: { source: Source }, names = false): string {
  return [...fileParts(source, NOW, redaction(plan, source.rows, [], names))].join("");
}

function read(text: string): SessionFile {
  const file = readFile(text);
  if ("why" in file) throw new Error(file.why);
  return file;
}

describe("a session as a file", () => {
  it("is opened as it was, phases and all", () => {
    const before = session();
    const log = new Log();
    play(read(written(before)), log);
    const told = (of: Log) => of.rows.map((row) => [row.type, row.side, row.key, row.type === "phase" ? [row.phase, row.state, row.until, row.slowest] : row.type === "note" ? row.note : row.entry.kind]);
    expect(told(log)).toEqual(told(before.log));
    expect(log.find("device:1:3")?.entry).toEqual(before.log.find("device:1:3")?.entry);
  });

  it("says who it was, without a secret, and has a place for what a replay needs", () => {
    const text = written(session());
    expect(text).not.toMatch(/SECRET|user:pw|token=x|Signature=abc|x-ca-request-id/);
    expect(text).not.toContain(TOKEN);
    const file = read(text);
    expect(file).toMatchObject({ exported: "2026-01-02T03:04:05.000Z", device: { platform: "alibaba", settings: { device_name: "example1" } }, lives: [{ side: "device", life: 1, begun: 1_000, replay: null }] });
    expect(file.device.missing).toContain("product_secret");
  });

  it("names no device and no product if that is asked for, glued to other words or not", () => {
    const text = written(session(), true);
    expect(text).not.toMatch(/example1|a1muster001|112233445566/);
    expect(text).toContain("product-1.device-1|securemode=3|");
    expect(text).toContain("/ota/device/upgrade/product-1/device-1");
    expect(read(text).rows).toHaveLength(12);
  });

  it("replaces a short name only where it stands alone", () => {
    const cover = redaction({ ...plan, settings: { product_key: "a1x", device_name: "d1" } }, [], ["iot-7"], true);
    expect(cover("d1 and d12, /a1x/d1")).toBe("device-1 and d12, /product-1/device-1");
    expect(cover("iot-7")).toBe("device-2");
  });
});

describe("a file that is none", () => {
  const good = () => JSON.parse(written(session())) as { version: number; format: string; rows: Record<string, unknown>[]; device: unknown };
  const told = (change: (file: ReturnType<typeof good>) => void) => {
    const file = good();
    change(file);
    return readFile(JSON.stringify(file));
  };

  it("is refused with a reason", () => {
    expect(readFile("{")).toEqual({ why: "not_json" });
    for (const text of ["null", "[]", "7", "{}", '{"format":"muster-session"}', '{"format":"muster-session","version":1}']) expect(readFile(text), text).toEqual({ why: "not_session" });
    expect(told((file) => (file.version = 2))).toEqual({ why: "newer", version: 2 });
    expect(told((file) => (file.device = { platform: "other" }))).toEqual({ why: "not_session" });
  });

  it("names the entry that cannot be read", () => {
    const wrong: ((row: Record<string, unknown>) => void)[] = [
      (row) => (row["kind"] = "other"),
      (row) => (row["side"] = "cloud"),
      (row) => (row["seq"] = "1"),
      (row) => (row["packet"] = { type: "CONNECT" }),
      (row) => (row["direction"] = "sideways"),
      (row) => delete row["unix"],
    ];
    for (const change of wrong) expect(told((file) => change(file.rows[2] ?? {})), String(change)).toEqual({ why: "wrong_entry", number: 3 });
    expect(told((file) => (file.rows[1] = null as never))).toEqual({ why: "wrong_entry", number: 2 });
  });
});

describe("the events of a file", () => {
  type E = Event;
  const error: Error[] = [
    { blame: "codec", error: "too_deep" },
    { blame: "codec", error: { missing: "id" } },
    { blame: "peer_misbehaved", how: "wrong_identity" },
    { blame: "rejected", by: { how: "suback", topic: "t" } },
    { blame: "rejected", by: { how: "http", status: 500, message: "" } },
    { blame: "network", failure: { status: 404 } },
    { blame: "no_reply", step: "login" },
    { blame: "local", failure: { missing_setting: "imei" } },
  ];
  // As keys, so that a new variant of Rust's is missed by the compiler.
  const events: Record<E["event"], E> = {
    step: { event: "step", step: "confirm_secret" },
    registered: { event: "registered", identity: { platform: "cmcc", product: "p", device: "d" } },
    ready: { event: "ready" },
    heartbeat: { event: "heartbeat", next: null, next_unix: 7, why: "limit" },
    scheduled: { event: "scheduled", next: 7, next_unix: null, why: "first_use_of_day" },
    update: { event: "update", update: { phase: "offered", from: "1", to: "2", size: null } },
    retrying: { event: "retrying", error: error[0]!, failures: 1, in_ms: 2 },
    stopped: { event: "stopped", error: error[0]!, advice: "ask_vendor" },
    warning: { event: "warning", warning: { kind: "ignored", error: error[0]! } },
    properties_set: { event: "properties_set", json: "{}" },
    properties_posted: { event: "properties_posted" },
    bind_token: { event: "bind_token", token: TOKEN, for_ms: 1 },
    permit: { event: "permit", seconds: 1, product: null },
    topology: { event: "topology", status: 0, devices: ["a"] },
  };
  const device = { product_key: "p", device_name: "d" };
  const calls: Record<AppEvent["event"], AppEvent> = {
    step: { event: "step", step: "cipher" },
    discovered: { event: "discovered", devices: [device] },
    filtered: { event: "filtered", devices: [{ device, product_name: null, net_type: null, node_type: null, category_key: null, category_name: null, category_id: null }] },
    chosen: { event: "chosen", device },
    key_ready: { event: "key_ready", device },
    waiting: { event: "waiting", for_ms: 1 },
    token_known: { event: "token_known", iot_id: "i" },
    bound: { event: "bound", device, iot_id: "i" },
    failed: { event: "failed", step: "bind", failure: { why: "parameter", error: { parameter: "a", problem: "is missing" } } },
    cancelled: { event: "cancelled" },
    retrying: { event: "retrying", call: "bind", error: error[0]!, failures: 1, in_ms: 2 } as unknown as AppEvent,
  };
  const updates: Record<Update["phase"], Update> = {
    offered: { phase: "offered", from: "1", to: "2", size: 3 },
    downloading: { phase: "downloading", received: 1, total: null },
    verified: { phase: "verified", digest: true },
    installed: { phase: "installed", from: "1", to: "2" },
    reported: { phase: "reported", version: "2" },
    failed: { phase: "failed", reason: { download: { status: 500 } } },
    cancelled: { phase: "cancelled" },
  };
  const line = (side: "device" | "app", what: object) => ({ side, life: 1, seq: 1, at: 0, unix: 1, ...what });
  const opened = (...rows: object[]) => readFile(JSON.stringify({ ...JSON.parse(written(session())), rows }));
  const shown = (side: "device" | "app", kind: "event" | "app_event", event: object) => opened(line(side, { kind, event }));

  it("are taken as the core tells them, each of them", () => {
    for (const event of [...Object.values(events), ...Object.values(updates).map((update) => ({ event: "update", update })), ...error.map((one) => ({ event: "stopped", error: one, advice: "check_device" }))]) expect(shown("device", "event", event), JSON.stringify(event)).not.toHaveProperty("why");
    for (const event of Object.values(calls)) expect(shown("app", "app_event", event), JSON.stringify(event)).not.toHaveProperty("why");
  });

  it("are refused by their number if the page could not show them", () => {
    const bad: object[] = [
      { event: "update" },
      { event: "update", update: { phase: "exploded" } },
      { event: "retrying" },
      { event: "retrying", error: { blame: "rejected" }, failures: 1, in_ms: 1 },
      { event: "step", step: "dance" },
      { event: "topology", status: 1, devices: "all" },
      { event: "warning" },
      { event: "invented" },
    ];
    for (const event of bad) expect(shown("device", "event", event), JSON.stringify(event)).toEqual({ why: "wrong_entry", number: 1 });
    for (const event of [{ event: "chosen" }, { event: "failed", step: "bind" }, { event: "step", step: "login" }]) expect(shown("app", "app_event", event), JSON.stringify(event)).toEqual({ why: "wrong_entry", number: 1 });
    expect(opened(line("device", { kind: "link", what: "lost", url: "ws://x" }))).toEqual({ why: "wrong_entry", number: 1 });
    expect(opened(line("device", { kind: "link", what: "closed", url: "ws://x", trouble: { reason: "ghosts", url: "ws://x" } }))).toEqual({ why: "wrong_entry", number: 1 });
    expect(opened(line("device", { kind: "fault", rule: "r", done: { fault: "delay" } }))).toEqual({ why: "wrong_entry", number: 1 });
    expect(opened(line("device", { kind: "fault", rule: "r", done: { fault: "delay", ms: 5 } }))).not.toHaveProperty("why");
  });
});

describe("a report", () => {
  const report = (names = false, source = session()) =>
    reportText({ ...source.source, phases: source.log.phases, state: "Off", names: { product: "a1muster001", device: "example1" }, address: "wss://h", browser: "Chromium | 1" }, NOW, !names, redaction(plan, source.log.rows, [], names));

  it("tells what the device is, what went wrong, and what happened", () => {
    const text = report();
    expect(text).toContain("# Muster session: Alibaba example1");
    expect(text).toMatch(/## What went wrong\n\n- 0\.\d+ 00:00:01\.\d+Z Stopped/);
    expect(text).toContain("| Chromium \\| 1 |");
    expect(text).toContain("CONNACK accepted | 4 | 7.0 ms |");
    expect(text).not.toMatch(/SECRET|user:pw|Signature=abc/);
    expect(text).not.toContain(TOKEN);
  });

  it("is in the language of the page", () => {
    i18n.set("zh");
    expect(report()).toContain("## 问题");
    i18n.set("en");
  });

  it("names nobody if that is asked for, in markup too", () => {
    expect(report(true)).not.toMatch(/example1|a1muster001/);
    expect(report(true)).toContain("Alibaba device-1");
  });

  it("is short enough for a ticket, and says so", () => {
    const made = session();
    const timeline = new Timeline("device", made.log);
    for (let seq = 0; seq < 2 * MOST_ENTRIES; seq += 1) timeline.push({ seq: 100 + seq, at: seq, unix: 3_000 + seq, kind: "link", what: "open", url: "wss://h" });
    const text = report(false, made);
    expect(text).toMatch(/\d+ earlier entries are left out/);
    expect(text.split("\n").filter((line) => line.includes("connection open"))).toHaveLength(MOST_ENTRIES);
  });

  it("lets no text become markup", () => {
    expect(md("a|b `c` *d* <e>\nf")).toBe("a\\|b \\`c\\` \\*d\\* \\<e\\> f");
    expect(fenced("a\n````\nb").split("\n")).toEqual(["`````", "a", "````", "b", "`````"]);
  });
});
