// Chromium makes each handshake wait seconds instead of milliseconds once sixteen are pending, so no more than eight
// ever are. A server that takes connections and never answers shows how many there are at once: under an address of its
// own for each device, because to one address Chromium opens one handshake at a time.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { behaviour } from "./support/console.js";

const DEVICES = 11;
const PENDING = 8;

const server = createServer();
const open = new Set();
let most = 0;
server.on("connection", (socket) => {
  open.add(socket);
  most = Math.max(most, open.size);
  socket.on("close", () => open.delete(socket));
  socket.on("error", () => {});
  socket.resume();
});
server.listen(0, "0.0.0.0");
await once(server, "listening");
const { port } = server.address();
const hosts = Array.from({ length: DEVICES }, (_, at) => `127.0.0.${at + 2}:${port}`);

behaviour(
  "eleven devices at a broker that never answers open eight connections, and the others wait",
  { hosts, complaints: [/WebSocket/] },
  async (c) => {
    for (let at = 0; at < DEVICES; at += 1) {
      if (at > 0) await c.get("new-device").first().click();
      await c.startWith("krtyun", { settings: { broker: `ws://${hosts[at]}`, device_id: String(20_000 + at) } });
      await c.page.locator("[data-testid=entry][data-kind=link]").first().waitFor();
    }
    assert.equal(await c.get("device-item").count(), DEVICES);
    const end = Date.now() + 5_000;
    while (open.size < PENDING && Date.now() < end) await c.page.waitForTimeout(50);
    assert.equal(open.size, PENDING, "as many as may be, are");
    // One that ends makes room for the next that waits.
    const [first] = open;
    first.destroy();
    await c.page.waitForTimeout(1_000);
    assert.ok(most <= PENDING, `${most} at once`);
    server.close();
    for (const socket of open) socket.destroy();
  },
);
