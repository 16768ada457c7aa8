// The Bind view in a test's hands.

/** Opens a part of it. */
export async function open(c, part) {
  await c.get("rail-bind").click();
  if (part !== "guide") await c.get(`bind-part-${part}`).click();
}

/** Steps of the guided bind with their states. */
export async function steps(c) {
  return Promise.all((await c.get("bind-step").all()).map(async (step) => [await step.getAttribute("data-step"), await step.getAttribute("data-state")]));
}

export async function run(c, state) {
  await c.page.locator(`[data-testid=run][data-state=${state}]`).waitFor();
}

/** A countdown that stands at `state`. */
export async function left(c, testid, state) {
  await c.page.locator(`[data-testid=${testid}][data-state=${state}]`).waitFor();
}

/** What was said to people who cannot see it, from now on. */
export async function listen(c) {
  await c.page.evaluate(() => {
    const said = (window["said"] = []);
    new MutationObserver(() => said.push(document.getElementById("announcer")?.textContent ?? "")).observe(document.getElementById("announcer"), { childList: true, characterData: true, subtree: true });
  });
  return () => c.page.evaluate(() => window["said"].join("\n"));
}

/** The app's own settings, changed as a person does. */
export async function appSettings(c, settings) {
  await c.get("app-settings").click();
  await c.get("settings-dialog").waitFor();
  for (const [key, value] of Object.entries(settings)) {
    const input = c.get(`setting-${key}`);
    if (!(await input.isVisible())) for (const folded of await c.page.locator("dialog details:not([open]) > summary").all()) await folded.click();
    await input.fill(value);
  }
  await c.get("settings-start").click();
}
