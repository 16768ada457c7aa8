// The page without its server: a service worker keeps it, and a newer version is offered, never put under what runs.

import { t } from "../i18n";
import { devices } from "./devices";
import { notices } from "./notices";

const WORKER = "/console/sw.js";
/** How often the server is asked for a newer version, at most. */
const EVERY = 3_600_000;

/** Resolves with true if the person goes on although devices run. */
type Ask = (running: number) => Promise<boolean>;

class Offline {
  #ask: Ask = () => Promise.resolve(true);
  #asked = 0;
  /** This tab asked for the other version; others only get to know of it. */
  #going = false;

  /** Not before the page has what it needs: its files come first. */
  async start(ask: Ask): Promise<void> {
    this.#ask = ask;
    if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
    let registration: ServiceWorkerRegistration;
    try {
      // A server that does not allow it would only make the browser complain.
      const { headers } = await fetch(WORKER, { method: "HEAD" });
      if (headers.get("service-worker-allowed") !== "/") return;
      registration = await navigator.serviceWorker.register(WORKER, { scope: "/", updateViaCache: "none" });
    } catch {
      // A browser that is told to keep nothing, or the server is gone, and the page is what was kept.
      return;
    }
    this.#asked = Date.now();
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (this.#going) location.reload();
    });
    if (registration.waiting !== null) void this.#offer(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const { installing } = registration;
      installing?.addEventListener("statechange", () => {
        // Without a controller it is the first one: nothing was there before it.
        if (installing.state === "installed" && navigator.serviceWorker.controller !== null) void this.#offer(installing);
      });
    });
    const look = () => {
      if (document.visibilityState !== "visible" || Date.now() - this.#asked < EVERY) return;
      this.#asked = Date.now();
      // Without its server it cannot be asked.
      registration.update().catch(() => {});
    };
    document.addEventListener("visibilitychange", look);
    setInterval(look, EVERY / 4);
  }

  async #offer(worker: ServiceWorker): Promise<void> {
    // A page that was loaded since is of that version already: its first script, which names all others, tells.
    const first = document.querySelector<HTMLScriptElement>("script[type=module][src]");
    if (first !== null && (await has(worker, new URL(first.src).pathname))) {
      worker.postMessage({ type: "go" });
      return;
    }
    notices.tell("update", () => t().devs.newVersion, { action: { text: () => t().devs.newVersionReload, work: () => void this.#go(worker) } });
  }

  async #go(worker: ServiceWorker): Promise<void> {
    const running = devices.sessions.filter((session) => session.running).length;
    if (running > 0 && !(await this.#ask(running))) {
      await this.#offer(worker);
      return;
    }
    this.#going = true;
    worker.postMessage({ type: "go" });
    // It may have taken over in another tab already.
    if (worker.state === "activated") location.reload();
  }
}

/** Whether a file is one of a worker's version. */
function has(worker: ServiceWorker, path: string): Promise<boolean> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = (event: MessageEvent<unknown>) => done(event.data === true);
    setTimeout(() => done(false), 2_000);
    worker.postMessage({ type: "has", path }, [port2]);
  });
}

export const offline = new Offline();
