// The console's figures beside limits and npm `mqtt`, all taken in one browser: `cargo xtask bench browser [--json]`.
// Printed as those of the host's benchmark are. Where a limit is missed it ends with 1: the limits are the console's own.

import { PLATFORMS, visit } from "./support/console.js";
import { KB, SOCKETS, comeOnline, comeOnlineWithMqtt, firstPage, inTab, interactive, registerMany } from "./support/figures.js";

const DEVICES = 10_000;
const figures = [];
/** `other` is the limit, or the peer's figure of this run. */
const add = (name, unit, ours, other, beside, how, moreIsBetter = false) => figures.push({ name, unit, ours, other, beside, ratio: ours / other, more_is_better: moreIsBetter, how });
const say = (text) => process.stderr.write(`${text}\n`);

await visit({}, async (c) => {
  say("first page …");
  const page = await firstPage(c);
  add("first page, gzip", "KB", page.total / KB, 350, "limit", `all ${page.files} files of the first page as they cross the wire, of it ${(page.module / KB).toFixed(1)} KB WebAssembly`);
  const times = await interactive(c, 5);
  add("first page until a card can be started", "ms", Math.min(...times), 1000, "limit", `the best of ${times.map((time) => time.toFixed(0)).join(", ")} ms, on loopback`);
});

await visit({}, async (c) => {
  say(`${SOCKETS} devices over WebSocket …`);
  const registered = await registerMany(c, SOCKETS);
  add(`${SOCKETS} devices registered and online`, "s", registered.seconds, 7, "limit", "UCloud: two handshakes each, so twice the limit of those that have their secret");
  const ours = await comeOnline(c, registered.list, 3.5);
  const theirs = await comeOnlineWithMqtt(c, registered.list, `${c.up.origin.replace("http", "ws")}/mqtt/ucloud`);
  const how = `UCloud with the secrets of before, the best of ${ours.runs.map((seconds) => seconds.toFixed(2)).join(", ")} s, ${ours.rate.toFixed(0)} a second, at most ${ours.mostPending} handshakes pending; the browser opens one at a time to an address`;
  add(`${SOCKETS} devices online`, "s", ours.seconds, 3.5, "limit", how);
  add(`${SOCKETS} devices online`, "s", ours.seconds, theirs.seconds, "npm mqtt", "the same logins with eight lanes of mqtt 5.16.0, in the page of the same browser");
  const heap = `JavaScript, the browser's objects behind it and WebAssembly after collecting garbage, before and with ${SOCKETS} devices online; WebAssembly ${(ours.module / KB).toFixed(2)}, the Worker's objects ${(ours.script / KB).toFixed(2)}, the page's ${(ours.inPage / KB).toFixed(2)} KB`;
  add("memory of a device", "KB", ours.bytes / KB, 5, "limit", heap);
  add("memory of a device", "KB", ours.bytes / KB, theirs.bytes / KB, "npm mqtt", "measured in the same way");
});

for (const platform of PLATFORMS) {
  await visit({}, async (c) => {
    say(`${DEVICES} devices of ${platform} in the tab …`);
    const { passed, ready, seconds, rate, stall } = await inTab(c, platform, DEVICES);
    if (!passed) throw new Error(`${platform}: ${ready} of ${DEVICES} became ready`);
    // A tab with sockets brings 90 a second online at best: the clouds in it have to be worth having.
    add(`${DEVICES} devices in the tab, ${platform}`, "1/s", rate, 500, "limit", `registered and ready in ${seconds.toFixed(1)} s; the page stood still for at most ${stall.toFixed(0)} ms`, true);
  });
}

const holds = ({ ratio, more_is_better }) => (more_is_better ? ratio >= 1 : ratio <= 1);
if (figures.some((figure) => figure.beside === "limit" && !holds(figure))) process.exitCode = 1;

if (process.argv.includes("--json")) console.log(JSON.stringify(figures, null, 2));
else {
  const short = (value) => (value >= 1000 ? value.toFixed(0) : value.toFixed(2));
  const row = (name, ours, other, ratio, rest) => `${name.padEnd(44)} ${ours.padStart(12)} ${other.padStart(12)} ${ratio.padStart(7)}  ${rest}`;
  console.log(row("figure", "ours", "other", "ratio", "beside"));
  for (const figure of figures) {
    const { name, unit, ours, other, beside, ratio } = figure;
    console.log(row(name, short(ours), short(other), ratio.toFixed(2), `${beside} [${unit}]${holds(figure) ? "" : "  <-- misses"}`));
  }
  console.log();
  for (const { name, beside, how } of figures) console.log(`${name}, ${beside}: ${how}`);
}
