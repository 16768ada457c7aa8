import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { fleetPage } from "./support/figures.js";

/** A table of the page: its rows, each a list of texts. */
const table = (locator) => locator.evaluate((element) => [...element.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent.trim())));
/** What is behind a chart. */
const behind = (fleets, id) => table(fleets.get(`chart-${id}`).locator("table"));
/** Milliseconds of a time as the page writes it. */
const ms = (text) => {
  const [, value, unit] = /^([\d.]+)\u00a0(ms|s)$/.exec(text) ?? assert.fail(`${text} is no time`);
  return Number(value) * (unit === "s" ? 1_000 : 1);
};

const COUNT = 30;
const RATE = 10;

behaviour("a fleet starts at its rate, reports at its interval and ends after its time; charts, figures and the summary say so", { world: "tab", timeout: 240_000 }, async (c) => {
  const fleets = await fleetPage(c, "tab");
  const { page } = fleets;
  await c.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: c.up.origin });
  await fleets.count("ucloud", COUNT, "drawn-");
  await fleets.fill("fleet-rate", String(RATE));
  await fleets.fill("fleet-every", "1");
  await fleets.get("fleet-goal").selectOption("for");
  await fleets.fill("fleet-minutes", "0.2");
  await fleets.run();
  assert.equal(await fleets.verdict(120_000), true);
  // Not before its time, which is 12 s, and it has ended with it.
  assert.match(await fleets.get("fleet-verdict").innerText(), /all 30 were online at the end of 1[23]\.?\d* s, and none was lost/);
  await page.locator("[data-testid=fleet][data-phase=idle]").waitFor();

  // The ramp: ten in a second and no more, although the tab could do hundreds.
  const { ready, seconds } = await fleets.speed();
  assert.equal(ready, COUNT);
  assert.ok(seconds >= COUNT / RATE - 1.1 && seconds <= COUNT / RATE + 4, `${seconds} s`);
  const rates = (await behind(fleets, "rate")).map(([, rate]) => Number(rate));
  assert.ok(rates.length >= 10, `${rates.length} samples`);
  assert.ok(Math.max(...rates) > 0 && rates.slice(-5).every((rate) => rate === 0), `it rises, and falls when all are there: ${rates}`);
  assert.ok((await fleets.get("chart-rate").locator("svg[role=img] polyline").count()) >= 1);

  // How many were where: more and more online, and in the end all.
  const states = (await behind(fleets, "states")).map(([, online]) => Number(online));
  assert.ok(states.some((online) => online > 0 && online < COUNT), String(states));
  assert.equal(Math.max(...states), COUNT);
  for (let i = 1; i < states.length - 1; i += 1) assert.ok(states[i] >= states[i - 1], String(states));
  assert.match(await fleets.get("chart-states").locator("svg[role=img]").getAttribute("aria-label"), /Devices: \d+ online/);

  // How long it took: registering and login once each, and a report a second of each device.
  const latency = Object.fromEntries((await fleets.get("fleet-latency").locator("tbody tr").all().then((rows) => Promise.all(rows.map(async (row) => [await row.getAttribute("data-measure"), (await row.locator("td").allInnerTexts())])))));
  for (const measure of ["register", "login", "report"]) {
    const [count, ...quantiles] = latency[measure];
    const times = quantiles.map(ms);
    assert.deepEqual([...times].sort((a, b) => a - b), times, `${measure}: p50, p95, p99, longest`);
    assert.ok(times[0] > 0 && times.at(-1) < 30_000, `${measure}: ${times}`);
    if (measure === "report") {
      // Nine seconds and more of each, the first of them spread over a period.
      assert.ok(Number(count) >= COUNT * 7 && Number(count) <= COUNT * 15, `${count} reports of ${COUNT} devices in 12 s`);
    } else assert.equal(Number(count), COUNT);
    // What came since the sample before, over time: of the report always something.
    const over = await behind(fleets, measure);
    const drawn = over.filter(([, ...values]) => values.every((value) => value !== "–"));
    assert.ok(drawn.length >= (measure === "report" ? 8 : 1), `${measure}: ${drawn.length} samples`);
    for (const [, ...values] of drawn) assert.deepEqual([...values.map(ms)].sort((a, b) => a - b), values.map(ms));
    assert.ok((await fleets.get(`chart-${measure}`).locator("svg[role=img] polyline").count()) >= 3);
  }
  // Those devices said so themselves.
  const reports = (await page.locator("[data-testid=fleet-row] .c-reports").allInnerTexts()).map(Number);
  assert.ok(reports.length >= 10 && reports.every((n) => n >= 6 && n <= 15), String(reports));

  // The ticket: Markdown with the same figures, and no secret.
  await fleets.get("fleet-summary").click();
  await page.getByText("Copied; no secret is in it").first().waitFor({ state: "attached" });
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^# Fleet: 30 devices of ucloud, clouds in the tab\n/);
  assert.match(text, /\*\*passed: 30 of 30 online after 1[23][.\d]* s, 0 times one was lost\*\*/);
  assert.match(text, new RegExp(`- 30 were ready after ${Math.round(seconds * 10) / 10} s, ${Math.round(COUNT / seconds)} a second; 30 got their secret in this run`));
  const lines = text.split("\n").filter((line) => /^\| (register|login|report) /.test(line)).map((line) => line.split("|").map((cell) => cell.trim()));
  assert.deepEqual(lines.map(([, name, count]) => [name, count]), ["register", "login", "report"].map((name) => [name, latency[name][0].replaceAll(",", "")]));
  const credentials = await fleets.saved("fleet-credentials", true);
  const secrets = credentials.trim().split("\n").slice(1).map((row) => row.split(",").at(-1));
  assert.equal(secrets.length, COUNT);
  for (const secret of secrets) assert.ok(secret.length >= 8 && !text.includes(secret));
});

behaviour("a list that is dropped is taken, what all have in common is theirs, and states filter the table", { world: "tab" }, async (c) => {
  const fleets = await fleetPage(c, "tab");
  const { page } = fleets;
  await fleets.get("fleet-platform-ucloud").click();
  await fleets.get("fleet-source-list").click();
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["device_sn,firmware_version\n112233445566,\n112233445567,9.9.9\nnobody-knows-me,\n"], "dropped.csv", { type: "text/csv" }));
    return data;
  });
  await fleets.get("fleet-drop").dispatchEvent("dragover", { dataTransfer: dropped });
  await page.locator("[data-testid=fleet-drop].over").waitFor();
  await fleets.get("fleet-drop").dispatchEvent("drop", { dataTransfer: dropped });
  assert.match(await fleets.get("fleet-file-name").innerText(), /dropped\.csv.*3/);

  // What is no key=value is told by its line, and nothing starts.
  await fleets.fill("fleet-common", "# all of them\nfirmware_version 4.5.6");
  await fleets.run();
  assert.match(await fleets.get("fleet-failure").innerText(), /line 2/);
  await fleets.fill("fleet-common", '# all of them\nfirmware_version = "4.5.6"');
  await fleets.run();
  assert.equal(await fleets.verdict(), false);
  await fleets.get("fleet-filter").selectOption("online");
  await page.locator("[data-testid=fleet-shown][data-total='2']").waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll("[data-testid=fleet-row]")].map((row) => row.getAttribute("data-state")).join() === "online,online");
  await fleets.get("fleet-filter").selectOption("rejected");
  await page.locator("[data-testid=fleet-shown][data-total='1']").waitFor();
  await page.locator("[data-testid=fleet-row][data-name=nobody-knows-me]").waitFor();

  // The cloud heard the common version from the one, and the row's own from the other, which beats it.
  await page.evaluate(() => (location.hash = "#/cloud/ucloud/devices?product=muster0ucloud001"));
  for (const [name, version] of [["112233445566", "4.5.6"], ["112233445567", "9.9.9"]]) await page.locator(`[data-testid=device-row][data-name='${name}']`, { hasText: version }).waitFor();
});
