// The instance that `Device.start` and the others share, unless they are given one.

import { load } from "../../src/muster/index";
import type { Muster, Tools } from "../../src/muster/types";

let current: Promise<Muster> | undefined;

/** Loaded when first asked for; another one once it has died or could not be loaded. */
export function shared(): Promise<Muster> {
  if (current === undefined) {
    const begun = load();
    current = begun;
    const forget = (): void => {
      if (current === begun) current = undefined;
    };
    begun.then((muster) => void muster.died.then(forget), forget);
  }
  return current;
}

/** Explicit resource management, also where the engine does not know its symbol yet. */
export const asyncDispose: typeof Symbol.asyncDispose =
  (Symbol.asyncDispose as typeof Symbol.asyncDispose | undefined) ??
  (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose);

/** The calculators, in the shared instance. */
export const tools: Tools = {
  cipher: async (input) => (await shared()).tools.cipher(input),
  wifi: async (input) => (await shared()).tools.wifi(input),
  sign: async (request) => (await shared()).tools.sign(request),
  credentials: async (input) => (await shared()).tools.credentials(input),
  credentialModes: async () => (await shared()).tools.credentialModes(),
  cmeiCheck: async (cmei) => (await shared()).tools.cmeiCheck(cmei),
  cmeiBuild: async (parts) => (await shared()).tools.cmeiBuild(parts),
  cmeiBatch: async (parts) => (await shared()).tools.cmeiBatch(parts),
  imeiCheck: async (imei) => (await shared()).tools.imeiCheck(imei),
  nvs: async (input) => (await shared()).tools.nvs(input),
  handover: async (input) => (await shared()).tools.handover(input),
};
