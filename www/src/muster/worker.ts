// The Worker of the devices of a page that embeds them: the smallest module.

import start, { Device, setPending } from "./generated/muster/muster";
import { serve, type Bindings } from "./serve";

serve({ default: start, Device, setPending } as unknown as Bindings);
