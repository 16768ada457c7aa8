import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { behaviourOf, installed } from "./support/site.js";
import { TARGET } from "./support/up.js";

const state = (page, platform, state) => page.locator(`muster-device[platform=${platform}]`).locator(`.state[data-state=${state}]`).waitFor();

for (const theme of ["light", "dark"]) {
  behaviourOf(`the example page, ${theme}: a device of each platform comes online, and a script's too`, () => installed("page"), async (page, { faults, asked }) => {
    await state(page, "ucloud", "online");
    for (const [platform, word] of [["cmcc", "启动"], ["krtyun", "Start"], ["alibaba", "启动"]]) {
      await page.locator(`muster-device[platform=${platform}]`).getByRole("button", { name: word, exact: true }).click();
      await state(page, platform, "online");
    }
    await page.getByRole("button", { name: "Register a device" }).click();
    await page.getByText("ready: online").waitFor();
    await page.getByText("stopped", { exact: true }).waitFor();
    const folder = join(TARGET, "screenshots");
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `package-page-${theme}.png`), fullPage: true });
    assert.deepEqual(await faults(), []);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.screenshot({ path: join(folder, `package-page-${theme}-360.png`), fullPage: true });
    assert.deepEqual(await faults(), []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing is wider than a telephone");
    assert.ok(asked.some((url) => url.endsWith("/dist/muster_all_bg.wasm")), "the module came from the site");
  }, { theme });
}
