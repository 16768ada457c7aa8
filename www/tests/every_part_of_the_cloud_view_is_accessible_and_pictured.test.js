import assert from "node:assert/strict";
import { faults } from "./support/axe.js";
import { PRODUCT, behaviour } from "./support/console.js";

const NARROW = [["ucloud", "devices", "device-row"], ["ucloud", "whitelist", "list-row"], ["ucloud", "firmware", "campaign"], ["alibaba", "product", "product"], ["alibaba", "log", "log-line"], ["alibaba", "homes", "owner-row"], ["alibaba", "topology", "sub-device"]];

for (const lang of ["en", "zh"]) {
  for (const theme of ["light", "dark"]) {
    behaviour(`the Cloud view in ${lang}, ${theme}, wide and at 360 px`, { lang, theme, world: "tab", timeout: 240_000 }, async (c) => {
      const { page } = c;
      const found = [];
      const look = async (name) => {
        await c.screenshot(`cloud-${name}-${lang}-${theme}`);
        for (const fault of await faults(page)) found.push(`${name}: ${fault}`);
      };
      const cloud = async (platform, part, there) => {
        await page.goto(`${c.up.origin}/#/cloud/${platform}/${part}?product=${PRODUCT[platform]}`);
        await c.get(there).first().waitFor();
      };
      for (const platform of ["ucloud", "alibaba"]) {
        await c.start(platform);
        await c.state("online");
        await c.get("new-device").click();
      }
      await cloud("ucloud", "devices", "device-row");
      await c.get("device-open").first().click();
      await c.get("report").first().waitFor();
      await c.get("tick-all").check();
      await look("devices");
      await c.get("reset").click();
      await c.get("danger-ok").click();
      await c.get("danger-wrong").waitFor();
      await look("reset");
      await c.get("danger-cancel").click();
      await c.get("disable").click();
      await c.get("undo").waitFor();
      await look("undo");
      await c.get("undo").click();
      await cloud("ucloud", "whitelist", "list-row");
      await c.get("import-text").fill("AABBCC0001\nA!\n112233445566\n");
      await c.get("import-line").first().waitFor();
      await look("whitelist");
      await cloud("ucloud", "firmware", "push-to");
      await c.get("firmware-file").setInputFiles({ name: "image.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(10_000, 7) });
      await c.get("firmware-digest").waitFor();
      await c.get("firmware-upload").click();
      await c.get("image").waitFor();
      await c.get("push-to").selectOption("all");
      await c.get("push-send").click();
      await c.get("campaign-table").click();
      await c.get("upgrade-row").first().waitFor();
      await look("firmware");
      await cloud("krtyun", "product", "product");
      await look("product");
      await cloud("ucloud", "log", "log-line");
      await look("log");
      await cloud("alibaba", "homes", "waiting");
      await look("homes");
      await cloud("alibaba", "topology", "gateway");
      await c.get("sub-name").fill("example2");
      await c.get("sub-add").click();
      await c.get("sub-device").waitFor();
      await c.get("permit-open").click();
      await c.get("permit-close").waitFor();
      await look("topology");
      await page.setViewportSize({ width: 360, height: 780 });
      for (const [platform, part, there] of NARROW) {
        await cloud(platform, part, there);
        if (part === "devices") await c.get("device-open").first().click();
        await look(`${part}-narrow`);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${part} fits 360 px`);
      }
      assert.deepEqual(found, []);
    });
  }
}
