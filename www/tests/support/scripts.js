// Scripts of a device.

export async function openScript(c) {
  const button = c.get("panel-script");
  if ((await button.getAttribute("aria-expanded")) !== "true") await button.click();
  await c.get("script-text").waitFor();
}

export async function run(c, source) {
  await c.get("script-text").fill(source);
  await c.get("script-run").click();
}

export async function example(c, id) {
  await c.get("script-example").selectOption(id);
  await c.get("script-run").click();
}

/** Waits for how it ended, or that it runs. */
export async function scriptState(c, state, timeout = 30_000) {
  await c.page.locator(`[data-testid=script-state][data-state=${state}]`).waitFor({ timeout });
}

/** What it said, a line each. */
export async function said(c) {
  return c.page.locator("[data-testid=script-line] > span").allInnerTexts();
}

/** Waits for a line. */
export async function line(c, text, timeout = 30_000) {
  await c.page.locator("[data-testid=script-line]", { hasText: text }).first().waitFor({ timeout });
}
