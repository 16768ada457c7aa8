// How a page starts the Workers of this package. Takes the place of src/muster/start.ts in the package's build.

import type { ModuleName, Port } from "../../src/muster/start";

export function start(module: ModuleName, url?: string | URL): Port {
  if (url !== undefined) return new Worker(String(url), { type: "module", name: module }) as Port;
  return (module === "muster" ? small() : large()) as Port;
}

// Written out, because this is how bundlers recognise a Worker.
const small = (): Worker => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "muster" });
const large = (): Worker => new Worker(new URL("./worker-all.js", import.meta.url), { type: "module", name: "muster-all" });
