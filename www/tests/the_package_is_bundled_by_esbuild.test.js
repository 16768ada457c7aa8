import assert from "node:assert/strict";
import { cp, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { behaviourOf, installed } from "./support/site.js";
import { ROOT } from "./support/up.js";

const { build } = createRequire(join(ROOT, "www/package.json"))("esbuild");

/** esbuild leaves `new URL("./worker.js", import.meta.url)` as it is: what it names has to be beside the bundle. */
async function site() {
  const root = await installed();
  await writeFile(join(root, "index.html"), '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bundled</title><link rel="icon" href="data:,"></head><body><output></output><script type="module" src="/out/main.js"></script></body></html>');
  await writeFile(
    join(root, "main.js"),
    `import { Cloud, Device } from "muster-device";
const device = await Device.start({ platform: "cmcc", cloud: await Cloud.start() });
await device.ready();
document.querySelector("output").textContent = device.state;`,
  );
  await build({ absWorkingDir: root, entryPoints: ["main.js"], outdir: "out", bundle: true, format: "esm", target: "es2022", logLevel: "error" });
  const dist = join(root, "node_modules/muster-device/dist");
  for (const file of await readdir(dist)) if (/^(worker|chunk)|\.wasm$/.test(file)) await cp(join(dist, file), join(root, "out", file));
  return root;
}

behaviourOf("a bundle by esbuild runs with the package's Workers and modules beside it", site, async (page, { asked }) => {
  await page.locator("output").filter({ hasText: "online" }).waitFor();
  assert.ok(asked.some((url) => url.endsWith("/out/worker-all.js")));
});
