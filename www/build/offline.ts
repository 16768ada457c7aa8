// Writes the service worker: dist/sw.js with the list of the files that it keeps, and their version.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

const WORKER = "sw.js";
const PLACE = '"__MUSTER_BUILT__"';

export function offline(): Plugin {
  let base = "/";
  return {
    name: "muster-offline",
    apply: "build",
    configResolved(config) {
      base = config.base;
    },
    buildStart() {
      this.emitFile({ type: "chunk", id: "src/offline/worker.ts", fileName: WORKER });
    },
    // After everything is written: what is kept is what is served.
    writeBundle: {
      order: "post",
      handler(options, bundle) {
        const dist = options.dir ?? "dist";
        const worker = bundle[WORKER];
        if (worker?.type !== "chunk" || worker.imports.length > 0 || worker.dynamicImports.length > 0) throw new Error("the service worker has to be one file");
        const built = list(dist, base);
        const source = readFileSync(join(dist, WORKER), "utf8");
        if (source.split(PLACE).length !== 2) throw new Error("the service worker has no place for its list");
        writeFileSync(join(dist, WORKER), source.replace(PLACE, () => JSON.stringify(JSON.stringify(built))));
      },
    },
  };
}

function list(dist: string, base: string): { version: string; index: string; files: string[] } {
  const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  const paths = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith(".") && !entry.name.endsWith(".map"))
    .map((entry) => relative(dist, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => path !== WORKER)
    .sort();
  const digests = paths.map((path) => `${path} ${hash(readFileSync(join(dist, path)))}`);
  return {
    version: hash(Buffer.from(digests.join("\n"))).slice(0, 16),
    index: hash(readFileSync(join(dist, "index.html"))),
    files: paths.map((path) => (path === "index.html" ? "/" : `${base}${path}`)),
  };
}
