import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { after, before, test } from "node:test";
import { project } from "./support/package.mjs";

let installed;
let Cloud, Device, StorageError, directory;
before(async () => {
  installed = await project();
  ({ Cloud, Device, StorageError, directory } = await import(pathToFileURL(join(installed.package, "dist/node.js")).href));
});
after(() => installed.end());

const places = [];
after(() => Promise.all(places.map((path) => rm(path, { recursive: true, force: true }))));
const place = async () => {
  const path = await mkdtemp(join(tmpdir(), "muster-directory-"));
  places.push(path);
  return path;
};
const bytes = (...values) => new Uint8Array(values);

test("values are there after a write, for the user alone, and nothing else is", async () => {
  const path = join(await place(), "new/one");
  const store = directory(path);
  assert.deepEqual([...(await store.load())], []);
  await store.write([["a", bytes(1, 2)], ["b", bytes()]]);
  await store.write([["a"], ["c", bytes(255)]]);
  assert.deepEqual([...(await store.load())], [["b", bytes()], ["c", bytes(255)]]);
  assert.deepEqual((await readdir(path)).sort(), ["lock", "values.json"]);
  assert.equal((await stat(join(path, "values.json"))).mode & 0o777, 0o600);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await store.release();
  assert.deepEqual(await readdir(path), ["values.json"]);
  const again = directory(path);
  assert.deepEqual([...(await again.load())], [["b", bytes()], ["c", bytes(255)]]);
  await again.release();
});

test("what comes when it was given back is refused, and loses nothing of what is there", async () => {
  const path = await place();
  const store = directory(path);
  await store.load();
  const kept = store.write([["credential", bytes(7)]]);
  const given = store.release();
  await assert.rejects(store.write([["x", bytes(1)]]), (error) => error instanceof StorageError && error.code === "storage");
  await Promise.all([kept, given]);
  await assert.rejects(store.write([["x", bytes(1)]]), { code: "storage" });
  assert.deepEqual(await readdir(path), ["values.json"]);
  assert.deepEqual([...(await store.load())], [["credential", bytes(7)]]);
  await store.write([["x", bytes(2)]]);
  assert.deepEqual([...(await store.load())], [["credential", bytes(7)], ["x", bytes(2)]]);
  await store.release();
});

test("what a program that was killed while it wrote has left is removed, and nothing else", async () => {
  const path = await place();
  const left = [".values.json.0123456789ab", ".values.json.mine", "notes.txt"];
  for (const name of left) await writeFile(join(path, name), "a secret");
  const store = directory(path);
  await store.load();
  assert.deepEqual((await readdir(path)).sort(), [".values.json.mine", "lock", "notes.txt"]);
  await store.release();
});

test("two devices are not given one store", async () => {
  const cloud = await Cloud.start();
  const store = directory(await place());
  const first = await Device.start({ platform: "ucloud", cloud, storage: store });
  await first.ready({ timeout: 20_000 });
  await assert.rejects(Device.start({ platform: "krtyun", cloud, storage: store }), (error) => error instanceof StorageError && error.code === "in_use");
  assert.equal((await store.load()).size > 0, true);
  await first.stop();
  const second = await Device.start({ platform: "ucloud", cloud, storage: store });
  await second.ready({ timeout: 20_000 });
  await second.stop();
  await cloud.stop();
});

test("many writes at once are all kept, the last one of a name wins", async () => {
  const path = await place();
  const store = directory(path);
  await store.load();
  await Promise.all(Array.from({ length: 200 }, (_, at) => store.write([[`n${at % 10}`, bytes(at)], ["last", bytes(at)]])));
  const values = await store.load();
  assert.deepEqual(values.get("last"), bytes(199));
  for (let at = 0; at < 10; at += 1) assert.deepEqual(values.get(`n${at}`), bytes(190 + at));
  await store.release();
});

test("one at a time may have it, and the next one is told what to do", async () => {
  const path = await place();
  const first = directory(path);
  await first.load();
  await assert.rejects(directory(path).load(), (error) => error instanceof StorageError && error.code === "in_use" && error.next.includes("directory of its own"));
  await first.release();
  const second = directory(path);
  await second.load();
  await second.release();
});

test("a lock whose process is gone is taken over, one of a living process is not", async () => {
  const path = await place();
  await writeFile(join(path, "lock"), JSON.stringify({ pid: 2 ** 22 + 1, since: null }));
  const store = directory(path);
  await store.load();
  await store.release();
  // The number of a living process, of an earlier one's.
  await writeFile(join(path, "lock"), JSON.stringify({ pid: process.ppid, since: "another boot/1" }));
  await store.load();
  await store.release();
  await writeFile(join(path, "lock"), "");
  await store.load();
  await store.release();

  const program = join(installed.folder, "holder.mjs");
  await writeFile(program, `import { directory } from "muster-device/node"; await directory(${JSON.stringify(path)}).load(); console.log("held"); setInterval(() => {}, 1000);`);
  const child = spawn("node", [program], { cwd: installed.folder, stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await assert.rejects(store.load(), { code: "in_use" });
  child.kill("SIGKILL");
  await once(child, "exit");
  await store.load();
  await store.release();
});

test("what is not what was kept is refused, and left as it is", async () => {
  for (const text of ["", "{", "[]", '{"format":"muster-store","version":2,"values":{}}', '{"format":"muster-store","version":1,"values":{"a":1}}', '{"format":"muster-store","version":1,"values":{"a":"?"}}']) {
    const path = await place();
    await writeFile(join(path, "values.json"), text);
    await assert.rejects(directory(path).load(), (error) => error instanceof StorageError && error.code === "stored_unreadable", text);
    assert.equal(await readFile(join(path, "values.json"), "utf8"), text);
    assert.deepEqual(await readdir(path), ["values.json"]);
  }
});

test("a device whose directory cannot be written does not use its secret", async () => {
  const cloud = await Cloud.start();
  const refused = new Error("the disk is full");
  const store = { load: async () => new Map(), write: () => Promise.reject(refused), release() {} };
  const device = await Device.start({ platform: "ucloud", cloud, storage: store });
  await assert.rejects(device.ready({ timeout: 20_000 }), { name: "DeviceStopped", advice: "check_storage" });
  const steps = [];
  for await (const event of device) {
    if (event.event === "step") steps.push(event.step);
    if (event.event === "stopped") break;
  }
  assert.ok(steps.includes("store_secret") && !steps.includes("login"), steps.join(", "));
  await device.stop();
  await cloud.stop();
});

test("a program that is killed in the middle of its registration, again and again, comes back to one device with one secret", { timeout: 120_000 }, async () => {
  const path = await place();
  const program = join(installed.folder, "device.mjs");
  await writeFile(
    program,
    `import { Cloud, Device } from "muster-device";
import { directory } from "muster-device/node";
const cloud = await Cloud.start({ storage: directory(${JSON.stringify(join(path, "cloud"))}) });
const device = await Device.start({ platform: "ucloud", cloud, storage: directory(${JSON.stringify(join(path, "device"))}) });
for await (const event of device) {
  console.log(event.event === "step" ? event.step : event.event);
  if (event.event === "ready") console.log("credential " + await device.credential());
  if (event.event === "stopped") process.exit(1);
}`,
  );
  let credential;
  let registered = false;
  const asked = [];
  for (const moment of ["connect_to_register", "request_secret", "store_secret", "registered", "login", "credential", "credential"]) {
    const child = spawn("node", [program], { cwd: installed.folder, stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    let known = false;
    for await (const line of lines) {
      if (line === "request_secret") {
        assert.ok(!registered, `killed at ${moment}, it asks for a secret that it has`);
        asked.push(moment);
      }
      if (line === "registered") registered = true;
      const [word, ...rest] = line.split(" ");
      if (word === "stopped") assert.fail(`it stopped after it was killed at ${moment}`);
      if (word === "credential") {
        credential ??= rest.join(" ");
        assert.equal(rest.join(" "), credential, "the secret is the same one");
        known = true;
      }
      // A life that has its secret already does not come by the earlier moments.
      if (word === moment || word === "credential") child.kill("SIGKILL");
    }
    if (moment === "credential") assert.ok(known);
  }
  assert.ok(credential !== undefined && asked.length < 7, `asked for the secret when it was to be killed at ${asked.join(", ")}`);
});
