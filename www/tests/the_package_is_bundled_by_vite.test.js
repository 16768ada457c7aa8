import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { behaviourOf, installed } from "./support/site.js";
import { ROOT } from "./support/up.js";

const { build } = await import(pathToFileURL(createRequire(join(ROOT, "www/package.json")).resolve("vite")).href.replace(/index\.cjs$/, "dist/node/index.js"));

async function site() {
  const root = await installed();
  await writeFile(join(root, "index.html"), '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bundled</title><link rel="icon" href="data:,"></head><body><output></output><muster-device platform="krtyun" cloud="tab" autostart></muster-device><script type="module" src="/main.js"></script></body></html>');
  await writeFile(
    join(root, "main.js"),
    `import { Cloud, Device } from "muster-device";
import "muster-device/element";
const cloud = await Cloud.start();
const device = await Device.start({ platform: "alibaba", cloud });
await device.ready();
document.querySelector("output").textContent = device.identity.device;`,
  );
  await build({ root, logLevel: "error", configFile: false, worker: { format: "es" }, build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } } });
  return join(root, "dist");
}

behaviourOf("a bundle by Vite runs under the same policy, Workers and modules beside it", site, async (page, { asked }) => {
  await page.locator("output").filter({ hasText: "example1" }).waitFor();
  await page.locator("muster-device .state[data-state=online]").waitFor();
  assert.ok(asked.some((url) => /\/assets\/muster_all_bg-.*\.wasm$/.test(url)));
});
