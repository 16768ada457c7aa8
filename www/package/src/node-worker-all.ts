// The thread of everything else: owners, clouds with their devices, the calculators.

import * as bindings from "../../src/muster/generated/muster_all/muster_all";
import { serve, type Bindings } from "../../src/muster/serve";
import { bytes } from "./node-scope";

const load = async (wasm: unknown): Promise<unknown> => bindings.default({ module_or_path: await bytes("./muster_all_bg.wasm", wasm) });
serve({ ...bindings, default: load } as unknown as Bindings);
