import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { KB, firstPage, interactive } from "./support/figures.js";

behaviour("everything that the first page loads, WebAssembly and all, is at most 350 KB", {}, async (c) => {
  const { total, module, files, uncompressed } = await firstPage(c);
  console.log(`# first page ${(total / KB).toFixed(1)} KB gzip in ${files} files, module ${(module / KB).toFixed(1)} KB`);
  assert.deepEqual(uncompressed, [], "what travels uncompressed");
  assert.ok(module > 0, "the module was loaded");
  assert.ok(total <= 350 * KB, `the first page is ${total} bytes`);
});

behaviour("a card can be started within a second", {}, async (c) => {
  const times = await interactive(c);
  console.log(`# interactive after ${times.map((time) => time.toFixed(0)).join(", ")} ms`);
  // The best of three: what else runs on this machine is not the page's doing.
  assert.ok(Math.min(...times) <= 1000, `${times}`);
});
