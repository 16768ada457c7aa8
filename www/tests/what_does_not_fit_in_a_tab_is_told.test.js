import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { behaviour } from "./support/console.js";
import { Fleets } from "./support/fleets.js";
import { TARGET } from "./support/up.js";

const MUSTER = process.env["MUSTER_BIN"] ?? join(TARGET, "release/muster");

behaviour("devices beyond the tab's sockets are told, and the same file runs with muster fleet", { timeout: 240_000 }, async (c) => {
  // One socket belongs to a device that is open alone.
  await c.start("krtyun");
  await c.state("online");
  await c.page.getByTestId("rail-fleet").click();
  const fleets = new Fleets(c);
  await fleets.count("krtyun", 258, "rest-");
  assert.match(await fleets.get("fleet-too-many").innerText(), /^254 fit .*: 4 will not/, "before anything starts");
  await fleets.run();
  assert.ok(await fleets.verdict(120_000));
  const counts = await fleets.counts();
  assert.deepEqual([counts.online, counts.beyond], [254, 4]);
  const beyond = fleets.get("fleet-beyond");
  assert.match(await beyond.textContent(), /254/);
  const rest = await fleets.saved("fleet-rest");
  assert.deepEqual(rest.trim().split("\n"), ["device_id", "rest-000255", "rest-000256", "rest-000257", "rest-000258"]);

  // The command line of the page, with its file.
  const told = await beyond.locator("code").textContent();
  const folder = await mkdtemp(join(tmpdir(), "muster-rest-"));
  try {
    await writeFile(join(folder, "fleet-rest.csv"), rest);
    await writeFile(join(folder, "up.json"), JSON.stringify(c.up.line));
    const [name, ...args] = told.split(" ");
    assert.equal(name, "muster");
    const { stdout } = await promisify(execFile)(MUSTER, [...args, "--store", join(folder, "store")], { cwd: folder });
    assert.match(stdout, /4 done/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
