import assert from "node:assert/strict";
import { readFile, readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { ROOT, WWW, project } from "./support/package.mjs";

const DIST = ["element.js", "index.js", "muster_all_bg.wasm", "muster_bg.wasm", "node-worker-all.js", "node-worker.js", "node.js", "worker-all.js", "worker.js"];
const OWN = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"];

test("the tarball holds what the exports name, and no stray file", async () => {
  const installed = await project();
  const files = await all(installed.package);
  const chunks = files.filter((file) => /^dist\/chunk-[A-Z0-9]{8}\.js$/.test(file));
  const types = files.filter((file) => /^types\/(muster|package|state)\/[a-z-]+\.d\.ts$/.test(file));
  const known = new Set([...OWN, ...DIST.map((file) => `dist/${file}`), ...chunks, ...types]);
  assert.deepEqual(files.filter((file) => !known.has(file)), [], "stray files");
  assert.deepEqual([...known].filter((file) => !files.includes(file)), [], "missing files");

  const manifest = JSON.parse(await readFile(join(installed.package, "package.json"), "utf8"));
  const named = Object.values(manifest.exports).flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)));
  for (const target of named) assert.ok(files.includes(relative(".", target)), `${target} is exported and there`);
  assert.equal(manifest.dependencies, undefined, "it needs no other package");
  assert.equal(manifest.scripts, undefined, "nothing runs when it is installed");
  const { version } = /^\[workspace\.package\][^[]*?^version = "(?<version>[^"]+)"/ms.exec(await readFile(join(ROOT, "Cargo.toml"), "utf8")).groups;
  assert.equal(manifest.version, version, "the crate's version");
  await installed.end();
});

test("no chunk is left over that no entry imports, and every import leads somewhere", async () => {
  const installed = await project();
  const dist = join(installed.package, "dist");
  const reached = new Set();
  const visit = async (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    const text = await readFile(join(dist, file), "utf8");
    for (const [, name] of text.matchAll(/(?:from|import)\s*\(?"\.\/([^"]+\.js)"/g)) await visit(name);
  };
  for (const file of DIST.filter((name) => name.endsWith(".js"))) await visit(file);
  assert.deepEqual((await readdir(dist)).filter((file) => file.endsWith(".js")).sort(), [...reached].sort());
  await installed.end();
});

test("no file names a folder of the machine that made it", async () => {
  const installed = await project();
  const paths = [ROOT, WWW, homedir()].filter((path) => path.length > 5);
  for (const file of await all(installed.package)) {
    const bytes = await readFile(join(installed.package, file));
    for (const path of paths) assert.equal(bytes.indexOf(path), -1, `${path} in ${file}`);
    assert.equal(/\/(home|Users|tmp|root)\/[a-z]/.exec(bytes.toString("latin1")), null, file);
  }
  await installed.end();
});

async function all(folder) {
  const names = await readdir(folder, { recursive: true });
  const files = [];
  for (const name of names) if ((await stat(join(folder, name))).isFile()) files.push(name);
  return files.sort();
}
