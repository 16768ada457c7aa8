import { describe, expect, test } from "vitest";
import type { FleetRow, FleetStatus } from "../src/muster/types";
import { numbered, parseCommon } from "../src/state/fleet";
import { credentialsCsv, englishError, fleetCommand, resultsCsv, resultsJson, summary } from "../src/state/fleet-results";
import { Series, judge, lines, nice } from "../src/state/fleet-series";

const none = { count: 0, p50: 0, p95: 0, p99: 0, max: 0 };
const nothing = { all: none, recent: none };
const COUNTS = { waiting: 0, registering: 0, login: 0, online: 0, retrying: 0, rejected: 0, failed: 0, off: 0, beyond: 0, taken: 0 };

function status(change: Partial<Omit<FleetStatus, "counts">> & { counts?: Partial<FleetStatus["counts"]> } = {}): FleetStatus {
  const { counts, ...rest } = change;
  return {
    unix: 0,
    at: 1000,
    phase: "running",
    devices: 10,
    readied: 0,
    registered: 0,
    readied_at: 0,
    reports: 0,
    reports_late: 0,
    lost: 0,
    retry_in: null,
    sockets: { used: 0, pending: 0, waiting: 0, most: 255 },
    requests: { used: 0, pending: 0, waiting: 0, most: 6 },
    latency: { connect: nothing, register: nothing, login: nothing, report: nothing },
    causes: [],
    other_causes: 0,
    memory: 0,
    counts: { ...COUNTS, ...counts },
    ...rest,
  };
}

const row = (change: Partial<FleetRow>): FleetRow => ({ n: 0, name: "d1", line: 2, state: "online", registered: "now", since: 0, retry_at: null, error: null, trouble: null, advice: null, reports: 3, ...change });

describe("a test that ends", () => {
  const online = { kind: "online", minutes: 0 } as const;

  test("passes when all that fit are online, and not before", () => {
    expect(judge(online, status({ counts: { online: 7, login: 1, beyond: 2 } }))).toBeNull();
    expect(judge(online, status({ counts: { online: 8, beyond: 1, taken: 1 }, readied_at: 2345 }))).toEqual({ passed: true, what: "all_online", online: 8, of: 8, lost: 0, seconds: 2.3 });
  });

  test("does not pass when nobody tries any more, or when it takes too long", () => {
    expect(judge(online, status({ counts: { online: 9, rejected: 1 } }))?.what).toBe("gave_up");
    expect(judge(online, status({ counts: { online: 9, retrying: 1 }, at: 600_000 }))).toBeNull();
    expect(judge({ kind: "online", minutes: 2 }, status({ counts: { online: 9, retrying: 1 }, at: 120_000 }))?.what).toBe("too_late");
  });

  test("holds for a time only if none was lost on the way", () => {
    const goal = { kind: "for", minutes: 10 } as const;
    expect(judge(goal, status({ counts: { online: 10 }, at: 599_999 }))).toBeNull();
    expect(judge(goal, status({ counts: { online: 10 }, at: 600_000 }))?.passed).toBe(true);
    expect(judge(goal, status({ counts: { online: 10 }, at: 600_000, lost: 1 }))).toMatchObject({ passed: false, what: "lost", lost: 1 });
    expect(judge(goal, status({ counts: { online: 9 }, at: 600_000 }))).toMatchObject({ passed: false, what: "not_all" });
  });

  test("has no verdict without an end, or after it was stopped", () => {
    expect(judge({ kind: "none" }, status({ counts: { online: 10 } }))).toBeNull();
    expect(judge(online, status({ phase: "idle", counts: { off: 10 } }))).toBeNull();
  });
});

describe("the course of a run", () => {
  test("has rates, and gaps where nothing was measured", () => {
    const series = new Series();
    const recent = { count: 4, p50: 1, p95: 2, p99: 3, max: 4 };
    series.add(status({ at: 500, readied: 40, latency: { connect: nothing, register: { all: recent, recent }, login: nothing, report: nothing } }));
    series.add(status({ at: 1000, readied: 100 }));
    expect(series.samples.map(({ rate }) => rate)).toEqual([80, 120]);
    expect(series.samples.map(({ latency }) => latency.register)).toEqual([[1, 2, 3], null]);
  });

  test("is thinned out as it gets long, without hiding what was slow", () => {
    const series = new Series();
    const slow = { count: 1, p50: 5000, p95: 5000, p99: 5000, max: 5000 };
    for (let n = 1; n <= 5000; n += 1) {
      const recent = n === 3333 ? slow : { count: 1, p50: 10, p95: 10, p99: 10, max: 10 };
      series.add(status({ at: n * 500, readied: n, latency: { connect: nothing, register: nothing, login: { all: recent, recent }, report: nothing } }));
    }
    expect(series.samples.length).toBeLessThanOrEqual(600);
    expect(series.samples.length).toBeGreaterThan(250);
    expect(Math.max(...series.samples.map(({ latency }) => latency.login?.[0] ?? 0))).toBe(5000);
    // Each device is counted once, whatever is left out.
    expect(series.samples.at(-1)?.rate).toBeCloseTo(2);
  });

  test("begins anew with another run", () => {
    const series = new Series();
    series.add(status({ at: 9000, readied: 100 }));
    series.add(status({ at: 500, readied: 5 }));
    expect(series.samples).toHaveLength(1);
    expect(series.samples[0]?.rate).toBe(10);
  });

  test("is drawn with gaps, below a round top", () => {
    expect([0, 0.3, 7, 10, 101, 2400].map(nice)).toEqual([1, 0.5, 10, 10, 200, 2500]);
    expect(lines([[0, 0], [50, 5], [75, null], [100, 10]], 600, 120, 10, 100)).toEqual(["0,120 300,60", "600,0"]);
  });
});

describe("what goes out", () => {
  const rejected = { blame: "rejected", by: { how: "code", code: "460", message: 'not, "known"' } } as const;

  test("results have the columns and words of muster fleet", () => {
    const rows = [
      row({}),
      row({ name: "d2", state: "rejected", registered: "", error: rejected, advice: "import_device" }),
      row({ name: "d3", state: "retrying", registered: "before", error: { blame: "network", failure: "unreachable" }, trouble: "not_websocket" }),
      row({ name: "d4", state: "beyond", registered: "" }),
      row({ name: "d5", state: "off", registered: "" }),
      row({ name: "d6", state: "off" }),
    ];
    expect(resultsCsv(rows, "alibaba").split("\n")).toEqual([
      "device,state,registered,why,next",
      "d1,ready,now,,",
      'd2,failed,,"alibaba said no: code 460, not, ""known""","have the cloud\'s operator import this device or open dynamic registration (local clouds: muster cloud), then try again"',
      'd3,retrying,before,"no connection: nobody listens there, or the network is down (something answers there, and not as an MQTT WebSocket)",',
      "d4,beyond,,,",
      "d5,waiting,,,",
      "d6,done,now,,",
      "",
    ]);
  });

  test("what a cloud says cannot steer a terminal, or the ticket's markup", () => {
    const error = { blame: "rejected", by: { how: "http", status: 503, message: "a\u001b[31m|b`" } } as const;
    expect(resultsCsv([row({ error })], "cmcc")).toContain("503: a\ufffd[31m|b`");
    const cause = { error, trouble: null, advice: null, devices: 2, times: 5, example: "d*1", first: 0, last: 0 };
    const text = summary({ platform: "cmcc", world: "local clouds", status: status({ causes: [cause] }), verdict: "", now: new Date(0), browser: "x" });
    expect(text).toContain("- 5 × cmcc answered with HTTP status 503: a\ufffd\\[31m\\|b\\`; 2 devices now; such as d\\*1; next: it tries again by itself");
  });

  test("the JSON says the same of each device, and how the run went", () => {
    const facts = { platform: "ucloud", world: "clouds in the tab", status: status({ at: 12_345, readied: 9 }), verdict: "passed", now: new Date(0), browser: "x" } as const;
    const json = JSON.parse(resultsJson([row({})], facts)) as Record<string, unknown>;
    expect(json).toMatchObject({ format: "muster-fleet-results", version: 1, seconds: 12.3, ready: 9, devices: [{ device: "d1", state: "ready", registered: "now", why: "", next: "", reports: 3 }] });
  });

  test("every error has its English words", () => {
    expect(englishError({ blame: "no_reply", step: "request_secret" }, "krtyun")).toBe("no answer in time, while asking the cloud for this device's secret");
    expect(englishError({ blame: "codec", error: { missing: "x" } }, "krtyun")).toBe("the cloud's answer cannot be read: `x` is missing");
    expect(englishError({ blame: "rejected", by: { how: "connack", code: 5 } }, "ucloud")).toBe("ucloud refused the login: not authorized (CONNACK 5)");
  });

  test("the list of credentials is one that a fleet takes; tokens are none", () => {
    const { text, devices, without } = credentialsCsv(
      [
        [0, '{"product_sn":"p","device_sn":"a","device_secret":"s,1","supersedes":"x"}'],
        [1, '{"product_sn":"p","device_sn":"b","device_secret":"s2"}'],
        [2, '{"product_key":"p","device_name":"c","client_id":"i","device_token":"t"}'],
        [3, "no json"],
      ],
      "ucloud",
    );
    expect(text).toBe('product_sn,device_sn,device_secret\np,a,"s,1"\np,b,s2\n');
    expect([devices, without]).toEqual([2, 2]);
  });

  test("the command line for the rest has no secret in it", () => {
    const of = { platform: "ucloud", file: "fleet-rest.csv", settings: { broker: "wss://x.example/mqtt?a=b c", product_secret: "hunter22" }, isSecret: (key: string) => key === "product_secret", local: false, origin: "http://127.0.0.1:7878", until: true } as const;
    expect(fleetCommand(of)).toEqual({
      command: "muster fleet --platform ucloud --devices fleet-rest.csv --config common.toml --set 'broker=wss://x.example/mqtt?a=b c' --until ready --results results.csv",
      secrets: ["product_secret"],
      line: false,
    });
    const local = fleetCommand({ ...of, settings: {}, local: true, origin: "http://127.0.0.1:40001", until: false });
    expect(local).toEqual({ command: "muster fleet --platform ucloud --devices fleet-rest.csv --local up.json --results results.csv", secrets: [], line: true });
  });
});

test("common settings are read line by line", () => {
  expect(parseCommon('# note\nkeep_alive = 30\nproduct_secret="a=b"\n\n')).toEqual({ settings: { keep_alive: "30", product_secret: "a=b" }, wrong: null });
  expect(parseCommon("a=1\nnonsense\n")).toEqual({ settings: { a: "1" }, wrong: 2 });
});

test("new devices have names of their own", () => {
  expect(numbered("alibaba", "f-", 3)).toEqual({ columns: ["device_name"], rows: [["f-000001"], ["f-000002"], ["f-000003"]], lines: [] });
});
