// Who gave up tries again in his turn, and a request whose device has lost patience is not sent any more. The module's
// clock runs ten times as fast as this machine's.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";

const FASTER = 10;
const { setTimeout: later } = globalThis;
const now = performance.now.bind(performance);
performance.now = () => now() * FASTER;
globalThis.setTimeout = (call, ms = 0, ...rest) => later(call, ms / FASTER, ...rest);
const { Clouds, Fleet, online, rows, until } = await import("./support/inside.js");

const names = (count) => Array.from({ length: count }, (_, at) => `turn-${at + 1}`);
const NAMES = ["patience-a", "patience-b", "patience-c", "patience-d", "patience-e", "patience-f"];

test("those that gave up try again as many at once, and as many a second, as may start", async () => {
  const clouds = await Clouds.start();
  const fleet = clouds.fleet("ucloud", names(60), { bounds: { at_once: 1000 } });
  fleet.run();
  await until(() => fleet.status().counts.rejected === 60, "all rejected");
  await clouds.import("ucloud", names(60));
  fleet.set({ at_once: 4, rate: 20 });
  fleet.tryAgain();
  const begun = performance.now();
  assert.equal(fleet.status().counts.waiting, 60);
  let most = 0;
  await until(() => {
    const { counts, at } = fleet.status();
    most = Math.max(most, counts.registering + counts.login);
    const started = 60 - counts.waiting;
    const allowed = ((performance.now() - begun) / 1000) * 20 + 2;
    assert.ok(started <= allowed, `${started} have started ${at} ms after the run began, and ${allowed} may have`);
    return counts.online === 60;
  }, "all online", 60 * FASTER);
  assert.ok(most <= 4, `${most} at once`);
  assert.ok(most > 0);
  await fleet.stop();
});

test("those that gave up wait through a pause", async () => {
  const clouds = await Clouds.start();
  const fleet = clouds.fleet("ucloud", names(3), { bounds: {} });
  fleet.run();
  await until(() => fleet.status().counts.rejected === 3, "all rejected");
  await clouds.import("ucloud", names(3));
  fleet.pause();
  fleet.tryAgain();
  await new Promise((resolve) => later(resolve, 100));
  assert.equal(fleet.status().counts.waiting, 3);
  fleet.run();
  await online(fleet, 3);
  await fleet.stop();
});

test("a request that nobody waits for any more is not sent", async () => {
  // A cloud that answers its first question only when everybody has lost patience.
  const arrived = [];
  let fleet;
  let first;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => {
      const text = `${request.url} ${body}`;
      const name = NAMES.find((name) => text.includes(name));
      arrived.push({ name, state: rows(fleet).find((row) => row.name === name)?.state });
      if (first === undefined) first = response;
      else response.writeHead(503).end();
    });
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const clouds = await Clouds.start();
  const settings = { ...clouds.demo.cmcc.settings, device_no_type: "SN", base_url: `http://127.0.0.1:${server.address().port}` };
  const options = { platform: "cmcc", settings, columns: ["device_no"], rows: NAMES.map((name) => [name]), bounds: { requests: 1, at_once: 100 }, shelf: "stale" };
  fleet = new Fleet(options, { tick() {}, store: async () => {} });
  fleet.run();
  await until(() => fleet.status().counts.retrying === NAMES.length, "all lose patience", 60 * FASTER);
  assert.equal(arrived.length, 1, "one place, one request");
  first.writeHead(503).end();
  await until(() => arrived.length > 4, "they ask again", 120 * FASTER);
  const stale = arrived.filter(({ name, state }) => name === undefined || state === "retrying");
  assert.deepEqual(stale, [], "asked by who does not wait for the answer");
  await fleet.stop();
  fleet.free();
});
