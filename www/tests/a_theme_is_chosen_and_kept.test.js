import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

behaviour("light and dark are chosen against the system's, kept over a reload and in every tab; system follows what the system says", { theme: "light" }, async (c) => {
  const { page } = c;
  /** What it looks like: how light the background is, from 0 to 1. */
  const look = (page) =>
    page.evaluate(() => {
      const [r = 0, g = 0, b = 0] = (/rgba?\(([^)]+)\)/.exec(getComputedStyle(document.body).backgroundColor)?.[1] ?? "").split(/[ ,]+/).map(Number);
      return { theme: document.documentElement.dataset["theme"], light: (r + g + b) / 765 };
    });
  const is = async (theme, of = page) => {
    await of.locator(`html[data-theme=${theme}]`).waitFor();
    const { light } = await look(of);
    assert.ok(theme === "dark" ? light < 0.3 : light > 0.7, `${theme}: ${light}`);
  };
  const chosen = async (theme, of = page) => {
    for (const each of ["light", "dark", "system"]) assert.equal(await c.get(`theme-${each}`, of).getAttribute("aria-checked"), String(each === theme), each);
  };

  await c.get("start-ucloud").waitFor();
  await is("light");
  await chosen("system");

  await c.get("theme-dark").click();
  await is("dark");
  await chosen("dark");
  await page.reload();
  await c.get("start-ucloud").waitFor();
  await is("dark");
  await chosen("dark");
  // In every view, and in another tab.
  for (const view of ["fleet", "cloud", "bind", "tools", "devices"]) {
    await c.get(`rail-${view}`).click();
    await is("dark");
  }
  const other = await c.open();
  await c.get("start-ucloud", other).waitFor();
  await is("dark", other);
  await other.close();

  // Chosen light stays light, whatever the system says; and the choice is made with the keyboard as well.
  await c.get("theme-dark").focus();
  await page.keyboard.press("ArrowLeft");
  await chosen("light");
  await page.emulateMedia({ colorScheme: "dark" });
  await is("light");
  await page.reload();
  await c.get("start-ucloud").waitFor();
  await is("light");

  await c.get("theme-system").click();
  await is("dark");
  await page.emulateMedia({ colorScheme: "light" });
  await is("light");
  await page.reload();
  await c.get("start-ucloud").waitFor();
  await chosen("system");
  await is("light");
});
