import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PRODUCT, behaviour } from "./support/console.js";

for (const world of ["local", "tab"]) {
  behaviour(`${world}: by platform, by what matters, by words; still while paused; a file of what is shown`, { world }, async (c) => {
    const { page } = c;
    await c.start("ucloud");
    await c.state("online");
    await c.get("new-device").click();
    await c.start("krtyun");
    await c.state("online");
    await page.evaluate((hash) => (location.hash = hash), `#/cloud/ucloud/log?product=${PRODUCT.ucloud}`);
    await page.locator("[data-testid=log-line][data-what=secret_issued]").waitFor();
    const subjects = () => c.get("log-line").evaluateAll((lines) => lines.map((line) => line.textContent));
    assert.ok((await subjects()).every((text) => !text.includes("20191210")), "of the platform that is looked at");
    await c.get("log-platform").selectOption("");
    await page.locator("[data-testid=log-line]", { hasText: "20191210" }).first().waitFor();
    await c.get("level-notice").click();
    assert.equal(await page.locator("[data-testid=log-line][data-state=routine]").count(), 0);
    await c.get("level-routine").click();

    // An operator does something while it is paused.
    await c.get("log-pause").click();
    const before = await c.get("log-count").innerText();
    await page.evaluate((hash) => (location.hash = hash), `#/cloud/ucloud/product?product=${PRODUCT.ucloud}`);
    await c.get("switch-PreRegister").click();
    await page.locator("[data-testid=switch-PreRegister][aria-checked=false]").waitFor();
    await page.evaluate((hash) => (location.hash = hash), `#/cloud/ucloud/log?product=${PRODUCT.ucloud}`);
    await c.get("log-waiting").waitFor();
    await c.get("log-platform").selectOption("");
    assert.equal(await c.get("log-count").innerText(), before);
    await c.get("log-pause").click();
    await c.get("log-search").fill("preregister -true");
    await page.waitForFunction(() => document.querySelectorAll("[data-testid=log-line]").length === 1);

    const download = page.waitForEvent("download");
    await c.get("log-export").click();
    const lines = (await readFile(await (await download).path(), "utf8")).trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(lines.length, 1);
    assert.equal(lines[0].detail, "PreRegister = false");
    assert.match(lines[0].time, /^\d{4}-\d\d-\d\dT/);
  });
}
