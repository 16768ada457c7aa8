import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PRODUCT, behaviour } from "./support/console.js";
import { arm, closeFaults, entries, events, openFaults, strikes } from "./support/faults.js";

const LONG = { world: "tab", timeout: 240_000 };
const WAIT = 60_000;

/** An image of 150,000 bytes for the open device, ordered in the Cloud view. */
async function push(c, platform, version) {
  await c.page.goto(`${c.up.origin}/#/cloud/${platform}/firmware?product=${PRODUCT[platform]}`);
  await c.get("firmware-file").setInputFiles({ name: "image.bin", mimeType: "application/octet-stream", buffer: randomBytes(150_000) });
  await c.get("firmware-version").fill(version);
  await c.get("firmware-upload").click();
  await c.page.locator(`[data-testid=image][data-version="${version}"]`).waitFor();
  await c.get("push-version").selectOption(version);
  await c.get("push-send").click();
  await c.page.goto(`${c.up.origin}/#/devices`);
}

const installs = (rows) => rows.filter((row) => row.kind === "install" && row.outcome === "done");
const phases = (rows) => events(rows, "update").map(({ update }) => update.phase);

for (const platform of ["ucloud", "alibaba"]) {
  behaviour(`${platform}: one wrong byte, and an image that ends early, are not installed, and the cloud is told`, LONG, async (c) => {
    await c.start(platform);
    await c.state("online");
    await openFaults(c);
    await arm(c, "firmware", "corrupt", { bytes: "1", after: "70000" });
    await closeFaults(c);
    await push(c, platform, "2.0.1");
    await c.page.locator("[data-testid=update][data-phase=failed]").waitFor({ timeout: WAIT });
    let rows = await entries(c);
    assert.equal(strikes(rows, "download_corrupt").length, 1);
    assert.deepEqual(installs(rows), []);
    const failed = events(rows, "update").find(({ update }) => update.phase === "failed");
    assert.equal(failed.update.reason, "digest");
    assert.ok(rows.some((row) => row.kind === "mqtt" && row.direction === "up" && /report_fail|"step":"?-3/.test(row.packet.payload?.text ?? "")), "the cloud was told");
    await c.state("online");

    await openFaults(c);
    await c.get("faults-clear").click();
    await arm(c, "firmware", "truncated", { after: "10000" });
    await closeFaults(c);
    await push(c, platform, "2.0.2");
    await c.entries("fault", "download_truncate").waitFor({ timeout: WAIT });
    await c.page.locator("[data-testid=update][data-phase=failed]").waitFor({ timeout: WAIT });
    rows = await entries(c);
    assert.deepEqual(installs(rows), []);
  });
}

behaviour("krtyun: without a digest a spoiled image is installed, and the device has warned", LONG, async (c) => {
  await c.start("krtyun");
  await c.state("online");
  await openFaults(c);
  await arm(c, "firmware", "corrupt", { bytes: "5" });
  await closeFaults(c);
  await push(c, "krtyun", "2.0.1");
  await c.page.locator("[data-testid=update][data-phase=reported]").waitFor({ timeout: WAIT });
  const rows = await entries(c);
  assert.equal(installs(rows).length, 1);
  assert.ok(events(rows, "warning").some(({ warning }) => warning.kind === "unprotected_image"));
});

behaviour("ucloud: a missing image is reported, a broken one fetched again; a slow one that stalls, and a power cut in between, end in the new version", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openFaults(c);
  await arm(c, "firmware", "download_status", { status: "403" });
  await closeFaults(c);
  await push(c, "ucloud", "2.0.0");
  await c.page.locator("[data-testid=update][data-phase=failed]").waitFor({ timeout: WAIT });
  let rows = await entries(c);
  assert.deepEqual(installs(rows), []);
  assert.deepEqual(events(rows, "update").flatMap(({ update }) => (update.phase === "failed" ? [update.reason] : [])), [{ refused: 403 }]);

  await openFaults(c);
  await arm(c, "firmware", "broken", { after: "20000" });
  await closeFaults(c);
  await push(c, "ucloud", "2.1.0");
  await c.page.locator("[data-testid=update][data-phase=reported]").waitFor({ timeout: WAIT });
  rows = await entries(c);
  assert.equal(strikes(rows, "download_break").length, 1);
  assert.deepEqual(events(rows, "retrying").map(({ error }) => error.failure), ["lost"], "it was fetched again");
  assert.equal(installs(rows).length, 1);
  assert.equal(await c.get("trouble").count(), 0, "what the download met is over");

  await openFaults(c);
  await c.get("faults-clear").click();
  await arm(c, "power", "cut_in_update", { restart: "1" });
  await arm(c, "firmware", "stalled", { after: "20000", s: "1" });
  await arm(c, "firmware", "slow", { rate: "100000" });
  await closeFaults(c);
  await push(c, "ucloud", "3.0.0");
  await c.page.locator("[data-testid=update][data-phase=reported]", { hasText: "3.0.0" }).waitFor({ timeout: WAIT });
  rows = await entries(c);
  assert.equal(installs(rows).length, 2);
  assert.equal(strikes(rows, "power_cut").length, 1);
  assert.ok(phases(rows).includes("reported"));
});
