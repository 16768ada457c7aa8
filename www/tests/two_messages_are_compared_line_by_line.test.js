import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("a message is compared with the one before, and with a marked one; what is covered stays covered", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("ucloud");
  await c.state("online");
  const lines = (kind) => page.locator(`.diff .${kind}`).allInnerTexts();

  await c.entries("mqtt", "PUBLISH").last().locator("button").click();
  await c.get("compare-before").click();
  await c.get("compare").waitFor();
  assert.match((await lines("removed")).join("\n"), /report_version/);
  assert.match((await lines("added")).join("\n"), /request_firmware/);

  // The two logins: once with the product's secret, once with the device's own.
  await c.entries("mqtt", "CONNECT").first().locator("button").click();
  await c.get("mark").click();
  await c.entries("mqtt", "CONNECT").last().locator("button").click();
  await c.get("detail-tab-compare").click();
  await c.get("compare").waitFor();
  assert.match((await lines("removed")).join("\n"), /\|2/);
  assert.match((await lines("added")).join("\n"), /\|1/);
  const text = await c.get("compare").innerText();
  assert.doesNotMatch(text, /password: [^•\s]/, "no password is shown");
  assert.match(text, /only the length is compared/);
});
