// Chromium takes eight pending handshakes of a tab well, of all its Workers together: with eight of single devices pending
// a fleet begins none, and it gets what becomes free. As in `at_most_eight_handshakes_are_pending`, a server that takes
// connections and never answers shows how many there are at once, under an address of its own for each device.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { behaviour } from "./support/console.js";
import { Fleets } from "./support/fleets.js";

const PENDING = 8;
const OF_FLEET = 6;
const FLEET = 10;

const server = createServer();
/** Connections that are open, and the address that each was opened to. */
const open = new Map();
const old = new Set();
let most = 0;
server.on("connection", (socket) => {
  open.set(socket, socket.localAddress);
  // One that was given up may be heard to close well after the next one has come, on a busy machine; a handshake that
  // nobody answers is waited for 20 seconds. So who counts has been there for five.
  setTimeout(() => {
    if (open.has(socket)) old.add(socket);
    most = Math.max(most, old.size);
  }, 5_000).unref();
  socket.on("close", () => {
    open.delete(socket);
    old.delete(socket);
  });
  socket.on("error", () => {});
  socket.resume();
  socket.unref();
});
// Whatever becomes of the test, its program ends.
server.unref();
server.listen(0, "0.0.0.0");
await once(server, "listening");
const { port } = server.address();
const host = (at) => `127.0.0.${at + 2}:${port}`;
const hosts = Array.from({ length: PENDING + FLEET }, (_, at) => host(at));
const isFleets = (address) => Number(address.split(".")[3]) >= PENDING + 2;
const ofFleet = () => [...open.values()].filter(isFleets).length;

behaviour("a fleet beside single devices at a broker that never answers has no more than eight handshakes pending with them", { hosts, complaints: [/WebSocket/], timeout: 240_000 }, async (c) => {
  const { page } = c;
  const until = async (is, what, patience = 30_000) => {
    const end = Date.now() + patience;
    while (!is()) {
      assert.ok(Date.now() < end, `${what}: ${open.size} connections, ${ofFleet()} of the fleet`);
      await page.waitForTimeout(20);
    }
  };
  for (let at = 0; at < PENDING; at += 1) {
    if (at > 0) await c.get("new-device").first().click();
    await c.startWith("krtyun", { settings: { broker: `ws://${host(at)}`, device_id: String(20_000 + at) } });
    await page.locator("[data-testid=entry][data-kind=link]").first().waitFor();
  }
  await until(() => open.size === PENDING, "the devices have all eight");

  await page.getByTestId("rail-fleet").click();
  const fleets = new Fleets(c);
  const rows = Array.from({ length: FLEET }, (_, at) => `${30_000 + at},ws://${host(PENDING + at)}`);
  await fleets.list("krtyun", `device_id,broker\n${rows.join("\n")}\n`);
  await fleets.run();
  await page.locator("[data-testid=fleet][data-phase=running]").waitFor();
  // Those that end make room for the fleet, up to its share.
  await until(() => ofFleet() === OF_FLEET, "the fleet has its share", 60_000);
  // A device that failed tries again, within the two that are left.
  await page.waitForTimeout(7_000);
  assert.ok(most <= PENDING, `${most} at once`);

  // Without the fleet they are the devices' again.
  await fleets.get("fleet-stop").click();
  await page.locator("[data-testid=fleet][data-phase=idle]").waitFor();
  await fleets.get("fleet-clear").click();
  await until(() => ofFleet() === 0, "the fleet is gone");
  await until(() => open.size > PENDING - OF_FLEET, "the devices have more than two", 60_000);
  assert.ok(most <= PENDING, `${most} at once`);
  server.close();
  for (const socket of open.keys()) socket.destroy();
});
