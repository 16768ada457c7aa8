// The thread of devices on the network.

import * as bindings from "../../src/muster/generated/muster/muster";
import { serve, type Bindings } from "../../src/muster/serve";
import { bytes } from "./node-scope";

const load = async (wasm: unknown): Promise<unknown> => bindings.default({ module_or_path: await bytes("./muster_bg.wasm", wasm) });
serve({ ...bindings, default: load } as unknown as Bindings);
