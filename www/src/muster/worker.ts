// The Worker of a page's devices: the small module, there from the first paint on.

import * as bindings from "./generated/muster/muster";
import { serve, type Bindings } from "./serve";

serve(bindings as unknown as Bindings);
