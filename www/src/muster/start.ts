// How a Worker is started: the only thing that differs between a page and other places that run Muster.

/** A Worker as far as this API needs it. */
export interface Port {
  /** Set once, before anything is asked. */
  onmessage: ((event: { data: unknown }) => void) | null;
  /** Something went wrong beyond repair: it could not be loaded, or it has crashed. */
  onerror: ((event: { message?: string; preventDefault?(): void }) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
  terminate(): void;
  /** Whether anything is under way in it. Where an idle Worker would keep a process alive, this lets it end. */
  busy?(busy: boolean): void;
}

/** Which module: devices alone; with faults and recordings; everything. */
export type ModuleName = "muster" | "muster_lab" | "muster_all";

/** Starts the Worker of a module; `url`: where it is, if not beside this file. */
export function start(module: ModuleName, url?: string | URL): Port {
  if (url !== undefined) return new Worker(String(url), { type: "module", name: module }) as Port;
  return WORKERS[module]() as Port;
}

// Written out, because this is how bundlers recognise a Worker.
const WORKERS: Record<ModuleName, () => Worker> = {
  muster: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "muster" }),
  muster_lab: () => new Worker(new URL("./worker-lab.ts", import.meta.url), { type: "module", name: "muster-lab" }),
  muster_all: () => new Worker(new URL("./worker-all.ts", import.meta.url), { type: "module", name: "muster-all" }),
};
