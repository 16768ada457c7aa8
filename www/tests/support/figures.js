// What the console and its fleets cost, measured: for the tests, which hold them to their limits, and for
// `cargo xtask bench browser`, which prints them.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import { Fleets, SOCKETS } from "./fleets.js";
import { Heap } from "./heap.js";

export const KB = 1024;

/** Bytes that the first page loads, compressed, and of these its module's. */
export async function firstPage(c) {
  // Once more with an empty cache, and every byte counted as it crosses the wire.
  const cdp = await c.context.newCDPSession(c.page);
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  const sizes = new Map();
  c.page.on("requestfinished", async (request) => sizes.set(request.url(), await request.sizes().catch(() => null)));
  await c.page.reload({ waitUntil: "networkidle" });
  await c.page.getByTestId("start-ucloud").waitFor();
  // The worker's own requests are its own: what a page loads is asked for once more, as a browser asks.
  const urls = await c.page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
  const files = new Set([...sizes.keys(), ...urls, ...c.loaded].filter((url) => url.startsWith(`${c.up.origin}/console/`) || url === `${c.up.origin}/`));
  const uncompressed = [];
  let total = 0;
  let module = 0;
  for (const url of files) {
    const response = await fetch(url, { headers: { "Accept-Encoding": "gzip" } });
    if (response.status !== 200) throw new Error(`${url}: ${response.status}`);
    const plain = Buffer.from(await response.arrayBuffer());
    const compressed = response.headers.get("content-encoding") === "gzip";
    const bytes = compressed ? Number(response.headers.get("content-length")) : plain.length;
    if (plain.length > 2 * KB && !compressed && gzipSync(plain).length <= plain.length * 0.9) uncompressed.push(url);
    total += bytes;
    if (url.endsWith(".wasm")) module += bytes;
  }
  return { total, module, files: files.size, uncompressed };
}

/** Milliseconds until a card can be started, in each of `times` new pages. */
export async function interactive(c, times = 3) {
  const took = [];
  for (let i = 0; i < times; i += 1) {
    const page = await c.context.newPage();
    c.listen(page);
    await page.addInitScript(() => {
      const look = () => {
        const button = document.querySelector("[data-testid=start-ucloud]");
        if (button !== null && !button.disabled) window["interactive"] = performance.now();
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await page.goto(`${c.up.origin}/`);
    await page.locator("[data-testid=start-ucloud]:enabled").waitFor();
    await page.waitForFunction(() => window["interactive"] !== undefined);
    took.push(await page.evaluate(() => window["interactive"]));
    await page.close();
  }
  return took;
}

/** A page of its own with the Fleet view. */
export async function fleetPage(c, world = "local") {
  const page = await c.open({ world, view: "fleet" });
  const fleets = new Fleets(c, page);
  await fleets.get("fleet-run").waitFor();
  return fleets;
}

/** New devices of UCloud register and log in; their secrets, as a list. */
export async function registerMany(c, count) {
  const fleets = await fleetPage(c);
  await fleets.count("ucloud", count);
  await fleets.run();
  if (!(await fleets.verdict(180_000))) throw new Error(`not all registered: ${JSON.stringify(await fleets.counts())}`);
  const speed = await fleets.speed();
  const list = await fleets.saved("fleet-credentials", true);
  await fleets.page.close();
  return { list, ...speed };
}

/** Runs of the same devices at most, until one of them is within the time that is asked for. */
const RUNS = 6;

/**
 * Devices with their secrets come online; seconds, and bytes a device. Three times: code that is compiled while it runs is
 * no device's, so of the objects the smaller figure of the second and third run counts; WebAssembly memory, which is never
 * given back, is counted in the first. Of the times the best one counts, and while it is not `within` so many seconds,
 * there are more runs: what else the machine did makes a run slower, never faster.
 */
export async function comeOnline(c, list, within) {
  const fleets = await fleetPage(c);
  const { page } = fleets;
  const heap = await Heap.of(page);
  const [header, ...rows] = list.trim().split("\n");
  const run = async (text) => {
    await fleets.list("ucloud", text);
    const before = await elsewhere(fleets, heap);
    await fleets.watchPending();
    await fleets.run();
    if (!(await fleets.verdict(120_000))) throw new Error(`not all online: ${JSON.stringify(await fleets.counts())}`);
    const told = { ...(await fleets.speed()), counts: await fleets.counts(), ...(await page.evaluate(() => ({ mostPending: window["mostPending"], mostSockets: window["mostSockets"] }))) };
    const after = await elsewhere(fleets, heap);
    await fleets.get("fleet-stop").click();
    await fleets.get("fleet-clear").click();
    return { ...told, each: (part) => (after[part] - before[part]) / rows.length };
  };
  // The first ones load what all of them need: the module, the view.
  await run(`${[header, ...rows.slice(0, 5)].join("\n")}\n`);
  const all = [await run(list), await run(list), await run(list)];
  const best = () => all.reduce((one, other) => (other.seconds < one.seconds ? other : one));
  while (best().seconds > within && all.length < RUNS) all.push(await run(list));
  await page.close();
  const [{ each: first }, ...later] = all;
  const least = (part) => Math.min(...later.slice(0, 2).map(({ each }) => each(part)));
  const [inPage, script, module] = [Math.max(0, least("page")), least("script"), first("module")];
  const { each: _, ...told } = best();
  const most = (part) => Math.max(...all.map((one) => one[part]));
  return { ...told, mostPending: most("mostPending"), mostSockets: most("mostSockets"), runs: all.map(({ seconds }) => seconds), bytes: inPage + script + module, inPage, script, module };
}

/** What is held while another view is shown: the table draws as many rows as are seen, however many devices there are. */
async function elsewhere({ page }, heap) {
  await page.getByTestId("rail-tools").click();
  await page.getByTestId("tool-result").waitFor();
  const { page: shown, ...workers } = await heap.parts();
  const script = Object.values(workers).reduce((sum, bytes) => sum + bytes, 0);
  const held = { page: shown, script, module: await wasm(heap) };
  await page.getByTestId("rail-fleet").click();
  await page.getByTestId("fleet-run").or(page.getByTestId("fleet-pause")).waitFor();
  return held;
}

/** Bytes of WebAssembly memory in the page's Workers: what the debugger finds of its kind. */
async function wasm(heap) {
  let bytes = 0;
  for (const id of heap.workers.keys()) {
    const { result } = await heap.ask(id, "Runtime.evaluate", { expression: "WebAssembly.Memory.prototype" });
    const { objects } = await heap.ask(id, "Runtime.queryObjects", { prototypeObjectId: result.objectId });
    const sum = "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }";
    const found = await heap.ask(id, "Runtime.callFunctionOn", { objectId: objects.objectId, functionDeclaration: sum, returnByValue: true });
    bytes += found.result.value;
  }
  return bytes;
}

/** The same devices with the npm package `mqtt`, in the same browser against the same cloud: CONNECT, the same
 * subscriptions, at most eight handshakes pending. */
export async function comeOnlineWithMqtt(c, list, broker) {
  const file = createRequire(import.meta.url).resolve("mqtt/dist/mqtt.min");
  const source = await readFile(file, "utf8");
  const page = await c.context.newPage();
  c.listen(page);
  // A page of the same origin, and of nothing else.
  await page.goto(`${c.up.origin}/#/tools`);
  const heap = await Heap.of(page);
  await page.evaluate(`${source}\nwindow["mqtt"] = mqtt;`);
  const [header, ...rows] = list.trim().split("\n");
  const columns = header.split(",");
  const devices = rows.map((row) => Object.fromEntries(row.split(",").map((value, at) => [columns[at], value])));
  const first = devices.slice(0, 5);
  const connect = async (these) =>
    page.evaluate(
      async ({ these, broker }) => {
        const clients = (window["clients"] ??= []);
        const begun = performance.now();
        let next = 0;
        const lane = async () => {
          while (next < these.length) {
            const { product_sn: product, device_sn: device, device_secret: password } = these[next];
            next += 1;
            await new Promise((resolve, reject) => {
              const client = window["mqtt"].connect(broker, { clientId: `${product}.${device}`, username: `${product}|${device}|1`, password, protocolVersion: 4, keepalive: 240, reconnectPeriod: 0, clean: true, timerVariant: "native" });
              clients.push(client);
              client.once("error", reject);
              client.once("connect", () => {
                const topics = ["ota/downstream", "tmodel/property/set", "tmodel/property/post_reply"].map((name) => `/$system/${product}/${device}/${name}`);
                client.subscribe(topics, { qos: 1 }, (error) => (error ? reject(error) : resolve()));
              });
            });
          }
        };
        await Promise.all(Array.from({ length: 8 }, lane));
        return (performance.now() - begun) / 1000;
      },
      { these, broker },
    );
  await connect(first);
  await page.evaluate(async () => {
    await Promise.all(window["clients"].map((client) => client.endAsync()));
    window["clients"].length = 0;
  });
  const before = await heap.used();
  const seconds = await connect(devices);
  const bytes = ((await heap.used()) - before) / devices.length;
  const online = await page.evaluate(() => window["clients"].filter((client) => client.connected).length);
  await page.close();
  return { seconds, bytes, online };
}

/** New devices against the clouds in the tab: devices ready in a second, and the page's longest stall meanwhile. */
export async function inTab(c, platform, count) {
  const fleets = await fleetPage(c, "tab");
  await fleets.count(platform, count);
  await fleets.page.evaluate(() => {
    window["stall"] = 0;
    let last = performance.now();
    const look = () => {
      const now = performance.now();
      window["stall"] = Math.max(window["stall"], now - last);
      last = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await fleets.run();
  const passed = await fleets.verdict(600_000);
  const result = { passed, ...(await fleets.speed()), counts: await fleets.counts(), stall: await fleets.page.evaluate(() => window["stall"]) };
  return { ...result, fleets };
}

export { SOCKETS };
