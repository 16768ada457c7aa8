import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PRODUCT, behaviour } from "./support/console.js";

for (const kept of [false, true]) {
  behaviour(`${kept ? "kept in the browser" : "in memory"}: out after a warning, anew with the demo, in again with every secret`, { world: "tab", timeout: 180_000 }, async (c) => {
    const { page } = c;
    if (kept) await c.get("keep-tab").check();
    await c.start("ucloud");
    await c.state("online");
    const go = (hash) => page.evaluate((hash) => (location.hash = hash), hash);
    const menu = async (item) => {
      await c.get("tab-menu").locator("summary").click();
      return c.get(item);
    };
    const secret = async () => {
      await go(`#/cloud/ucloud/devices?product=${PRODUCT.ucloud}&device=112233445566&focus=reset`);
      const pane = c.get("device-more");
      await pane.waitFor();
      await pane.getByTestId("reveal").click();
      const text = await pane.getByTestId("secret").innerText();
      await pane.getByTestId("reveal").click();
      await go("#/cloud/ucloud/log");
      return text;
    };
    const first = await secret();
    await (await menu("tab-export")).click();
    const download = page.waitForEvent("download");
    assert.match(await c.get("confirm").innerText(), /all secrets/);
    await c.get("confirm-ok").click();
    const path = await (await download).path();
    assert.equal(JSON.parse(await readFile(path, "utf8")).format, "muster-clouds");

    await (await menu("tab-start-over")).click();
    await c.get("confirm-ok").click();
    await page.getByText("begin anew").waitFor();
    const second = await secret();
    assert.notEqual(second, first, "the demo's products have new secrets");

    await (await menu("tab-import")).setInputFiles({ name: "other.json", mimeType: "application/json", buffer: Buffer.from("{}") });
    await c.get("cloud-error").waitFor();
    assert.equal(await secret(), second, "a file of something else changes nothing");
    await (await menu("tab-import")).setInputFiles({ name: "clouds.json", mimeType: "application/json", buffer: Buffer.from('{"format":"muster-clouds","version":1,"values":{"ucloud/device/p/d":"AAAA"}}') });
    await c.get("confirm-ok").click();
    await page.getByText(/cannot be read/).waitFor();
    assert.equal(await secret(), second, "nor do clouds that cannot be read");

    await (await menu("tab-import")).setInputFiles(path);
    await c.get("confirm-ok").click();
    await page.getByText("clouds of the file").waitFor();
    assert.equal(await secret(), first);
    if (kept) {
      await page.reload();
      await c.get("world-tab").click();
      assert.equal(await secret(), first, "they are kept where the others were");
    }
  });
}
