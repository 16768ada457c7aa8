/// <reference lib="webworker" />
// The service worker, dist/sw.js. The build writes the list of files and their version into it (build/offline.ts).

import { CACHE, outdated, wayOf, type Kept } from "./way";

declare const self: ServiceWorkerGlobalScope;

const BUILT = JSON.parse("__MUSTER_BUILT__") as { version: string; index: string; files: string[] };
const NAME = CACHE + BUILT.version;
const FILES: ReadonlySet<string> = new Set(BUILT.files);
/** Under it each version keeps when it began to answer: one that only waited has no page. No address of a file is like that. */
const SINCE = "/console/since";
/** How long a server may take to answer for the page before what is kept is shown. */
const PATIENCE = 4_000;

self.addEventListener("install", (event) => {
  event.waitUntil(keep());
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const versions = await Promise.all((await caches.keys()).map(async (name): Promise<Kept> => ({ name, since: await since(name) })));
      for (const name of outdated(versions, NAME)) await caches.delete(name);
      await (await caches.open(NAME)).put(SINCE, new Response(String(Date.now())));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  switch (wayOf(request, self.location.origin, FILES)) {
    case "page":
      return event.respondWith(page(request));
    case "file":
      return event.respondWith(file(request));
    case "old":
      return event.respondWith(old(request));
    case "leave":
  }
});

/** `has`: whether a file is of this version. `go`: the person wants this version now. */
self.addEventListener("message", (event) => {
  const said = event.data as { type?: unknown; path?: unknown } | null;
  if (said?.type === "go") void self.skipWaiting();
  else if (said?.type === "has" && typeof said.path === "string") event.ports[0]?.postMessage(FILES.has(said.path));
});

async function since(name: string): Promise<number | null> {
  const kept = await caches.match(SINCE, { cacheName: name });
  return kept === undefined ? null : Number(await kept.text());
}

/** All of a version, or none: with one file missing it would fail when nobody can help. */
async function keep(): Promise<void> {
  try {
    await fill();
  } catch (error) {
    // What is not whole is of no use; a version that answers already stays as it is.
    if ((await since(NAME)) === null) await caches.delete(NAME);
    throw error;
  }
}

async function fill(): Promise<void> {
  const cache = await caches.open(NAME);
  await Promise.all(
    BUILT.files.map(async (path) => {
      if ((await cache.match(path)) !== undefined) return;
      const response = await fetch(path, { cache: path.startsWith("/console/assets/") ? "default" : "no-cache", credentials: "same-origin" });
      if (!response.ok || response.redirected) throw new Error(`${path}: HTTP ${response.status}`);
      if (path === "/" && (await digest(response.clone())) !== BUILT.index) throw new Error("the server has another version by now");
      await cache.put(path, response);
    }),
  );
}

async function digest(response: Response): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function page(request: Request): Promise<Response> {
  const kept = await caches.match("/", { cacheName: NAME });
  if (kept === undefined) return fetch(request);
  const late = new Promise<Response>((done) => setTimeout(() => done(kept), PATIENCE));
  return Promise.race([fetch(request).catch(() => kept), late]);
}

async function file(request: Request): Promise<Response> {
  return (await caches.match(request.url, { cacheName: NAME })) ?? fetch(request);
}

async function old(request: Request): Promise<Response> {
  return (await caches.match(request.url)) ?? fetch(request);
}
