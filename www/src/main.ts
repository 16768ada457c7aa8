import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/devices.css";
import "./styles/views.css";
import "./styles/relay.css";
import { i18n, t } from "./i18n";
import { clouds } from "./state/clouds";
import { devices } from "./state/devices";
import { engine } from "./state/engine";
import { library } from "./state/library";
import { isLink } from "./state/link-hash";
import { page } from "./state/page";
import { formatRoute, router } from "./state/router";
import { theme } from "./state/theme";
import "./views/app";
import { ask } from "./views/dialogs";
import { withPart } from "./views/notices";

/**
 * A link that carries profiles is taken out of the address bar and of the history before anything else looks at it, and
 * then shown.
 */
function takeLink(): void {
  if (!isLink(location.hash)) return;
  const { hash } = location;
  history.replaceState(null, "", formatRoute("devices"));
  void withPart(import("./views/incoming"), ({ openLink }) => openLink(hash));
}

theme.start();
await i18n.start();
addEventListener("hashchange", takeLink);
takeLink();
router.start();
clouds.start();
library.start();
devices.remember();
page.start();
document.body.prepend(document.createElement("m-app"));

// The page is drawn first; the WebAssembly is fetched while the person reads; what it takes to do without the server
// comes last.
const idle = (work: () => void) => ("requestIdleCallback" in window ? requestIdleCallback(work, { timeout: 1500 }) : setTimeout(work, 300));
idle(() => {
  void engine
    .get()
    .catch(() => {})
    .then(() => idle(() => void stayOffline()));
});

async function stayOffline(): Promise<void> {
  // Its server may have gone by now, and nobody has asked for this.
  const part = await import("./state/offline").catch(() => null);
  await part?.offline.start(async (running) => {
    const d = t().devs;
    return (await ask({ title: d.newVersionTitle, text: d.newVersionText(running), ok: d.newVersionReload, danger: true })) !== null;
  });
}
