import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { behaviour } from "./support/console.js";

behaviour("a click on a packet goes to the step that it was; lives are told apart; another answer is found", {}, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  await c.get("panel-replay").click();
  await c.get("replay-verdict").waitFor();
  const at = (step) => page.locator(`[data-testid=replay][data-at="${step}"]`).waitFor();
  await at(0);

  const secret = page.locator("[data-testid=entry][data-type=PUBLISH].down").first();
  await secret.locator("button").click();
  await page.locator("[data-testid=replay-input][data-input=message]").waitFor();
  assert.match(await c.get("replay-input").innerText(), /password_reply/);
  assert.equal(await page.locator("[data-testid=replay-outputs] li[data-output=store]").count(), 1);
  assert.equal(await c.get("replay-word").innerText(), "Storing");
  assert.match(await c.get("replay-state").innerText(), /AwaitSecret/);
  assert.equal(await secret.getAttribute("data-replay"), "now");
  await c.get("detail-close").click();

  // A second life, and the first one is still there.
  await c.get("panel-close").click();
  await page.waitForFunction(() => document.querySelector("[data-replay]") === null);
  await c.get("restart").click();
  await c.state("online");
  await c.get("panel-replay").click();
  await c.get("replay-life").waitFor();
  await c.get("replay-verdict").waitFor();
  assert.match(await c.get("replay-input").innerText(), /credential/, "it began with its secret");
  await c.get("replay-life").selectOption("1");
  await page.getByText("with an empty store").waitFor();
  await c.get("panel-close").click();

  // What another build would have said: one byte of its words is another one.
  await c.get("export").click();
  const [download] = await Promise.all([page.waitForEvent("download"), c.get("export-json").click()]);
  const file = JSON.parse(await readFile(await download.path(), "utf8"));
  assert.equal(file.lives.length, 2);
  const bytes = Buffer.from(file.lives[0].replay.recording, "base64");
  const place = bytes.indexOf("/password\u0001") >= 0 ? bytes.indexOf("/password\u0001") : bytes.indexOf("RequestID");
  assert.ok(place > 0);
  bytes[place + 1] ^= 1;
  file.lives[0].replay.recording = bytes.toString("base64");
  await c.get("export-close").click();
  await c.get("new-device").click();
  await c.get("open-recording").setInputFiles({ name: "other.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) });
  await c.get("recording").waitFor();
  await c.get("panel-replay").click();
  await c.get("replay-life").selectOption("1");
  await page.locator("[data-testid=replay-verdict][data-differs]").waitFor();
  const differs = await c.get("replay-verdict").getAttribute("data-differs");
  await c.get("replay-difference").click();
  await at(differs);
  assert.equal(await c.get("replay-place").getAttribute("data-same"), "false");
  await c.get("replay-recorded").waitFor();
});

behaviour("names and the replay exclude each other, and a file without one says so", {}, async (c) => {
  const { page } = c;
  await c.start("krtyun");
  await c.state("online");
  await c.get("export").click();
  await c.get("export-dialog").waitFor();
  await c.get("export-names").check();
  assert.ok(await c.get("export-replay").isDisabled());
  const [download] = await Promise.all([page.waitForEvent("download"), c.get("export-json").click()]);
  const path = await download.path();
  assert.equal(JSON.parse(await readFile(path, "utf8")).lives[0].replay, null);
  await c.get("export-close").click();
  await c.get("new-device").click();
  await c.get("open-recording").setInputFiles(path);
  await c.get("recording").waitFor();
  await c.get("panel-replay").click();
  await c.get("replay-none").waitFor();

  await c.get("new-device").click();
  const file = JSON.parse(await readFile(path, "utf8"));
  file.lives[0].replay = { core: "0.1.0", steps: 1, dropped: 0, strays: null, recording: "bm90aGluZw==" };
  await c.get("open-recording").setInputFiles({ name: "broken.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify(file)) });
  await c.get("panel-replay").click();
  await c.get("replay-wrong").waitFor();
});
