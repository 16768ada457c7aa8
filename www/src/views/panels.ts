// What can be opened between a device's controls and its timeline. Each is loaded when it is first opened.

import { html, nothing, type TemplateResult } from "lit";
import { t } from "../i18n";
import type { Session } from "../state/devices";
import { icon, type IconName } from "./icons";
import { notLoaded } from "./notices";

export type Panel = {
  /** Of its button `panel-<id>`, and of the panel itself, `panel`, `data-panel`. */
  id: string;
  icon: IconName;
  title: () => string;
  load: () => Promise<unknown>;
  body: (session: Session) => TemplateResult;
  /** There is something to see in an opened recording too. */
  recordings?: true;
  /** Of devices that have an MQTT session. */
  mqtt?: true;
};

export const PANELS: readonly Panel[] = [
  { id: "faults", icon: "bolt", title: () => t().faults.panel, load: () => import("./faults"), body: (session) => html`<m-faults .session=${session}></m-faults>` },
  { id: "script", icon: "code", title: () => t().script.panel, load: () => import("./script"), body: (session) => html`<m-script .session=${session}></m-script>` },
  { id: "messages", icon: "list", title: () => t().mailbox.panel, load: () => import("./mailbox"), body: (session) => html`<m-mailbox .session=${session}></m-mailbox>`, mqtt: true },
  { id: "replay", icon: "retry", title: () => t().replay.title, load: () => import("./replay"), body: (session) => html`<m-replay .session=${session}></m-replay>`, recordings: true },
];

const offered = (session: Session) => PANELS.filter((panel) => (session.recording === null || panel.recordings === true) && (panel.mqtt !== true || session.plan.platform !== "cmcc"));

/** The buttons that open and close them. */
export function panelButtons(session: Session): TemplateResult | typeof nothing {
  const panels = offered(session);
  if (panels.length === 0) return nothing;
  return html`<span class="panel-buttons">${panels.map((panel) => {
    const open = session.panel === panel.id;
    return html`<button type="button" class=${`btn${open ? " on" : ""}`} aria-expanded=${open} aria-controls="panel" data-testid=${`panel-${panel.id}`} @click=${() => toggle(session, panel)}>${icon(panel.icon)}${panel.title()}</button>`;
  })}</span>`;
}

function toggle(session: Session, panel: Panel): void {
  const open = session.panel === panel.id;
  if (!open) panel.load().catch(notLoaded);
  session.update({ panel: open ? null : panel.id });
}

/** The one that is open. */
export function openPanel(session: Session): TemplateResult | typeof nothing {
  const panel = offered(session).find(({ id }) => id === session.panel);
  if (panel === undefined) return nothing;
  // One that was open before a reload was opened by nobody; a second load is none.
  panel.load().catch(notLoaded);
  return html`<section class="panel" id="panel" data-testid="panel" data-panel=${panel.id} aria-label=${panel.title()}>
    <div class="panel-head">
      <h3>${panel.title()}</h3>
      <button type="button" class="quiet square" data-testid="panel-close" aria-label=${t().common.close} title=${t().common.close} @click=${() => toggle(session, panel)}>${icon("close")}</button>
    </div>
    ${panel.body(session)}
  </section>`;
}
