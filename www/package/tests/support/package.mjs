// The package as others get it: its tarball, installed into a folder of its own, without a network.

import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const run = promisify(execFile);
export const PACKAGE = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const WWW = dirname(PACKAGE);
export const ROOT = dirname(WWW);
export const TARBALL = process.env["MUSTER_NPM"] ?? "";
if (TARBALL === "") throw new Error("MUSTER_NPM: the tarball; run `cargo xtask test npm`");

/** A project with the package in it; `example`: a copy of that example. Ends with `await project.end()`. */
export async function project(example) {
  const folder = await mkdtemp(join(tmpdir(), "muster-npm-"));
  if (example === undefined) await writeFile(join(folder, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  else await cp(join(PACKAGE, "examples", example), folder, { recursive: true });
  await run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", TARBALL], { cwd: folder });
  return {
    folder,
    package: join(folder, "node_modules/muster-device"),
    file: (name, text) => writeFile(join(folder, name), text),
    /** Runs a program of the project's own; the result is what it printed. */
    async node(text, ...more) {
      const file = join(folder, "program.mjs");
      await writeFile(file, text);
      return (await run("node", [file, ...more], { cwd: folder, timeout: 60_000 })).stdout;
    },
    end: () => rm(folder, { recursive: true, force: true }),
  };
}
