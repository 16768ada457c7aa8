import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

const CHINESE = /[\u4e00-\u9fff]/;

behaviour("a switch of the language changes the whole page at once, and is remembered", {}, async (c) => {
  const { page } = c;
  await c.get("start-ucloud").waitFor();
  const button = () => c.get("start-ucloud").innerText();
  assert.ok(!CHINESE.test(await button()));
  await c.get("lang-zh").click();
  await page.locator("html[lang=zh-CN]").waitFor();
  assert.ok(CHINESE.test(await button()));
  for (const view of ["devices", "cloud", "bind", "tools"]) {
    await c.get(`rail-${view}`).click();
    assert.ok(CHINESE.test(await page.locator("h1").innerText()), view);
  }
  await page.reload();
  await page.locator("html[lang=zh-CN]").waitFor();
  await c.get("lang-en").click();
  for (const view of ["tools", "bind", "cloud", "devices"]) {
    await c.get(`rail-${view}`).click();
    // The button that leads to the other language is written in it.
    const text = (await page.locator("body").innerText()).replace("中文", "");
    assert.ok(!CHINESE.test(text), `${view}: ${CHINESE.exec(text)?.[0]}`);
  }
});

behaviour("a browser that prefers Chinese gets it", { lang: "zh" }, async (c) => {
  await c.page.locator("html[lang=zh-CN]").waitFor();
  await c.start("cmcc");
  await c.state("online");
  assert.ok(CHINESE.test(await c.get("device-state").innerText()));
  assert.ok(CHINESE.test(await c.get("next").innerText()), "what comes next is said in Chinese");
});
