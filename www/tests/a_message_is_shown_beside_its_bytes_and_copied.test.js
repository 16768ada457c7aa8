import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { arm, begin, entries, fresh, packets } from "./support/faults.js";

/** The bytes of a hex dump. */
const bytesOf = (dump) =>
  Buffer.from(
    dump
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.slice(6, 29).replaceAll(" ", ""))
      .join(""),
    "hex",
  );

behaviour("decoded JSON stands beside the bytes that it came in; both are copied covered, and as they were to who asks", {}, async (c) => {
  const { page } = c;
  await c.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await c.start("ucloud");
  await c.state("online");
  const { secret } = await c.up.device("ucloud", PRODUCT.ucloud, "112233445566");
  const rows = await entries(c);
  const open = async ({ seq }) => page.locator(`[data-testid=entry][data-seq="${seq}"] button`).first().click();
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const copy = async (button) => {
    await page.evaluate(() => navigator.clipboard.writeText(""));
    await c.get(button).click();
    await page.locator(`[data-testid=${button}].copied`).waitFor();
    return copied();
  };
  const dump = () => page.locator(".beside .hex").innerText();

  // A message without a secret: what is decoded is what is in the bytes.
  const report = packets(rows, "up", "PUBLISH").find(({ packet }) => packet.payload.text.includes("report_version"));
  await open(report);
  await c.get("detail-tab-both").click();
  await page.locator(".beside .hex").waitFor();
  const decoded = JSON.parse(await page.locator(".beside .pre pre").innerText());
  const bytes = bytesOf(await dump());
  assert.equal(bytes.length, report.packet.size);
  assert.ok(bytes.includes(Buffer.from(report.packet.topic)));
  const payload = bytes.subarray(bytes.indexOf("{"));
  assert.deepEqual(JSON.parse(payload.toString()), decoded);
  const [left, right] = [await page.locator(".beside .pre").boundingBox(), await page.locator(".beside .hex").boundingBox()];
  assert.ok(left.x + left.width <= right.x + 1, "beside, not below");
  assert.deepEqual(Buffer.from((await copy("copy-hex")).replaceAll(" ", ""), "hex"), bytes);
  assert.deepEqual(JSON.parse(await copy("copy-json")), JSON.parse(JSON.stringify({ ...report, side: undefined, life: undefined })));

  // A message with the secret: covered in all of it, byte for byte; shown to who asks, and covered again.
  const [reply] = packets(rows, "down", "PUBLISH", "/password_reply");
  await open(reply);
  await page.locator(".beside .hex").waitFor();
  const covered = bytesOf(await dump());
  assert.equal(covered.length, reply.packet.size);
  assert.ok(!covered.includes(Buffer.from(secret)) && covered.includes("*".repeat(secret.length)));
  assert.deepEqual(Buffer.from((await copy("copy-hex")).replaceAll(" ", ""), "hex"), covered);
  await c.get("show-secret").click();
  await page.locator("[data-testid=show-secret][aria-pressed=true]").waitFor();
  assert.ok((await page.locator(".beside .pre").innerText()).includes(secret));
  const revealed = bytesOf(await dump());
  assert.equal(revealed.toString("latin1").replace(secret, "*".repeat(secret.length)), covered.toString("latin1"), "the secret, and nothing else");
  assert.deepEqual(Buffer.from((await copy("copy-hex")).replaceAll(" ", ""), "hex"), revealed);
  assert.ok(!(await copy("copy-json")).includes(secret), "JSON for a ticket stays covered");
  await c.get("show-secret").click();
  await page.locator(".beside .hex").waitFor();
  assert.deepEqual(bytesOf(await dump()), covered);
  assert.ok(!(await page.locator(".beside").innerText()).includes(secret));
});

behaviour("what is shown, or all of it, goes into a report that is copied", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await c.start("ucloud");
  await c.state("online");
  await c.get("search").fill("type:connect");
  await page.locator("[data-testid=entry][data-type=PUBLISH]").first().waitFor({ state: "detached" });
  await c.get("export").click();
  const report = async () => {
    await c.get("export-copy").click();
    await page.locator("[data-testid=export-copy]", { hasText: "Copied" }).waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal((await c.get("report").innerText()).trimEnd(), text.trimEnd(), "what is previewed is what is copied");
    return text;
  };
  assert.ok(await c.get("export-shown").isChecked());
  const shown = await report();
  assert.match(shown, /CONNECT/);
  assert.doesNotMatch(shown, /\| PUBLISH/);
  await c.get("export-all").check();
  const all = await report();
  assert.match(all, /\| [→←] \| PUBLISH/);
  assert.ok(all.length > shown.length);
});

behaviour("the steps of a life are told with the time that each took: the one that was held up took as long", { world: "tab", timeout: 180_000 }, async (c) => {
  await fresh(c, "ucloud");
  await arm(c, "replies", "late_secret", { s: "2" });
  await begin(c);
  await c.state("online", c.page, 60_000);
  await c.get("steps").waitFor();
  const steps = await c.get("steps").locator("li").evaluateAll((items) => items.map((item) => [item.querySelector("span").textContent.trim(), item.querySelector("small").textContent.trim()]));
  assert.ok(steps.length >= 3, JSON.stringify(steps));
  const took = steps.map(([, text]) => {
    const [, value, unit] = /^([\d.]+) (ms|s)$/.exec(text) ?? assert.fail(`${text} is no time`);
    return Number(value) * (unit === "s" ? 1_000 : 1);
  });
  const longest = Math.max(...took);
  assert.ok(longest >= 2_000 && longest < 9_000, JSON.stringify(steps));
  assert.equal(took.filter((ms) => ms >= 2_000).length, 1, "one step was held up");
  // Together they are what the life took until then, in whose order they stand.
  const ready = (await entries(c)).find((row) => row.kind === "event" && row.event.event === "ready").at;
  const sum = took.reduce((all, ms) => all + ms, 0);
  assert.ok(sum <= ready + 100 && sum >= ready * 0.6, `${sum} of ${ready} ms`);
  assert.match(steps[took.indexOf(longest)][0], /secret/i);
});
