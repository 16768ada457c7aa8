import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { line, openScript, run, said, scriptState } from "./support/scripts.js";

const LONG = { world: "tab", timeout: 180_000 };

behaviour("a script that loops for ever is stopped by itself or by hand, and the page and the device go on", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openScript(c);
  await run(c, "log('in'); for (;;) {}");
  await scriptState(c, "silent");
  await c.state("online");
  await run(c, "log('in again'); await sleep(10); while (true) {}");
  await line(c, "in again");
  await c.get("script-stop").click();
  await scriptState(c, "stopped");
  await run(c, "log('fine')");
  await line(c, "fine");
  await scriptState(c, "finished");
});

behaviour("a script that asks for too much is told so, and a flood of lines is cut", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openScript(c);
  await run(c, `const outcome = await Promise.allSettled(Array.from({ length: 200 }, () => post({ a: 1 })));
const refused = outcome.filter(({ status }) => status === "rejected");
log("refused", refused.length, refused.at(-1).reason.message);
for (let i = 0; i < 5000; i += 1) log("line", i);
await sleep(3000);
log("after");`);
  await line(c, "refused");
  const [told] = (await said(c)).filter((text) => text.startsWith("refused"));
  const [, count, why] = /^refused (\d+) (.*)$/.exec(told);
  assert.ok(Number(count) >= 150 && Number(count) <= 160, told);
  assert.match(why, /too many calls/);
  await line(c, "after");
  const lines = await said(c);
  const written = lines.filter((text) => /^line \d+/.test(text)).length;
  assert.ok(written >= 190 && written < 300, `${written} lines`);
  assert.ok(lines.some((text) => /lines before this one were too many/.test(text)));
  await c.state("online");
});

behaviour("errors say where they are: of syntax, at once, later, and of what the device refuses", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openScript(c);
  const error = async (source) => {
    await run(c, source);
    const row = c.page.locator("[data-testid=script-line][data-level=error]").first();
    await row.waitFor();
    const place = row.getByTestId("script-place");
    return [await row.locator("> span").innerText(), (await place.count()) === 0 ? null : await place.getAttribute("data-line")];
  };
  const cases = [
    ["let a = 1;\nlet b = = 2;\n", "SyntaxError", "2"],
    ["log('x');\n\nnothing.here();", "ReferenceError: nothing is not defined", "3"],
    ["after(10, () => {\n  null.x;\n});", "TypeError", "2"],
    ["on('properties_posted', () => {\n  throw new RangeError('here');\n});\nawait post({ a: 1 });", "RangeError: here", "2"],
    ["every(1, () => {});", "RangeError: the interval", "1"],
    ["await publish('/$system/x/y/password', '{}');", "one on which the device itself speaks", "1"],
    ["await faults.arm({ fault: 'delay', on: { message: 'publish' } });", "faults[0].ms: missing", "1"],
    ["await faults.disarm(Array.from({ length: 65 }, (_, at) => `f${at}`));", "TypeError: ids are at most 64", "1"],
    ["for (let n = 0; ; n += 1) {\n  await faults.arm({ fault: 'lose', on: { message: 'publish', topic: '/never' } });\n  await sleep(60);\n}", "faults has more than 64 rules", "2"],
    ["\n\nawait post(3);", "properties are an object", "3"],
  ];
  for (const [source, text, place] of cases) {
    const [told, at] = await error(source);
    assert.ok(told.includes(text), `${source}: ${told}`);
    if (place !== null) assert.equal(at, place, `${source}: ${told}`);
  }
  // A click leads there.
  await error("log('x');\n\nnothing.here();");
  await c.get("script-place").click();
  assert.equal(await c.get("script-text").evaluate((area) => area.value.slice(0, area.selectionStart).split("\n").length), 3);
});

behaviour("a script is kept with its device, goes on over a restart of it, and ends with it", LONG, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openScript(c);
  await run(c, "on('ready', () => log('ready again')); log('listening', state.device);");
  await line(c, "listening");
  await c.get("restart").click();
  await line(c, "ready again");
  await c.page.reload();
  await c.get("device-item").last().click();
  await openScript(c);
  assert.match(await c.get("script-text").inputValue(), /ready again/);
  assert.equal(await c.get("script-state").getAttribute("data-state"), "off", "nothing runs that nobody has run");
});
