import assert from "node:assert/strict";
import { left, open as openBind, run } from "./support/bind.js";
import { PRODUCT, behaviour } from "./support/console.js";

behaviour("every key that the sheet names does what it says, and single ones can be switched off", { world: "tab", timeout: 240_000 }, async (c) => {
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
    await page.keyboard.press(key === " " ? "Space" : key);
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

  // In a replay: step by step, to its ends, and by itself.
  await c.get("panel-replay").click();
  await c.get("replay-verdict").waitFor();
  const length = Number(await c.get("replay").getAttribute("data-length"));
  assert.ok(length > 3, String(length));
  const at = (step) => page.locator(`[data-testid=replay][data-at="${step}"]`).waitFor();
  await at(0);
  await c.get("replay-slider").focus();
  await press("replay", "ArrowRight");
  await at(1);
  await page.keyboard.press("ArrowRight");
  await at(2);
  await press("replay", "ArrowLeft");
  await at(1);
  await press("replay", "End");
  await at(length);
  await press("replay", "Home");
  await at(0);
  const play = () => c.get("replay-play").getAttribute("aria-label");
  const still = await play();
  await press("replay", " ");
  await page.waitForFunction((still) => document.querySelector("[data-testid=replay-play]")?.getAttribute("aria-label") !== still, still);
  await page.waitForFunction(() => Number(document.querySelector("[data-testid=replay]")?.dataset["at"]) > 0);
  await c.get("panel-close").click();

  // A message of one's own: Enter alone is a new line.
  await c.get("panel-messages").click();
  await c.get("message-topic").fill("/sys/20191210/10001/own");
  await c.get("message-payload").fill("one");
  await page.keyboard.press("Enter");
  assert.equal(await c.get("message-outcome").getAttribute("data-word"), null);
  await press("message", "Control+Enter");
  await page.locator("[data-testid=message-outcome][data-word=sent]").waitFor();
  await c.get("panel-close").click();

  await press("page", "n");
  await c.get("start-ucloud").waitFor();
  const views = await page.locator(".rail a").evaluateAll((links) => links.map((link) => link.getAttribute("href")));
  for (const [at, href] of views.entries()) {
    await press("page", String(at + 1));
    assert.ok((await view()).startsWith(href), `${at + 1}: ${await view()}`);
  }

  // In a table: of more rows than are seen at once.
  await page.evaluate((hash) => (location.hash = hash), `#/cloud/ucloud/whitelist?product=${PRODUCT.ucloud}`);
  await c.get("import-text").fill(Array.from({ length: 60 }, (_, i) => `keys-${String(i).padStart(2, "0")}`).join("\n"));
  await c.get("import-send").click();
  await c.get("did").waitFor();
  await c.get("part-devices").click();
  await page.getByText("65 devices", { exact: true }).waitFor();
  const rows = ["112233445566", "112233445567", "112233445568", "112233445569", "112233445570", ...Array.from({ length: 60 }, (_, i) => `keys-${String(i).padStart(2, "0")}`)];
  const inRow = () => page.evaluate(() => document.activeElement?.closest("[data-key]")?.getAttribute("data-key") ?? null);
  const goes = async (key, to) => {
    await press("grid", key);
    await page.waitForFunction((name) => document.activeElement?.closest("[data-key]")?.getAttribute("data-key") === name, to);
  };
  await page.locator(`[data-testid=device-row][data-name='${rows[0]}']`).getByTestId("device-open").focus();
  await goes("ArrowDown", rows[1]);
  await goes("ArrowUp", rows[0]);
  await press("grid", "PageDown");
  await page.waitForFunction((first) => ![null, undefined, first].includes(document.activeElement?.closest("[data-key]")?.getAttribute("data-key")), rows[0]);
  const paged = rows.indexOf(await inRow());
  assert.ok(paged > 3 && paged < rows.length - 1, `${paged} rows further`);
  await goes("PageUp", rows[0]);
  await goes("End", rows.at(-1));
  await goes("Home", rows[0]);

  // In a home: a gateway with a sub-device.
  await openBind(c, "gateways");
  await c.get("start-gateway").click();
  await page.locator("[data-testid=bind-gateway]:not([disabled])").click();
  await left(c, "token-left", "running");
  await c.get("guide-start").click();
  await run(c, "bound");
  await c.get("bind-part-gateways").click();
  const [gateway, sub] = ["a1mustergw1/gateway1", `${PRODUCT.alibaba}/example2`];
  await c.get("add-choice").selectOption(sub);
  await c.get("add-sub").click();
  await page.locator(`[data-testid=tree-item][data-name="${sub}"]`).waitFor();
  const home = page.locator("[data-testid=tree-item][data-kind=home]");
  const homeName = await home.getAttribute("data-name");
  const climbs = async (key, to) => {
    await press("tree", key);
    await page.waitForFunction((name) => document.activeElement?.getAttribute("data-name") === name, to);
  };
  await home.focus();
  await climbs("ArrowDown", gateway);
  await climbs("ArrowRight", sub);
  await climbs("ArrowLeft", gateway);
  await climbs("ArrowUp", homeName);
  await climbs("End", sub);
  await climbs("Home", homeName);
  await page.keyboard.press("End");
  await press("tree", "Delete");
  await c.get("confirm-cancel").click();

  assert.deepEqual(sheet.filter((key) => !tested.has(key)), [], "keys that the sheet names and nobody tried");
  assert.deepEqual([...tested].filter((key) => !sheet.includes(key)), [], "keys that work and the sheet does not name");

  // Switched off, single keys do nothing any more, wherever one is; the others do what they did.
  await page.keyboard.press("1");
  await page.locator("body").press("?");
  await c.get("shortcuts-sheet").locator("input[type=checkbox]").uncheck();
  await page.keyboard.press("Escape");
  await c.get("shortcuts-sheet").waitFor({ state: "detached" });
  await c.get("device-item").first().click();
  await c.entries("mqtt").first().locator("button").focus();
  const seen = () =>
    page.evaluate(() => {
      const of = (testid, name) => document.querySelector(`[data-testid=${testid}]`)?.getAttribute(name) ?? null;
      const focused = document.activeElement?.closest("[data-testid=entry]")?.getAttribute("data-seq") ?? document.activeElement?.tagName;
      return [location.hash, document.querySelector("[data-testid=device-item][aria-current] small")?.textContent, of("follow", "aria-pressed"), of("pause", "aria-pressed"), of("timeline", "data-view"), focused, document.querySelectorAll("dialog[open]").length, document.querySelector("[data-testid=entry].marked")?.getAttribute("data-seq") ?? null];
    });
  const before = await seen();
  assert.notEqual(before[5], "BODY");
  await page.evaluate(() => navigator.clipboard.writeText("as it was"));
  const singles = [...new Set(sheet.map((key) => key.slice(key.indexOf(" ") + 1)))].filter((key) => key.length === 1 && key !== " ");
  assert.ok(singles.length >= 12, singles.join(""));
  for (const key of singles) {
    await page.keyboard.press(key);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    assert.deepEqual(await seen(), before, `${key} is switched off`);
  }
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "as it was", "c is switched off");
  await page.keyboard.press("ArrowDown");
  assert.notDeepEqual(await seen(), before, "keys that are no letters, digits or signs go on");
});
