import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { armJson, entries, openFaults, packets, strikes } from "./support/faults.js";
import { line, openScript, run } from "./support/scripts.js";

const LONG = { world: "tab", timeout: 180_000 };

behaviour("ucloud: of acknowledgements that are reordered always, each two change places, and the last one waits its own five seconds", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openFaults(c);
  await armJson(c, [
    { id: "swap", fault: "reorder", on: { message: "puback" }, times: "always" },
    { id: "fiftieth", fault: "lose", on: { message: "puback" }, nth: 50 },
  ]);
  await c.page.locator("[data-testid=fault-armed][data-id=swap]").waitFor();
  await openScript(c);
  await run(
    c,
    `const own = \`/\${state.product}/\${state.device}/user/update\`;
    const send = (n) => publish(own, { n }, { qos: 1 });
    await Promise.all([1, 2, 3, 4].map(send));
    log("four");
    await sleep(2500);
    const begun = Date.now();
    await send(5);
    log("the fifth after " + (Date.now() - begun));`,
  );
  await line(c, "the fifth after");
  const rows = await entries(c);
  const sent = packets(rows, "up", "PUBLISH", "/user/update").map(({ packet }) => packet.packet_id);
  assert.equal(sent.length, 5);
  const [first, second, third, fourth, fifth] = sent;
  const acknowledged = packets(rows, "down", "PUBACK").filter(({ packet }) => sent.includes(packet.packet_id));
  assert.deepEqual(acknowledged.map(({ packet }) => packet.packet_id), [second, first, fourth, third, fifth]);
  assert.ok(acknowledged[4].packet.latency > 4_500, `it was let go after ${acknowledged[4].packet.latency} ms by the timer of another`);
  assert.equal(strikes(rows, "reorder").length, 5);

  // How often a rule has met something is told without a strike, and outlives a reload.
  await openFaults(c);
  const fiftieth = c.page.locator("[data-testid=fault-armed][data-id=fiftieth]");
  await fiftieth.filter({ hasText: "met 5 messages" }).waitFor();
  await c.page.reload();
  await c.get("device-item").last().click();
  await openFaults(c);
  await fiftieth.filter({ hasText: "met 5 messages" }).waitFor();
});

behaviour("ucloud: a shorter loss of the network does not end a longer one", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  const before = (await entries(c)).length;
  await openFaults(c);
  const went = await c.watch();
  await armJson(c, [
    { id: "long", fault: "network_loss", ms: 6_000 },
    { id: "short", fault: "network_loss", ms: 500 },
  ]);
  await went("retrying");
  await c.state("online", c.page, 60_000);
  const rows = (await entries(c)).slice(before);
  const [struck] = strikes(rows, "network_loss");
  const again = rows.find((row) => row.kind === "link" && row.what === "open");
  assert.equal(strikes(rows, "network_loss").length, 2);
  assert.ok(again.at - struck.at >= 6_000, `open again after ${again.at - struck.at} ms`);
});
