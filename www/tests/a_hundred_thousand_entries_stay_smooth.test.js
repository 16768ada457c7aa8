import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { behaviour } from "./support/console.js";
import { recordingOf } from "./support/recording.js";

const COUNT = 100_000;
/** Milliseconds of work on the page's thread for a frame in which every row is another one; painting is part of it. */
const WORK = 30;
/** Half of the frames have to come at 60 a second, and 95 of 100 within this. */
const TYPICAL = 20;
const MOST = 50;

/** Runs `work` in the page, a step a frame, and tells how long each frame took. */
function measure(page, work, steps) {
  return page.evaluate(
    async ({ work, steps }) => {
      const step = new Function("i", "steps", work);
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      await frame();
      let last = await frame();
      const times = [];
      for (let i = 0; i < steps; i += 1) {
        step(i, steps);
        const now = await frame();
        times.push(now - last);
        last = now;
      }
      return times;
    },
    { work, steps },
  );
}

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

  // Time on the page's thread, which does not run while others have the processor.
  const cdp = await c.context.newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const worked = async () => (await cdp.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration").value * 1_000;
  const frames = async (work, steps) => {
    const before = await worked();
    const times = (await measure(page, work, steps)).sort((a, b) => a - b);
    const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
    return { typical: at(0.5), most: at(0.95), longest: at(1), work: (await worked()) - before };
  };
  const late = [];
  const check = async (name, work, steps, before = async () => {}) => {
    // The best of three. Frames that come late while others want this machine's processors are not the page's fault: then
    // its own work alone is judged.
    for (let i = 1; ; i += 1) {
      await before();
      const times = await frames(work, steps);
      const own = times.work / steps;
      console.log(`# ${name}: ${own.toFixed(1)} ms of work a frame; ${steps} frames, median ${times.typical.toFixed(1)} ms, 95 of 100 within ${times.most.toFixed(1)} ms, longest ${times.longest.toFixed(1)} ms; load ${loadavg()[0].toFixed(1)}`);
      const smooth = times.typical <= TYPICAL && times.most <= MOST;
      if (own <= WORK && (smooth || loadavg()[0] > availableParallelism())) break;
      if (i === 3) {
        late.push(`${name}: ${own.toFixed(1)} ms of work, median ${times.typical} ms, 95 of 100 within ${times.most} ms`);
        break;
      }
    }
    assert.ok((await page.locator("[data-testid=entry]").count()) < 120, `${name}: few rows are drawn`);
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
  assert.deepEqual(late, []);
});
