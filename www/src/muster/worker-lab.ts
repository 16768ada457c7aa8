// The Worker of the console's devices: the small module with faults and recordings, there from the first paint on.

import * as bindings from "./generated/muster_lab/muster_lab";
import { serve, type Bindings } from "./serve";

serve(bindings as unknown as Bindings);
