import { describe, expect, it } from "vitest";
import type { DeviceView, FirmwareView, LogLine, UpgradeView } from "../src/muster/types";
import { campaigns, causeCode, newestFirst, nextVersion, percentOf } from "../src/state/campaigns";
import { ALL_LINES, CloudLog, MAX_LOG, logFile, wanted } from "../src/state/cloudlog";
import { EVERYTHING, Roster, compareVersions } from "../src/state/roster";
import { readTabFile, writeTabFile } from "../src/state/tabfile";
import { cameWith, isListed, isUsed, preview, readCsv, writeCsv } from "../src/state/whitelist";

const device = (name: string, change: Partial<DeviceView> = {}): DeviceView => ({ name, state: "inactive", secret: null, version: null, last_active: null, more: {}, ...change });
const names = (devices: readonly DeviceView[]) => devices.map(({ name }) => name);

describe("the roster of devices", () => {
  const made = () => {
    const roster = new Roster();
    roster.put([
      device("b", { state: "online", version: "1.10.0", last_active: 30, more: { iotId: "Xy9" } }),
      device("a", { state: "offline", version: "1.9.0", last_active: 10 }),
      device("c"),
      device("d", { state: "disabled", last_active: 20 }),
    ]);
    return roster;
  };

  it("is in the order of names, whatever the order in which devices came", () => {
    expect(names(made().all)).toEqual(["a", "b", "c", "d"]);
  });

  it("sorts by state, by version as versions, and by who was heard of last; both ways", () => {
    const roster = made();
    const sorted = (sort: "state" | "version" | "seen", down = false) => names(roster.shown({ ...EVERYTHING, sort, down }));
    expect(sorted("state")).toEqual(["b", "a", "c", "d"]);
    expect(sorted("version")).toEqual(["c", "d", "a", "b"]);
    expect(sorted("seen")).toEqual(["b", "d", "a", "c"]);
    expect(sorted("seen", true)).toEqual(["c", "a", "d", "b"]);
  });

  it("finds by name, version and whatever else is known, all words together", () => {
    const roster = made();
    const found = (text: string) => names(roster.shown({ ...EVERYTHING, text }));
    expect(found("1.9")).toEqual(["a"]);
    expect(found("xy9 b")).toEqual(["b"]);
    expect(found("xy9 a1")).toEqual([]);
    expect(names(roster.shown({ ...EVERYTHING, state: "disabled" }))).toEqual(["d"]);
  });

  it("counts states, and forgets its counts when a device changes", () => {
    const roster = made();
    expect(roster.counts).toEqual({ online: 1, offline: 1, inactive: 1, disabled: 1 });
    roster.put([device("c", { state: "online" })]);
    roster.remove(["a", "nobody"]);
    expect(roster.counts).toEqual({ online: 2, offline: 0, inactive: 0, disabled: 1 });
    expect(roster.size).toBe(3);
  });

  it("gives the same rows as long as nothing changes, so that nothing is drawn again", () => {
    const roster = made();
    const asked = { ...EVERYTHING, text: "1" };
    const rows = roster.shown(asked);
    expect(roster.shown(asked)).toBe(rows);
    roster.put([device("e")]);
    expect(roster.shown(asked)).not.toBe(rows);
  });

  it("keeps up with 10,000: a change, a count and the rows again in a few milliseconds", () => {
    const roster = new Roster();
    roster.put(Array.from({ length: 10_000 }, (_, i) => device(`device-${String(i).padStart(5, "0")}`)));
    expect(roster.shown({ ...EVERYTHING, text: "99" }).length).toBeGreaterThan(100);
    const begun = performance.now();
    for (let i = 0; i < 10; i += 1) {
      roster.put([device("device-05000", { state: i % 2 === 0 ? "online" : "offline" })]);
      roster.shown({ ...EVERYTHING, sort: "state" });
    }
    // Measured 5 ms; the bound is for a machine that is busy with other things.
    expect((performance.now() - begun) / 10).toBeLessThan(60);
  });

  it("compares versions by their numbers", () => {
    expect(["2.0", "1.10", "1.9", "", "1.9-rc1", "10"].sort(compareVersions)).toEqual(["", "1.9", "1.9-rc1", "1.10", "2.0", "10"]);
  });
});

describe("campaigns", () => {
  const order = (name: string, state: string, detail = "", version = "2.0.0", module: string | null = "default"): UpgradeView => ({ device: name, module, version, state, detail });

  it("are all orders of a module to a version, those under way first, then the newest", () => {
    const all = campaigns([order("a", "succeeded", "", "1.9.0"), order("b", "succeeded", "", "1.10.0"), order("c", "sent", "", "1.8.0"), order("c", "pending", "", "1.10.0", "radio")]);
    expect(all.map(({ version, module, open }) => [version, module, open])).toEqual([["1.10.0", "radio", 1], ["1.8.0", null, 1], ["1.10.0", null, 0], ["1.9.0", null, 0]]);
  });

  it("count every stage, and take the mean of downloads that tell how far they are", () => {
    const [campaign] = campaigns([order("a", "downloading", "20"), order("b", "downloading", "61 %"), order("c", "downloading", ""), order("d", "upgrading", "100"), order("e", "cancelled")]);
    expect(campaign?.counts).toEqual({ pending: 0, sent: 0, downloading: 3, upgrading: 1, succeeded: 0, failed: 0, cancelled: 1 });
    expect([campaign?.open, campaign?.percent]).toEqual([4, 41]);
  });

  it("gather failures by cause, the most frequent first", () => {
    const [campaign] = campaigns([order("a", "failed", "-3: the download took too long"), order("b", "failed", "-4: the MD5 does not match"), order("c", "failed", "-4: the MD5 does not match"), order("d", "failed")]);
    expect(campaign?.causes).toEqual([
      { cause: "-4: the MD5 does not match", devices: ["b", "c"] },
      { cause: "-3: the download took too long", devices: ["a"] },
      { cause: "", devices: ["d"] },
    ]);
  });

  it("read the vendor's number in a cause, where the vendor has numbers", () => {
    expect([causeCode("ucloud", "-4: x"), causeCode("alibaba", "-3 broke"), causeCode("ucloud", "success was reported for version 3"), causeCode("krtyun", "-1")]).toEqual([-4, -3, null, null]);
    expect([percentOf(order("a", "downloading", "250")), percentOf(order("a", "downloading", "-4: x"))]).toEqual([100, null]);
    expect(["1.9", "1.09", "1.099", "20260102030405123456", "v3-rc", "x"].map(nextVersion)).toEqual(["1.10", "1.10", "1.100", "20260102030405123457", "v4-rc", "1.0.1"]);
  });

  it("have no progress when they are over", () => {
    expect([percentOf(order("a", "downloading", "45 %")), percentOf(order("a", "cancelled", "45 %")), percentOf(order("a", "failed", "45"))]).toEqual([45, null, null]);
  });

  it("are offered the newest image, whatever the order in which the cloud lists them", () => {
    const image = (version: string, module: string | null = null): FirmwareView => ({ module, version, url: "", size: 1, md5: "", sha256: "" });
    const sorted = newestFirst([image("1.10.0"), image("1.9.0"), image("7.0", "radio")]).map(({ module, version }) => [module, version]);
    expect(sorted).toEqual([[null, "1.10.0"], [null, "1.9.0"], ["radio", "7.0"]]);
  });
});

describe("a whitelist", () => {
  const nobody = () => false;

  it("is a bare list, or CSV whose first row names the columns in whatever spelling", () => {
    for (const text of ["AABB01\nAABB02\n", "DeviceSN\r\nAABB01\r\nAABB02", "\ufeffdevice_secret,device-sn\ns1,AABB01\n,AABB02\n"]) {
      const { lines, fresh } = preview("ucloud", text, nobody);
      expect(lines.map(({ name }) => name)).toEqual(["AABB01", "AABB02"]);
      expect(fresh).toBe(2);
    }
  });

  it("says of each line what is wrong, with its number as the cloud counts", () => {
    const { lines, known, wrong } = preview("ucloud", 'device_sn,device_secret\nA!BC,\n\nAABB01,"a""b"\nAABB02,good\nAABB02,\n,x\nAABB03,\n', (name) => name === "AABB03");
    expect(lines.map(({ line, wrong: why }) => [line, why?.why ?? null])).toEqual([[2, "shape"], [4, "secret"], [5, null], [6, "twice"], [7, "missing"], [8, null]]);
    expect([known, wrong]).toEqual([1, 4]);
  });

  it("names a column that it does not know, and takes nothing then", () => {
    expect(preview("cmcc", "device_no,colour\n1,red\n", nobody)).toMatchObject({ unknown: "colour", lines: [] });
  });

  it("judges China Mobile's numbers by their type", () => {
    const { lines } = preview("cmcc", "device_no_type,device_no\nCMEI,111234560000011\nCMEI,211234560000011\nIMEI,49015420323751\nSN,with space\nMAC,1\n", nobody);
    expect(lines.map(({ wrong }) => (wrong === null ? null : wrong.why === "shape" ? wrong.rule : wrong.why))).toEqual([null, "CMEI", "IMEI", "SN", "type"]);
  });

  it("has types of its own where the product takes them", () => {
    const text = "device_no,device_no_type\n1234,MAC\n,MAC\n1,a type that is too long\n12,IMEI\n";
    expect(preview("cmcc", text, nobody)).toMatchObject({ fresh: 0, wrong: 4 });
    expect(preview("cmcc", text, nobody, true).lines.map(({ wrong }) => wrong?.why ?? null)).toEqual([null, "missing", "type", "shape"]);
    expect(preview("ucloud", "A!BC\n", nobody, true)).toMatchObject({ wrong: 1 });
  });

  it("is taken back by those that came with it, and by nobody who was there before", () => {
    const { lines } = preview("ucloud", "AABB01\nAABB02\nA!\nAABB03\n", nobody);
    const before = new Set(["AABB02"]);
    expect(cameWith(lines, before, { added: 2, rejected: [] })).toEqual(["AABB01", "AABB03"]);
    expect(cameWith(lines, before, { added: 1, rejected: [{ line: 4, reason: "the product takes no more devices" }] })).toEqual(["AABB01"]);
    // Somebody else was quicker with one of them: nobody knows which.
    expect(cameWith(lines, before, { added: 1, rejected: [] })).toBeNull();
    expect(cameWith(lines, new Set(["AABB01", "AABB02", "AABB03"]), { added: 0, rejected: [] })).toBeNull();
  });

  it("goes out and in again", () => {
    const devices = [device("a,b", { secret: 'x"y' }), device("c", { secret: "z" })];
    const text = writeCsv("krtyun", devices, true);
    expect(text).toBe('device_id,device_secret\n"a,b","x""y"\nc,z\n');
    expect(readCsv(text).map(({ cells }) => cells)).toEqual([["device_id", "device_secret"], ["a,b", 'x"y'], ["c", "z"]]);
    expect(writeCsv("krtyun", devices, false)).not.toContain("z");
    const back = preview("cmcc", writeCsv("cmcc", [device("111234560000011", { more: { device_no_type: "CMEI" } })], false), nobody);
    expect(back).toMatchObject({ fresh: 1, wrong: 0, lines: [{ kind: "CMEI", name: "111234560000011" }] });
  });

  it("knows who made use of its place", () => {
    expect(isUsed("ucloud", device("a", { more: { activated: "false" } }))).toBe(false);
    expect(isUsed("ucloud", device("a", { state: "disabled", more: { activated: "true" } }))).toBe(true);
    expect(isUsed("cmcc", device("a", { more: { secret_info_answers: "0" } }))).toBe(false);
    expect(isUsed("cmcc", device("a", { more: { secret_info_answers: "2" } }))).toBe(true);
    expect(isUsed("krtyun", device("a", { more: { registration: "secret issued, not confirmed" } }))).toBe(true);
    // Who was given its secret was heard of, on whatever platform: tests/alibaba and tests/ucloud.
    expect(isUsed("alibaba", device("a", { last_active: 1 }))).toBe(true);
    expect(isUsed("alibaba", device("a", { state: "disabled", more: { activated: "1700000000000" } }))).toBe(true);
    expect([isListed(device("a", { more: { created: "by its first login" } })), isListed(device("a", { more: { created: "by import" } }))]).toEqual([false, true]);
  });
});

describe("the clouds' log", () => {
  let seq = 0;
  const line = (what: LogLine["what"], subject: string, detail = "", platform: LogLine["platform"] = "ucloud"): LogLine => ({ seq: ++seq, unix: 1_700_000_000_000 + seq, platform, subject, what, detail });

  it("is filtered by platform, by what matters, and by words", () => {
    const lines = [line("accepted", "p/one"), line("refused", "p/two", "wrong secret"), line("operated", "p", "DynamicRegister = false"), line("refused", "q/one", "", "alibaba")];
    const shown = (change: Partial<typeof ALL_LINES>) => lines.filter(wanted({ ...ALL_LINES, ...change })).map(({ subject }) => subject);
    expect(shown({ platform: "ucloud" })).toEqual(["p/one", "p/two", "p"]);
    expect(shown({ level: "problem" })).toEqual(["p/two", "q/one"]);
    expect(shown({ level: "notice" })).toEqual(["p/two", "p", "q/one"]);
    expect(shown({ text: "one -alibaba" })).toEqual(["p/one"]);
    expect(shown({ text: "-" })).toHaveLength(4);
  });

  it("stands still while it is paused, and says what came meanwhile", () => {
    const log = new CloudLog();
    log.push(line("accepted", "p/one"));
    log.pause(true);
    log.push(line("refused", "p/two"));
    expect([log.lines.length, log.waiting, log.paused]).toEqual([1, 1, true]);
    log.pause(false);
    expect([log.lines.length, log.waiting]).toEqual([2, 0]);
    expect(log.of("ucloud", "p/two", 5).map(({ what }) => what)).toEqual(["refused"]);
  });

  it("takes a line once when its source repeats itself, and drops the oldest at last", () => {
    const log = new CloudLog();
    const first = line("accepted", "p/one");
    expect([log.push(first), log.push(first)]).toEqual([true, false]);
    for (let i = 0; i < MAX_LOG * 1.2; i += 1) log.push(line("reported", "p/one"));
    expect(log.dropped).toBeGreaterThan(0);
    expect(log.lines.length).toBeLessThanOrEqual(MAX_LOG * 1.1);
    expect(log.lines.length + log.dropped).toBe(MAX_LOG * 1.2 + 1);
  });

  it("goes into a file one line at a time, with a time that people read", () => {
    const [written] = logFile([{ ...line("refused", "p/two"), unix: 0 }]).split("\n");
    expect(JSON.parse(written ?? "")).toMatchObject({ what: "refused", subject: "p/two", time: "1970-01-01T00:00:00.000Z" });
  });
});

describe("a tab's clouds in a file", () => {
  it("come back byte for byte, large values too", () => {
    const values = new Map([["ucloud/device/p/d", new Uint8Array([0, 255, 128])], ["image/x", Uint8Array.from({ length: 100_000 }, (_, i) => i % 251)]]);
    const read = readTabFile(writeTabFile(values, new Date(0)));
    expect("values" in read && [...read.values].sort()).toEqual([...values].sort());
  });

  it("are refused with a reason when they are something else", () => {
    for (const text of ["", "{", "[]", "{}", '{"format":"muster-session","version":1}', '{"format":"muster-clouds","version":1,"values":{}}', '{"format":"muster-clouds","version":1,"values":{"a":"%"}}', '{"format":"muster-clouds","version":1,"values":{"a":1}}']) {
      expect(readTabFile(text), text).toEqual({ why: "unreadable" });
    }
    expect(readTabFile('{"format":"muster-clouds","version":2,"values":{"a":"AA=="}}')).toEqual({ why: "newer" });
  });
});
