import assert from "node:assert/strict";
import { PRODUCT, behaviour } from "./support/console.js";
import { Frames } from "./support/frames.js";

const COUNT = 10_000;
behaviour("10,000 devices: imported, listed, scrolled, searched, sorted; and one that changes is asked for alone", { view: `cloud/ucloud/devices?product=${PRODUCT.ucloud}`, timeout: 240_000 }, async (c) => {
  const { page } = c;
  await c.get("device-row").first().waitFor();
  const name = (i) => `device-${String(i).padStart(5, "0")}`;
  let begun = Date.now();
  await c.up.operate("ucloud", "import_devices", { product: PRODUCT.ucloud, csv: Array.from({ length: COUNT }, (_, i) => `${name(i)}\n`).join("") });
  await page.getByText(`${(COUNT + 5).toLocaleString("en-GB")} devices`).waitFor({ timeout: 60_000 });
  console.log(`# imported and listed after ${Date.now() - begun} ms`);
  assert.ok((await c.get("device-row").count()) < 80, "those that are seen are drawn");

  const frames = await Frames.of(c);
  await frames.check("a drag through everything", "const s = document.querySelector('m-op-devices .grid-scroll'); s.scrollTop = (s.scrollHeight * i) / steps;", 120);
  assert.deepEqual(frames.late, []);
  await page.evaluate(() => document.querySelector("m-op-devices .grid-scroll").scrollTo(0, 1e9));
  await page.locator(`[data-testid=device-row][data-name='${name(COUNT - 1)}']`).waitFor();

  // With the keyboard: from the last row up by one, and to the first.
  await page.locator(`[data-testid=device-row][data-name='${name(COUNT - 1)}']`).getByTestId("device-open").focus();
  await page.keyboard.press("ArrowUp");
  await page.waitForFunction((name) => document.activeElement?.closest("[data-key]")?.getAttribute("data-key") === name, name(COUNT - 2));
  await page.keyboard.press("Home");
  await page.waitForFunction(() => document.activeElement?.closest("[data-key]")?.getAttribute("data-key") === "112233445566");

  begun = Date.now();
  await c.get("device-search").fill("09999");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid=device-row]").length === 1);
  console.log(`# a search in ${Date.now() - begun} ms`);
  await c.get("device-search").fill("");
  await c.get("sort-name").click();
  await page.locator(`[data-testid=device-row][data-name='${name(COUNT - 1)}']`).waitFor();

  // One device changes: the list is not asked for again.
  const asked = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/operate")) asked.push(JSON.parse(request.postData() ?? "{}"));
  });
  await c.up.operate("ucloud", "disable", { product: PRODUCT.ucloud, device: name(COUNT - 1), disabled: true });
  await page.locator(`[data-testid=device-row][data-name='${name(COUNT - 1)}'][data-state=disabled]`).waitFor();
  assert.deepEqual(asked.filter(({ action }) => action.endsWith("_devices")).map(({ action, devices }) => [action, devices]), [["get_devices", [name(COUNT - 1)]]]);

  // All of them at once, with a way to stop.
  await c.get("state-inactive").click();
  await c.get("tick-all").check();
  await c.get("bulk-disable").click();
  await c.get("under-way").waitFor();
  await page.waitForFunction(() => Number(document.querySelector("[data-testid=under-way] progress")?.value ?? 0) > 20);
  await c.get("under-stop").click();
  await c.get("did").waitFor();
  const { items } = await c.up.operate("ucloud", "list_devices", { product: PRODUCT.ucloud, limit: 1_000 });
  const disabled = items.filter(({ state }) => state === "disabled").length;
  assert.ok(disabled > 20 && disabled < 1_000, `${disabled} were disabled until it was stopped`);
});
