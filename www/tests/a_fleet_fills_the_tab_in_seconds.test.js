// 255 devices: all the WebSockets that Chromium has for a tab. They register and log in, and then log in with the secrets
// that came of it, as the npm package `mqtt` does in the same browser.
import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { KB, SOCKETS, comeOnline, comeOnlineWithMqtt, registerMany } from "./support/figures.js";

/**
 * The best of the runs. The browser opens one handshake at a time: where it is so slow that npm mqtt, doing the same once in
 * a page of it right after, does not get there either, a tenth more than its time is the limit.
 * `cargo xtask bench browser` knows no such grace.
 */
const SECONDS = 3.5;
const BESIDE = 1.1;
const DEVICE = 5 * KB;

behaviour("255 devices come online with few handshakes pending, in less memory than npm mqtt takes", { timeout: 400_000 }, async (c) => {
  const registered = await registerMany(c, SOCKETS);
  console.log(`# ${registered.ready} devices registered and logged in, two handshakes each, in ${registered.seconds.toFixed(1)} s`);

  const ours = await comeOnline(c, registered.list, SECONDS);
  console.log(`# ${ours.ready} devices online in ${ours.seconds.toFixed(2)} s (${ours.rate.toFixed(0)}/s), the best of ${ours.runs.map((seconds) => seconds.toFixed(2)).join(", ")}; ${(ours.bytes / KB).toFixed(2)} KB a device, of it WebAssembly ${(ours.module / KB).toFixed(2)}, the Worker's objects ${(ours.script / KB).toFixed(2)}, the page's ${(ours.inPage / KB).toFixed(2)}`);
  assert.equal(ours.counts.online, SOCKETS);
  assert.ok(ours.mostSockets === SOCKETS, `${ours.mostSockets} sockets`);
  assert.ok(ours.mostPending >= 1 && ours.mostPending <= 8, `${ours.mostPending} handshakes were pending`);
  assert.ok(ours.bytes <= DEVICE, `${ours.bytes} bytes a device`);

  const theirs = await comeOnlineWithMqtt(c, registered.list, `${c.up.origin.replace("http", "ws")}/mqtt/ucloud`);
  console.log(`# npm mqtt: ${theirs.online} online in ${theirs.seconds.toFixed(2)} s; ${(theirs.bytes / KB).toFixed(1)} KB a device`);
  assert.equal(theirs.online, SOCKETS);
  assert.ok(ours.seconds <= Math.max(SECONDS, theirs.seconds * BESIDE), `${ours.seconds} s at best of ${ours.runs}; npm mqtt ${theirs.seconds} s`);
  assert.ok(ours.bytes < theirs.bytes * 0.7, `${ours.bytes} beside ${theirs.bytes} bytes`);
});
