// Makes the npm package in the folder that is named: `node package/build.mjs FOLDER`. From the sources that the console
// is made of, with another `start.ts`; `cargo xtask npm` calls it.

import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import ts from "typescript";

const HERE = dirname(fileURLToPath(import.meta.url));
const WWW = dirname(HERE);
const SRC = join(WWW, "src/muster");
const IMPORTS = /((?:from|import\()\s*")(\.[^"]+)(")/g;

const out = process.argv[2];
if (out === undefined) {
  console.error("node package/build.mjs FOLDER");
  process.exit(2);
}
const OUT = resolve(out);
await rm(OUT, { recursive: true, force: true });
await mkdir(join(OUT, "dist"), { recursive: true });
await scripts("start-page.ts", { index: "index.ts", element: "element.ts", worker: "../../src/muster/worker.ts", "worker-all": "../../src/muster/worker-all.ts" }, { platform: "browser" });
await scripts("start-node.ts", { node: "node.ts", "node-worker": "node-worker.ts", "node-worker-all": "node-worker-all.ts" }, { platform: "node", external: ["ws"] });
for (const name of ["muster", "muster_all"]) await cp(join(SRC, "generated", name, `${name}_bg.wasm`), join(OUT, "dist", `${name}_bg.wasm`));
await declarations(["index.ts", "node.ts", "element.ts"]);
for (const file of ["package.json", "README.md"]) await cp(join(HERE, file), join(OUT, file));
for (const file of ["LICENSE-MIT", "LICENSE-APACHE"]) await cp(join(dirname(WWW), file), join(OUT, file));

/** Bundles the entries, what they share in chunks beside them: so that addresses relative to a module stay right. */
async function scripts(start, entries, options) {
  const here = (file) => join(HERE, "src", file);
  await build({
    absWorkingDir: WWW,
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, here(file)])),
    outdir: join(OUT, "dist"),
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    chunkNames: "chunk-[hash]",
    logLevel: "warning",
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false, target: "ES2022" } },
    plugins: [
      {
        name: "start",
        setup(build) {
          build.onResolve({ filter: /^\.\/start$/ }, ({ resolveDir }) => (resolveDir === SRC ? { path: here(start) } : undefined));
        },
      },
    ],
    ...options,
  });
}

/** The types, as many files as they need and no other package. */
async function declarations(entries) {
  const config = ts.getParsedCommandLineOfConfigFile(join(WWW, "tsconfig.json"), {}, { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail });
  const roots = [...entries, "ambient.d.ts"].map((file) => join(HERE, "src", file));
  const options = { ...config.options, noEmit: false, declaration: true, emitDeclarationOnly: true, stripInternal: true, rootDir: WWW, outDir: join(OUT, "types"), removeComments: false };
  const program = ts.createProgram(roots, options);
  const emitted = new Map();
  const { diagnostics } = program.emit(undefined, (file, text) => emitted.set(resolve(file), text), undefined, true);
  const wrong = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (wrong.length > 0) fail(...wrong);
  // What the entries reach; the rest is nobody's business.
  const wanted = entries.map((file) => join(OUT, "types/package/src", file.replace(/\.ts$/, ".d.ts")));
  const done = new Map();
  for (let file = wanted.pop(); file !== undefined; file = wanted.pop()) {
    if (done.has(file)) continue;
    const text = emitted.get(file);
    if (text === undefined) fail(`no declarations: ${relative(OUT, file)}`);
    done.set(file, text);
    for (const name of imports(text)) wanted.push(join(dirname(file), `${name}.d.ts`));
  }
  for (const [file, text] of done) {
    const place = moved(file);
    const named = text.replace(IMPORTS, (all, before, name, after) => `${before}${specifier(place, moved(join(dirname(file), `${name}.d.ts`)))}${after}`);
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, named);
  }
}

function imports(text) {
  return [...text.matchAll(IMPORTS)].map((match) => match[2]);
}

/** `package/src/x` is `package/x`, `src/muster/x` is `muster/x`. */
function moved(file) {
  return join(OUT, "types", relative(join(OUT, "types"), file).replace(/^package\/src\//, "package/").replace(/^src\//, ""));
}

/** With its ending, as Node's resolution wants it. */
function specifier(from, to) {
  const path = relative(dirname(from), to).replace(/\.d\.ts$/, ".js");
  return path.startsWith(".") ? path : `./${path}`;
}

function fail(...problems) {
  for (const problem of problems) {
    if (typeof problem === "string") console.error(problem);
    else console.error(ts.formatDiagnostic(problem, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => WWW, getNewLine: () => "\n" }));
  }
  process.exit(1);
}
