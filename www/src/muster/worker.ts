// The Worker of the devices of a page that embeds them: the smallest module.

import * as bindings from "./generated/muster/muster";
import { serve, type Bindings } from "./serve";

serve(bindings as unknown as Bindings);
