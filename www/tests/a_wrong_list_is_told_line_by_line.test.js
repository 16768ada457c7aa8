import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { fleetPage } from "./support/figures.js";

behaviour("every wrong line of a list is told, and nothing starts", { world: "tab" }, async (c) => {
  const fleets = await fleetPage(c, "tab");
  const told = () => fleets.get("fleet-problem").evaluateAll((all) => all.map((one) => [Number(one.dataset.line), one.textContent.trim()]));

  // What the file itself has wrong is told as soon as it is there.
  await fleets.list("krtyun", "device_id,device_secret\na,1\nb\nc,1,hunter22\n");
  await fleets.get("fleet-problems").waitFor();
  const first = await told();
  assert.deepEqual(first.map(([line]) => line), [3, 4]);
  assert.ok(await fleets.get("fleet-run").isDisabled());

  // What the settings have wrong, when the core reads them.
  await fleets.get("fleet-file-remove").click();
  await fleets.list("krtyun", "device_id,keep_alive\na,60\n# a note\nb,hunter22\na,60\n,60\nc/d,\n");
  await fleets.run();
  await fleets.get("fleet-problems").waitFor();
  const second = await told();
  assert.deepEqual(second.map(([line]) => line), [4, 5, 7]);
  assert.match(second[1][1], /line 2|2/);
  assert.ok(!JSON.stringify([first, second]).includes("hunter22"), "no field is shown: any may be a secret");
  assert.equal(await fleets.get("fleet-states").count(), 0);

  await fleets.get("fleet-file-remove").click();
  await fleets.list("krtyun", "device_id\na\nb\n");
  await fleets.run();
  assert.ok(await fleets.verdict());
});
