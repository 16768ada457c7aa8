import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/devices.css";
import "./styles/views.css";
import { i18n } from "./i18n";
import { clouds } from "./state/clouds";
import { devices } from "./state/devices";
import { engine } from "./state/engine";
import { router } from "./state/router";
import { theme } from "./state/theme";
import "./views/app";

i18n.start();
theme.start();
router.start();
clouds.start();
devices.remember();

// The page is drawn first; the WebAssembly is fetched while the person reads.
const idle = (work: () => void) => ("requestIdleCallback" in window ? requestIdleCallback(work, { timeout: 1500 }) : setTimeout(work, 300));
idle(() => void engine.get().catch(() => {}));
