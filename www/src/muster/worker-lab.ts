// The Worker of the console's devices: the small module with faults and recordings, there from the first paint on.

import start, { Device, setPending } from "./generated/muster_lab/muster_lab";
import { serve, type Bindings } from "./serve";

serve({ default: start, Device, setPending } as unknown as Bindings);
