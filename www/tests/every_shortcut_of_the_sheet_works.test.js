import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("every key that the sheet names does what it says, and single ones can be switched off", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("krtyun");
  await c.state("online");
  await c.get("device-duplicate").click();
  await c.get("device-item").first().click();
  await page.locator("body").press("?");
  const sheet = await c.get("shortcut-key").evaluateAll((keys) => keys.map((key) => `${key.dataset["context"]} ${key.dataset["key"]}`));
  await page.keyboard.press("Escape");
  await c.get("shortcuts-sheet").waitFor({ state: "detached" });

  const tested = new Set(["page ?", "page Escape"]);
  const press = async (context, key) => {
    tested.add(`${context} ${key}`);
    await page.keyboard.press(key);
  };
  const view = () => page.evaluate(() => location.hash);
  const on = (testid) => c.get(testid).getAttribute("aria-pressed");
  const open = () => page.locator("[data-testid=device-item][aria-current]").locator("small").first().innerText();

  const first = await open();
  await press("device", "]");
  assert.notEqual(await open(), first);
  await press("device", "[");
  assert.equal(await open(), first);
  const following = await on("follow");
  await press("device", "f");
  assert.notEqual(await on("follow"), following);
  await press("device", "p");
  assert.equal(await on("pause"), "true");
  await page.keyboard.press("p");
  await press("device", "t");
  assert.equal(await c.get("timeline").getAttribute("data-view"), "table");
  await page.keyboard.press("t");

  await press("device", "/");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("data-testid")), "search");
  await page.keyboard.type("CONNECT");
  await press("search", "Escape");
  assert.equal(await c.get("search").inputValue(), "");
  const inEntry = () => page.evaluate(() => document.activeElement?.closest("[data-testid=entry]")?.getAttribute("data-seq") ?? null);
  await press("search", "ArrowDown");
  assert.notEqual(await inEntry(), null);
  await c.get("search").focus();
  await press("search", "Enter");
  assert.notEqual(await inEntry(), null);

  const moves = async (key) => {
    const before = await inEntry();
    await press("entry", key);
    const after = await inEntry();
    assert.notEqual(after, null, key);
    return [Number(before), Number(after)];
  };
  await moves("Home");
  const [top, next] = await moves("ArrowDown");
  assert.ok(next > top);
  const [, back] = await moves("ArrowUp");
  assert.equal(back, top);
  const [, far] = await moves("PageDown");
  assert.ok(far > next);
  await moves("PageUp");
  const [, end] = await moves("End");
  assert.ok(end >= far);
  await c.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await press("entry", "c");
  await page.getByText("Copied").first().waitFor({ state: "attached" });
  assert.equal(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())).seq, end);
  await press("entry", "m");
  await page.locator("[data-testid=entry].marked, .marked").first().waitFor();
  await press("entry", "Enter");
  await c.get("detail-close").waitFor();
  await page.keyboard.press("Escape");
  await c.get("detail-close").waitFor({ state: "hidden" });

  await press("page", "n");
  await c.get("start-ucloud").waitFor();
  const views = await page.locator(".rail a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  for (const [at, href] of views.entries()) {
    await press("page", String(at + 1));
    assert.ok((await view()).startsWith(href), `${at + 1}: ${await view()}`);
  }
  // The keys of tree, table and replay are tried where these are: their views' own tests.
  assert.deepEqual(sheet.filter((key) => !tested.has(key) && !/^(tree|grid|replay) /.test(key)), [], "keys that the sheet names and nobody tried");
  assert.deepEqual([...tested].filter((key) => !sheet.includes(key)), [], "keys that work and the sheet does not name");

  await page.keyboard.press("1");
  await page.locator("body").press("?");
  await c.get("shortcuts-sheet").locator("input[type=checkbox]").uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("2");
  assert.ok((await view()).startsWith("#/devices"), "a single key does nothing any more");
});
