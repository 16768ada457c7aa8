// Devices with faults, at the clouds in the tab: quick, and nothing outside the page.



/**
 * A second device of the platform, off, whose faults can be armed before it is ever started. The first one shows that the
 * same life works without them.
 */
export async function fresh(c, platform, options) {
  if (options === undefined) await c.start(platform);
  else await c.startWith(platform, options);
  await c.state("online");
  await c.get("stop").click();
  await c.state("off");
  await c.get("device-duplicate").click();
  await c.get("entry").first().waitFor({ state: "detached" });
  await openFaults(c);
}

export async function openFaults(c) {
  const button = c.get("panel-faults");
  if ((await button.getAttribute("aria-expanded")) !== "true") await button.click();
  await c.get("faults-none").or(c.get("fault-armed").first()).first().waitFor();
}

export async function closeFaults(c) {
  await c.get("panel-close").click();
}

/** Arms a ready fault of the catalogue. */
export async function arm(c, group, id, fields = {}) {
  await c.get(`fault-group-${group}`).click();
  for (const [key, value] of Object.entries(fields)) {
    const field = c.get(`fault-field-${id}-${key}`);
    if ((await field.evaluate((element) => element.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  await c.get(`arm-${id}`).click();
  await c.page.locator(`[data-testid=fault-armed][data-id="${id}"]`).waitFor();
}

/** Arms rules as JSON, in the place of all others. */
export async function armJson(c, rules) {
  const json = c.get("faults-json");
  if (!(await c.get("faults-text").isVisible())) await json.locator("summary").click();
  await c.get("faults-text").fill(JSON.stringify(rules));
  await c.get("faults-use").click();
}

/** Starts the open device and leaves the timeline to be seen. */
export async function begin(c) {
  await closeFaults(c);
  await c.get("restart").click();
}

/** The entries of the open device, oldest first, as the export has them. */
export async function entries(c) {
  const [download] = await Promise.all([c.page.waitForEvent("download"), exportJson(c)]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  await c.get("export-close").click();
  return JSON.parse(Buffer.concat(chunks).toString()).rows;
}

async function exportJson(c) {
  await c.get("export").click();
  await c.get("export-json").click();
}

export const events = (rows, name) => rows.filter((row) => row.kind === "event" && row.event.event === name).map((row) => row.event);
export const packets = (rows, direction, type, topic = "") => rows.filter((row) => row.kind === "mqtt" && row.direction === direction && row.packet.type === type && (row.packet.topic ?? "").includes(topic));
export const strikes = (rows, fault) => rows.filter((row) => row.kind === "fault" && row.done.fault === fault);
export const stores = (rows, key) => rows.filter((row) => row.kind === "store" && row.key === key && row.action === "put" && row.outcome === "done");
