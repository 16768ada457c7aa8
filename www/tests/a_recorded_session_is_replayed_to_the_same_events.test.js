import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";

/** The events of the timeline's device, steps aside: those have no row of their own. */
const told = (page) => page.locator("[data-testid=entry][data-kind=event][data-side=device]").evaluateAll((rows) => rows.map((row) => row.dataset.type));

/** Everything that a step shows. */
const shown = (c, page) => c.get("replay-place", page).innerText();

for (const platform of PLATFORMS) {
  behaviour(`${platform}: exported without a secret, opened in another page, lived again forwards and backwards`, { timeout: 240_000 }, async (c) => {
    const { page } = c;
    await c.start(platform);
    await c.state("online");
    const { items: products } = await c.up.operate(platform, "list_products", { reveal: true });
    const { items: devices } = await c.up.operate(platform, "list_devices", { product: PRODUCT[platform], reveal: true, limit: 100 });
    const secrets = [...products, ...devices].map(({ secret }) => secret).filter((secret) => typeof secret === "string" && secret.length > 3);
    assert.ok(secrets.length > 1, "the cloud knows the secrets that are looked for");

    // In the page that recorded it: with the real values, covered as everywhere.
    await c.get("panel-replay").click();
    await c.get("replay-verdict").waitFor();
    assert.equal(await c.get("replay-verdict").getAttribute("data-differs"), null);
    for (const secret of secrets) assert.ok(!(await c.get("replay").innerText()).includes(secret), "a secret is shown");
    const here = Number(await c.get("replay").getAttribute("data-length"));
    await c.get("panel-close").click();

    await c.get("export").click();
    await c.get("export-dialog").waitFor();
    assert.ok(await c.get("export-replay").isChecked());
    const [download] = await Promise.all([page.waitForEvent("download"), c.get("export-json").click()]);
    const path = await download.path();
    const text = await readFile(path, "utf8");
    const [{ replay }] = JSON.parse(text).lives;
    assert.ok(replay.steps >= here, `${replay.steps} steps, ${here} before`);
    assert.equal(replay.strays, null);
    const bytes = Buffer.from(replay.recording, "base64");
    for (const secret of secrets) {
      assert.ok(!text.includes(secret), "the file holds a secret");
      assert.equal(bytes.indexOf(secret), -1, "the recording holds a secret");
    }

    const other = await c.open({});
    await c.get("open-recording", other).setInputFiles(path);
    await c.get("recording", other).waitFor();
    const rows = await told(other);
    await c.get("panel-replay", other).click();
    await c.get("replay-verdict", other).waitFor();
    assert.equal(await c.get("replay-verdict", other).getAttribute("data-differs"), null, await c.get("replay-verdict", other).innerText());
    await c.get("replay-covered", other).waitFor();

    const length = Number(await c.get("replay", other).getAttribute("data-length"));
    assert.equal(length, replay.steps);
    const at = (step) => other.locator(`[data-testid=replay][data-at="${step}"]`).waitFor();
    const places = [];
    const events = [];
    await c.get("replay-slider", other).focus();
    for (let step = 0; step <= length; step += 1) {
      await at(step);
      places.push(await shown(c, other));
      events.push(...(await other.locator("[data-testid=replay-outputs] [data-event]").evaluateAll((found) => found.map((one) => one.dataset.event))));
      if (step < length) await other.keyboard.press("ArrowRight");
    }
    assert.deepEqual(events.filter((event) => event !== "step"), rows, "the same events");
    assert.ok(events.includes("ready"));
    for (let step = length - 1; step >= 0; step -= 1) {
      await other.keyboard.press("ArrowLeft");
      await at(step);
      assert.equal(await shown(c, other), places[step], `back at step ${step}`);
    }
    await other.keyboard.press("End");
    await at(length);
    assert.equal(await shown(c, other), places[length]);
    // All of the life is behind: every row of it is marked.
    assert.equal(await other.locator("[data-testid=entry][data-replay=ahead]").count(), 0);
    await other.keyboard.press("Home");
    await at(0);
    assert.ok((await other.locator("[data-testid=entry][data-replay=ahead]").count()) > 5);

    // Space plays to the end.
    await c.get("replay-speed-max", other).click();
    await c.get("replay-slider", other).focus();
    await other.keyboard.press(" ");
    await at(length);
  });
}
