// Makes a thread of Node look like a Worker of a page, as far as src/muster/serve.ts looks.

import { readFile } from "node:fs/promises";
import { parentPort } from "node:worker_threads";
import { socketAround, type InnerClass } from "./node-socket";

type Listener = (event: { data?: unknown; error?: unknown; reason?: unknown }) => void;

const port = parentPort;
if (port === null) throw new Error("this file is a thread of muster-device and not a program");

const scope = {
  postMessage(message: unknown): void {
    port.postMessage(message);
  },
  addEventListener(type: string, listener: Listener): void {
    if (type === "message") port.on("message", (data: unknown) => listener({ data }));
    if (type === "error") process.on("uncaughtException", (error) => listener({ error }));
    if (type === "unhandledrejection") process.on("unhandledRejection", (reason) => listener({ reason }));
  },
  close(): void {
    // What was said before has to arrive: not in the middle of saying it.
    setImmediate(() => process.exit(0));
  },
};
Object.assign(globalThis, scope);

/** Says in the timeline what is missing, where a device wants to connect. */
class NoWebSocket {
  constructor() {
    throw new Error("this Node has no WebSocket: `npm install ws`, or use Node 22");
  }
}

const own = (globalThis as { WebSocket?: InnerClass }).WebSocket;
const found =
  own ??
  (await import("ws").then(
    (ws) => ws.WebSocket,
    () => undefined,
  ));
Object.assign(globalThis, { WebSocket: found === undefined ? NoWebSocket : socketAround(found) });

/** The module's bytes, from beside this file unless told otherwise. */
export async function bytes(file: string, given: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const named = (given as { module_or_path?: string } | undefined)?.module_or_path;
  return new Uint8Array(await readFile(new URL(named ?? file, import.meta.url)));
}
