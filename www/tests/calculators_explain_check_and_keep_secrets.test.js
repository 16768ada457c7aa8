import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { behaviour } from "./support/console.js";

const open = (c, tool) => c.page.goto(`${c.up.origin}/#/tools/${tool}`);
const saved = async (c, testid) => {
  const [download] = await Promise.all([c.page.waitForEvent("download"), c.get(testid).click()]);
  return readFile(await download.path());
};

behaviour("what is wrong is said beside its input while one types", { view: "tools/cipher" }, async (c) => {
  await c.get("tool-steps").waitFor();
  await c.get("tool-input-random").fill("281f");
  await c.page.getByText("32 hex digits, these are 4").first().waitFor();
  assert.equal(await c.get("tool-input-random").getAttribute("aria-invalid"), "true");
  assert.equal(await c.get("tool-wrong-random").innerText(), "32 hex digits, these are 4");
  assert.equal(await c.get("tool-result").count(), 0, "no result of what stood there before");
  assert.match(await c.get("tool-error").innerText(), /^Random/);
  await c.get("tool-example").click();
  await c.get("tool-steps").waitFor();
  assert.equal(await c.get("tool-wrong-random").innerText(), "");

  await open(c, "credentials");
  await c.get("tool-input-sign_method").fill("hmacsha512");
  await c.page.locator("[data-testid=tool-wrong-sign_method]:not(:empty)").waitFor();
  assert.equal(await c.get("tool-input-sign_method").getAttribute("aria-invalid"), "true", "what the core refuses is said there too");
});

behaviour("a secret is covered in its input and in every step, until it is asked for", { view: "tools/cipher" }, async (c) => {
  const { page } = c;
  const secret = "ffFnFlKQW3HYjjPR";
  const hex = Buffer.from(secret).toString("hex");
  await c.get("tool-steps").waitFor();
  assert.equal(await c.get("tool-input-secret").getAttribute("type"), "password");
  const text = () => page.locator("m-tools").innerText();
  assert.ok(!(await text()).includes(secret) && !(await text()).includes(hex));
  await c.get("tool-reveal").check();
  assert.ok((await c.get("tool-steps").innerText()).includes(hex));
  await c.get("tool-show-secret").click();
  assert.equal(await c.get("tool-input-secret").getAttribute("type"), "text");
});

behaviour("values of an open device are filled in and not shown", { world: "tab" }, async (c) => {
  const { page } = c;
  await c.start("alibaba");
  await c.state("online");
  await page.evaluate(() => (location.hash = "#/tools/credentials"));
  await c.get("tool-steps").waitFor();
  await c.get("tool-reveal").check();
  await c.get("tool-from").selectOption({ index: 1 });
  await page.locator("[data-testid=tool-filled]", { hasText: "Filled in from example1." }).waitFor();
  await page.waitForFunction(() => document.querySelector("[data-testid=tool-result] [data-name=username]")?.textContent?.trim() === "example1&a1muster001");
  const secret = await c.get("tool-input-device_secret").inputValue();
  assert.ok(secret.length > 10 && secret !== "ga7XA6KdlEeiPXQPpRbAjOZXwG8ydgSe");
  assert.equal(await c.get("tool-input-device_secret").getAttribute("type"), "password");
  assert.ok(!(await c.get("tool-reveal").isChecked()), "another secret than the one that was asked for");
  assert.ok(!(await page.locator("m-tools").innerText()).includes(secret));
  await page.evaluate(() => (location.hash = "#/tools/cipher"));
  await c.get("tool-input-type").selectOption("4");
  await c.get("tool-from").selectOption({ index: 1 });
  await page.locator("[data-testid=tool-filled]", { hasText: "Filled in from example1." }).waitFor();
  assert.equal(await c.get("tool-input-secret").inputValue(), secret);
  await page.evaluate(() => (location.hash = "#/tools/topics"));
  await c.get("tool-from").selectOption({ index: 1 });
  await page.locator("[data-topic='/sys/a1muster001/example1/thing/awss/enrollee/match']").waitFor();
});

behaviour("numbers are built in batches, and lists of them are checked", { view: "tools/cmei" }, async (c) => {
  const { page } = c;
  await c.get("tool-luhn").waitFor();
  await c.get("tool-input-do").selectOption("batch");
  await c.get("tool-input-count").fill("2500");
  await page.locator("[data-testid=tool-result] [data-name=count]", { hasText: "2500" }).waitFor();
  const batch = (await saved(c, "tool-csv")).toString().trim().split("\n");
  assert.equal(batch[0], "cmei");
  assert.equal(new Set(batch).size, 2501);
  assert.ok(batch.slice(1).every((number) => /^11123456\d{7}$/.test(number)));

  await c.get("tool-input-do").selectOption("list");
  await c.get("tool-input-list").fill([...batch.slice(0, 4), batch[1], "12345", "=1+1"].join("\n"));
  await page.locator("[data-testid=tool-list-summary]", { hasText: "6 numbers" }).waitFor();
  assert.match(await c.get("tool-list-summary").innerText(), /4 valid, 2 not, 1 a second time/);
  assert.match(await page.locator("tr[data-line='5']").innerText(), /as in line 2/);
  const csv = (await saved(c, "tool-csv")).toString();
  assert.match(csv, /^line,number,valid/);
  assert.match(csv, /\n7,'=1\+1,no/, "no spreadsheet computes it");
});

behaviour("a partition is the one that the command line makes", { view: "tools/nvs" }, async (c) => {
  const csv = "key,type,encoding,value\ncloud,namespace,,\nproduct,data,string,70ly1tvowt696r15\nname,data,string,\"a, \"\"b\"\"\"\ncount,data,u32,4000000000\nsigned,data,i64,-9\nblob,data,hex2bin,00ff10\nbase,data,base64,AAECAw==\n";
  await c.get("tool-input-csv").fill(csv);
  await c.page.locator("tr[data-key=base]").first().waitFor();
  const folder = await mkdtemp(join(tmpdir(), "muster-nvs-"));
  const run = promisify(execFile);
  const muster = process.env["MUSTER_BIN"] ?? join(process.env["CARGO_TARGET_DIR"] ?? join(new URL("../../", import.meta.url).pathname, "target"), "release/muster");
  try {
    await writeFile(join(folder, "in.csv"), csv);
    for (const format of ["2", "1"]) {
      await c.get("tool-input-format").selectOption(format);
      await c.get("tool-image").waitFor();
      await new Promise((resolve) => setTimeout(resolve, 400));
      const image = await saved(c, "tool-image");
      const out = join(folder, `${format}.bin`);
      await run(muster, ["tool", "nvs", join(folder, "in.csv"), "--size", "0x6000", "--format", format, "--out", out]);
      assert.equal(image.length, 0x6000);
      assert.ok(image.equals(await readFile(out)), `format ${format}: byte for byte`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await c.get("tool-input-csv").fill("key,type,encoding,value\nx,data,u8,300\n");
  await c.get("tool-error").waitFor();
  assert.match(await c.get("tool-error").innerText(), /line 2/);
});

behaviour("times in every form, topics with names put in", { view: "tools/time" }, async (c) => {
  await c.get("tool-input-time").fill("1528172313487");
  await c.page.locator("[data-name=date]", { hasText: "Tue, 05 Jun 2018 04:18:33 GMT" }).waitFor();
  assert.equal(await c.get("tool-time-read").getAttribute("data-read"), "milliseconds");
  await c.get("tool-input-time").fill("soon");
  await c.page.locator("[data-testid=tool-wrong-time]:not(:empty)").waitFor();
  await c.page.evaluate(() => (location.hash = "#/tools/topics"));
  await c.get("tool-input-device").fill("thing-7");
  await c.page.locator("[data-topic='/$system/70ly1tvowt696r15/thing-7/ota/downstream']").waitFor();
  await c.get("tool-input-device").fill("a/b");
  await c.get("tool-error").waitFor();
});
