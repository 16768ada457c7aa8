import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { behaviour } from "./support/console.js";
import { Frames } from "./support/frames.js";
import { recordingOf } from "./support/recording.js";

const COUNT = 100_000;

const SCROLL = "const s = document.querySelector('.flow-scroll'); s.dispatchEvent(new WheelEvent('wheel'));";
const TYPE = (text) => `const b = document.querySelector('[data-testid=search]'); if (i < ${text.length}) { b.value = '${text}'.slice(0, i + 1); b.dispatchEvent(new Event('input', { bubbles: true })); }`;

behaviour("of 100,000 entries those that are seen are drawn, and scrolling, jumping and searching are smooth", { world: "tab", timeout: 240_000 }, async (c) => {
  const { page } = c;
  const folder = await mkdtemp(join(tmpdir(), "muster-recording-"));
  const file = await recordingOf(COUNT, folder);
  await c.get("start-ucloud").waitFor();
  const begin = Date.now();
  await c.get("open-recording").setInputFiles(file);
  await c.get("recording").waitFor();
  console.log(`# opened in ${Date.now() - begin} ms`);
  await rm(folder, { recursive: true });
  assert.match(await c.get("count").innerText(), /100,000/);

  const frames = await Frames.of(c);
  const check = async (...what) => {
    await frames.check(...what);
    assert.ok((await page.locator("[data-testid=entry]").count()) < 120, `${what[0]}: few rows are drawn`);
  };

  for (const view of ["diagram", "table"]) {
    await c.get(`view-${view}`).click();
    await check(`${view}, a wheel's steps`, `${SCROLL} s.scrollTop += 100;`, 120);
    await check(`${view}, a drag through everything`, `${SCROLL} s.scrollTop = (s.scrollHeight * i) / steps;`, 120);
    await check(`${view}, jumps`, `${SCROLL} s.scrollTop = s.scrollHeight * ((i * 0.618) % 1);`, 60);
  }
  await check("a search, typed", TYPE("payload:haystack"), 120, () => c.get("search").fill(""));
  await page.getByText(/^\d+ of 100,000$/).waitFor();
  const found = Number((await c.get("count").innerText()).split(" ")[0]);
  assert.equal(await page.locator("[data-testid=entry]").count(), found, "all that was found is drawn, being little");
  assert.ok(found >= 5 && found <= 20, String(found));
  await c.get("search").fill("");
  await page.getByText(/^100,000 entries$/).waitFor();

  // What is drawn is what belongs there.
  await page.evaluate(() => document.querySelector(".flow-scroll")?.scrollTo(0, 1e9));
  await page.locator(`[data-testid=entry][data-seq="${COUNT + 1}"]`).waitFor();
  assert.deepEqual(frames.late, []);
});
