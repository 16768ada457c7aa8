import assert from "node:assert/strict";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";
import { example, line, openScript, run, said, scriptState } from "./support/scripts.js";

const LONG = { timeout: 240_000 };
const NAME = { ucloud: "device_sn", cmcc: "device_no", krtyun: "device_id", alibaba: "device_name" };

async function online(c, platform) {
  await c.start(platform);
  await c.state("online");
  const device = (await c.up.get("/api/demo"))[platform].settings[NAME[platform]];
  await openScript(c);
  return { product: PRODUCT[platform], device };
}

const reports = async (c, platform, place) => (await c.up.operate(platform, "list_reports", place)).items;

for (const platform of ["ucloud", "alibaba"]) {
  behaviour(`${platform}: telemetry, echo and an answer to a downlink reach the cloud`, LONG, async (c) => {
    const place = await online(c, platform);
    await example(c, "telemetry");
    await line(c, 'posted {"temperature":', 30_000);
    assert.ok(JSON.stringify(await reports(c, platform, place)).includes("temperature"), "the cloud has it");
    const first = (await said(c))[0];

    // The same seed walks the same way.
    await c.get("script-run").click();
    await c.get("script-line").first().waitFor({ state: "detached" });
    await line(c, "posted", 30_000);
    assert.equal((await said(c))[0], first);

    await example(c, "echo");
    await line(c, "waiting for properties");
    await c.up.operate(platform, "set_properties", { ...place, json: '{"light":3}' });
    await line(c, 'set {"light":3}');
    await c.entries("event", "properties_posted").last().waitFor();
    assert.ok(JSON.stringify(await reports(c, platform, place)).includes("light"), "it came back");

    await example(c, "downlink");
    await line(c, "listening on");
    await c.up.operate(platform, "set_properties", { ...place, json: '{"light":4}' });
    await line(c, "answered");
    assert.deepEqual((await said(c)).filter((text) => /Error/.test(text)), []);
    const published = c.page.locator("[data-testid=entry][data-type=PUBLISH]", { hasText: "user/update" });
    await published.first().waitFor();
    await c.get("script-stop").click();
    await scriptState(c, "stopped");
    await c.state("online");
  });
}

for (const platform of PLATFORMS) {
  behaviour(`${platform}: the day's heartbeats begin at once, and the fault scenario measures three returns`, LONG, async (c) => {
    await online(c, platform);
    await example(c, "heartbeat");
    await line(c, "reported: start");
    await scriptState(c, "running");

    await example(c, "scenario");
    await line(c, "slowest:", 120_000);
    const lines = await said(c);
    const times = lines.flatMap((text) => /^round (\d): back after (\d+) ms$/.exec(text)?.slice(1).map(Number) ?? []);
    assert.deepEqual([times[0], times[2], times[4]], [1, 2, 3], lines.join("\n"));
    // Gone for 2 s, of which the script sees what is left when it hears of it.
    for (const ms of [times[1], times[3], times[5]]) assert.ok(ms > 0 && ms < 60_000, `${ms} ms`);
    await scriptState(c, "finished");
    await c.state("online");
    assert.equal(await c.entries("fault", "network_loss").count(), 3);
  });
}

behaviour("a schedule, a time of day and a wait come when they are due, and what is cancelled does not", { world: "tab" }, async (c) => {
  await c.start("krtyun");
  await c.state("online");
  await openScript(c);
  await run(
    c,
    `const begun = Date.now();
const ticks = [];
const cancel = every(200, () => ticks.push(Date.now() - begun));
after(100, () => log("never"))();
const soon = new Date(Date.now() + 1500);
const two = (n) => String(n).padStart(2, "0");
at(soon, () => log("at", Math.round((Date.now() - soon) / 100)));
const off = at(two(soon.getHours()) + ":" + two(soon.getMinutes()) + ":" + two(soon.getSeconds()), () => log("day", new Date().getSeconds() === soon.getSeconds()));
await sleep(2100);
cancel();
off();
log("ticks", ticks.length >= 8 && ticks.length <= 10);
log("same", random(7)() === random(7)(), random(7)() !== random(8)());
log("state", state.platform, state.ready, Object.keys(state).join());
await sleep(300);
log("end", ticks.length <= 10);`,
  );
  await line(c, "end");
  const lines = await said(c);
  assert.ok(lines.includes("day true"), lines.join("\n"));
  for (const text of ["at 0", "ticks true", "same true true", "state krtyun true platform,product,device,word,ready,registered", "end true"]) assert.ok(lines.includes(text), `${text}\n${lines.join("\n")}`);
  assert.ok(!lines.includes("never"));
  await scriptState(c, "finished");
});
