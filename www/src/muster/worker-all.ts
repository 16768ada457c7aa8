// The Worker of everything else: owners, the clouds of the tab with their devices, the calculators. Loaded on demand.

import start, { App, Cloud, Device, Fleet, Replay, setPending, tool } from "./generated/muster_all/muster_all";
import { serve } from "./serve";

serve({ default: start, App, Cloud, Device, Fleet, Replay, setPending, tool });
