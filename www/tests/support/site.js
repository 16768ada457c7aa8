// A browser with a site of static files in it, as any web server would send them, under the strictest policy that
// WebAssembly, Workers and WebSockets allow. At its end nothing may have broken the policy or complained.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { ROOT } from "./up.js";

export const run = promisify(execFile);
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json" };
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ws://127.0.0.1:*; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** A folder with `muster-device` installed from its tarball; `example`: a copy of that one. */
export async function installed(example) {
  const tarball = process.env["MUSTER_NPM"];
  assert.ok(tarball, "MUSTER_NPM: the package's tarball; run `cargo xtask test browser`");
  const folder = await mkdtemp(join(tmpdir(), "muster-site-"));
  if (example !== undefined) await cp(join(ROOT, "www/package/examples", example), folder, { recursive: true });
  else await writeFile(join(folder, "package.json"), JSON.stringify({ name: "site", private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", tarball], { cwd: folder });
  return folder;
}

/** Runs one behaviour with the files of `site()`, a folder; `body` gets the page. */
export function behaviourOf(name, site, body, { timeout = 120_000, theme = "light", complaints = [] } = {}) {
  test(name, { timeout }, async () => {
    const folder = await site();
    const server = createServer((request, response) => void send(folder, request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const origin = `http://127.0.0.1:${server.address().port}`;
    const browser = await chromium.launch({ executablePath: process.env["MUSTER_CHROMIUM"] ?? "/usr/bin/chromium", headless: true, args: ["--no-sandbox", "--disable-gpu"] });
    const heard = [];
    const asked = [];
    try {
      const context = await browser.newContext({ colorScheme: theme, locale: "en-GB", viewport: { width: 1100, height: 800 }, reducedMotion: "reduce" });
      context.setDefaultTimeout(30_000);
      context.on("request", (request) => asked.push(request.url()));
      const page = await context.newPage();
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && heard.push(`${message.type()}: ${message.text()}`));
      page.on("pageerror", (error) => heard.push(`uncaught: ${error.message}`));
      await page.addInitScript(() => addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
      await page.goto(`${origin}/`);
      await body(page, { origin, asked, faults: () => faults(page), folder });
      assert.deepEqual(heard.filter((line) => !complaints.some((pattern) => pattern.test(line))), [], "what the browser complained of");
      const strange = asked.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith("data:"));
      assert.deepEqual(strange, [], "requests that left the site");
    } catch (error) {
      if (heard.length > 0) error.message += `\nin the browser's console:\n  ${heard.join("\n  ")}`;
      throw error;
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function send(folder, request, response) {
  const path = decodeURIComponent(new URL(request.url, "http://site").pathname);
  const file = normalize(join(folder, path.endsWith("/") ? `${path}index.html` : path));
  const bytes = file.startsWith(folder) ? await readFile(file).catch(() => undefined) : undefined;
  const type = TYPES[extname(file)];
  if (bytes === undefined || type === undefined) return response.writeHead(404).end();
  response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff" }).end(bytes);
}

/** What axe finds, in words; the policy lets no script in that the site does not send, so it comes by the debugger. */
async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window["axe"].run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => `${node.target.join(" ")} ${node.html.slice(0, 160)}`).join(" | ")}`);
}
