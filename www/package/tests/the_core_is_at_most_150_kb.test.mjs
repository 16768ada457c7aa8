import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { project } from "./support/package.mjs";

const KB = 1024;

test("what a page loads for devices on the network is at most 150 KB: index, Worker, all they import, and the module", async () => {
  const installed = await project();
  const dist = join(installed.package, "dist");
  const sizes = new Map();
  const visit = async (file) => {
    if (sizes.has(file)) return;
    const bytes = await readFile(join(dist, file));
    sizes.set(file, gzipSync(bytes, { level: 9 }).length);
    if (!file.endsWith(".js")) return;
    for (const [, name] of bytes.toString().matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) await visit(name);
  };
  for (const file of ["index.js", "worker.js", "muster_bg.wasm"]) await visit(file);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  for (const [file, size] of sizes) console.log(`# ${file}: ${size} bytes gzip`);
  console.log(`# the core: ${total} bytes gzip (${(total / KB).toFixed(1)} KB)`);
  assert.ok(total <= 150 * KB, `the core is ${total} bytes`);
  await installed.end();
});
