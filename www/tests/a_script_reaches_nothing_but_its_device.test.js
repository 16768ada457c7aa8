import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { line, openScript, run, said, scriptState } from "./support/scripts.js";

const complaints = [/Refused to load the script/, /Content Security Policy/];

/** Whatever a page's script could reach, tried by name, by prototype and by evaluating. */
const BREAK_OUT = `
const tried = [];
const attempt = async (name, way) => {
  try {
    const value = await way();
    tried.push(name);
    log("REACHED", name, String(value).slice(0, 60));
  } catch (error) {
    log("kept out", name);
  }
};
const global = (0, eval)("this");
const names = ["fetch", "XMLHttpRequest", "WebSocket", "WebSocketStream", "WebTransport", "EventSource", "indexedDB", "caches", "cookieStore", "importScripts", "BroadcastChannel",
  "Worker", "SharedWorker", "navigator", "location", "postMessage", "MessageChannel", "MessagePort", "RTCPeerConnection", "localStorage", "sessionStorage", "document", "window", "parent",
  "opener", "self", "close", "onmessage", "addEventListener", "dispatchEvent", "Request", "Response", "FileReader", "crypto", "performance", "WebAssembly", "IDBFactory", "CacheStorage",
  "setTimeout", "setInterval", "queueMicrotask", "reportError", "fetchLater", "createImageBitmap", "OffscreenCanvas", "Notification", "StorageManager", "LockManager", "ReadableStream"];
for (const name of names) await attempt(name, () => { if (global[name] === undefined) throw new Error("none"); return global[name]; });
for (const name of names) await attempt("Function " + name, () => new Function("return " + name)());
const walk = (value) => { const all = []; for (let at = value; at !== null && at !== undefined; at = Object.getPrototypeOf(at)) all.push(...Reflect.ownKeys(at).map(String)); return all; };
await attempt("a prototype", () => { const found = walk(global).filter((name) => names.includes(name)  && name !== "self" ).filter((name) => global[name] !== undefined); if (found.length === 0) throw new Error("none"); return found; });
await attempt("import", () => import("/console/assets/x.js"));
await attempt("import data", () => import("data:text/javascript,export default 1"));
await attempt("import blob", () => import("blob:null/1"));
await attempt("the page", () => { if (typeof postMessage === "undefined") throw new Error("none"); return postMessage; });
log(JSON.stringify(tried));
log("done");
`;

behaviour("a script reaches neither the network, nor a store, nor the page, nor a secret", { complaints, world: "tab" }, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openScript(c);
  await run(c, BREAK_OUT);
  await line(c, "done");
  const lines = await said(c);
  assert.ok(lines.includes("kept out fetch") && lines.includes("kept out indexedDB") && lines.includes("kept out import"), lines.join("\n"));
  assert.deepEqual(lines.filter((text) => text.startsWith("REACHED")), []);
  assert.ok(lines.includes("[]"));
  await scriptState(c, "finished");

  // All that it hears, over a whole registration: the secret is not in it.
  await c.get("stop").click();
  await c.get("device-duplicate").click();
  await openScript(c);
  await run(c, `const all = []; for (const name of ["message", "packet", "request", "response", "store", "step", "registered", "ready", "connected", "fault"]) on(name, (event) => all.push(event));
on("heartbeat", () => { log("events", all.length); const text = JSON.stringify([all, state]); for (let at = 0; at < text.length; at += 1800) log(text.slice(at, at + 1800)); log("heard"); });`);
  await c.get("restart").click();
  await line(c, "heard");
  const heard = (await said(c)).join("");
  await c.get("device-credentials").click();
  await c.get("handover-preview").waitFor();
  await c.get("handover-show").click();
  const secret = /"device_secret":\s*"([^"]+)"/.exec(await c.get("handover-preview").innerText())?.[1];
  assert.match(secret ?? "", /^[^*]{8,}$/);
  assert.ok(heard.includes("CONNECT") && heard.includes("Password"), "it heard the reply with the secret");
  assert.ok(!heard.includes(secret), "and of no secret");
});

behaviour("the file of the script's Worker comes with a policy of its own, and no other file may evaluate anything", {}, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  await openScript(c);
  await run(c, "log('on'); on('ready', () => {});");
  await line(c, "on");
  const files = [...c.loaded].filter((url) => url.includes("/console/assets/") && url.endsWith(".js"));
  const scripts = files.filter((url) => url.includes("/script-worker-"));
  assert.equal(scripts.length, 1);
  for (const url of files) {
    const policy = (await fetch(url)).headers.get("content-security-policy");
    if (scripts.includes(url)) assert.equal(policy, "default-src 'none'; script-src 'unsafe-eval'; sandbox allow-scripts");
    else assert.ok(!policy.includes("'unsafe-eval'"), url);
  }
  // Even with every name in its hands such a Worker is of no site, and has no network.
  const source = `
    const r = { origin: self.origin };
    const t = async (n, f) => { try { r[n] = await f(); } catch (e) { r[n] = e.name; } };
    (async () => {
      await t("fetch", () => fetch("/api/demo").then(() => "reached"));
      await t("idb", () => new Promise((ok, no) => { const q = indexedDB.open("x"); q.onsuccess = () => ok("reached"); q.onerror = () => no(q.error); }));
      await t("caches", () => caches.keys().then(() => "reached"));
      postMessage(r);
    })();`;
  await c.page.route(/script-worker-.*\.js\?probe/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: source });
  });
  const found = await c.page.evaluate((url) => new Promise((done) => { new Worker(url, { type: "module" }).onmessage = ({ data }) => done(data); }), `${scripts[0]}?probe`);
  assert.deepEqual(found, { origin: "null", fetch: "TypeError", idb: "SecurityError", caches: "ReferenceError" });
});
