// How a device gets to a real cloud: the environments of the vendors, what this browser can reach by itself, and the
// relay for the rest.

import { html, nothing, type TemplateResult } from "lit";
import { say, t } from "../i18n";
import type { PlatformName, TroubleReason } from "../muster/types";
import { devices, type Session } from "../state/devices";
import { PRESETS, filled, presetOf } from "../state/presets";
import { onList, places, reach, startCommand, toAllow } from "../state/reach";
import { relay } from "../state/relay";
import { hostOf } from "../state/texts";
import { copyButton } from "./base";

/** The environments. `apply` gets what the chosen one fills in. */
export function environments(platform: PlatformName, draft: Record<string, string>, apply: (settings: Record<string, string>) => void): TemplateResult {
  const d = t().relay;
  const current = presetOf(platform, draft);
  const choose = (event: Event) => {
    const preset = PRESETS[platform].find(({ id }) => id === (event.target as HTMLSelectElement).value);
    // China Mobile's environments count only without an address of one's own.
    if (preset !== undefined) apply({ ...preset.settings, ...(platform === "cmcc" ? { base_url: "" } : {}) });
  };
  return html`<div class="field environment">
    <label for="environment-choice">${d.environment}</label>
    <select id="environment-choice" data-testid="environment-choice" aria-describedby="environment-note" @change=${choose}>
      <option value="" .selected=${current === undefined}>${d.own}</option>
      ${PRESETS[platform].map((preset) => html`<option value=${preset.id} .selected=${preset === current}>${say(preset.name)}</option>`)}
    </select>
    <small id="environment-note">${current === undefined ? d.ownNote : html`${say(current.note)} <span class="quiet-text">${d.source} <cite lang=${/[\u4e00-\u9fff]/.test(current.source) ? "zh-CN" : "en"}>${current.source}</cite></span>`}</small>
  </div>`;
}

/** Straight, or by the relay; with what the browser can reach of the addresses that are filled in. */
export function way(platform: PlatformName, draft: Record<string, string>, byRelay: boolean, set: (on: boolean) => void): TemplateResult {
  return wayTo(places(platform, draft).map((url) => filled(url, draft)), byRelay, set);
}

/** The same for addresses of whatever kind. */
export function wayTo(urls: readonly string[], byRelay: boolean, set: (on: boolean) => void): TemplateResult {
  const d = t().relay;
  void relay.known();
  const missing = relay.state === "on" ? urls.filter((url) => !onList(relay.allow, url)) : [];
  const stuck = urls.some((url) => ["plain_tcp", "mixed_content"].includes(reach(url, location)));
  const option = (on: boolean, text: string, help: string) => html`<label class=${`option${byRelay === on ? " on" : ""}`}>
    <input type="radio" name="way" data-testid=${on ? "way-relay" : "way-direct"} .checked=${byRelay === on} @change=${() => set(on)} />
    <span><b>${text}</b><small>${help}</small></span>
  </label>`;
  return html`<fieldset class="way">
    <legend>${d.way}</legend>
    ${urls.length === 0
      ? nothing
      : html`<ul class="reach" data-testid="reach">
          ${urls.map((url) => {
            const can = reach(url, location);
            return html`<li data-reach=${can}><code>${hostOf(url)}</code> <span class=${can === "direct" ? "" : can === "cors" ? "quiet-text" : "caution"}>${d.reach[can]}</span></li>`;
          })}
        </ul>`}
    <div class="options">${option(false, d.direct, d.directHelp)}${option(true, d.by, d.byHelp)}</div>
    ${byRelay ? (relay.state === "on" ? (missing.length === 0 ? nothing : needs(d.notListed, startCommand([...relay.own, ...missing.flatMap((url) => toAllow("relay_host", url, undefined))]))) : needs(d.off[relay.state === "none" ? "none" : "off"], startCommand())) : stuck ? html`<p class="caution" data-testid="way-stuck">${d.stuck}</p>` : nothing}
  </fieldset>`;
}

/** What to start, and a second look. */
function needs(text: string, command: string): TemplateResult {
  return html`<div class="needs" data-testid="relay-needs"><p>${text}</p>${commandLine(command)}
    <button type="button" class="btn" data-testid="relay-look" @click=${() => void relay.look()}>${t().relay.look}</button></div>`;
}

function commandLine(command: string): TemplateResult {
  return html`<p class="command"><code data-testid="relay-command">${command}</code> ${copyButton(command)}</p>`;
}

/** Failures that are a browser's own, where the relay has none. */
const HELPED: ReadonlySet<string> = new Set(["plain_tcp", "mixed_content", "cors", "unreachable", "refused_by_policy"]);
/** What is said in `trouble.reason` already leads to a command. */
const COMMANDED: ReadonlySet<string> = new Set(["relay_off", "relay_host", "relay_address", "relay_redirect"]);

/** Below what the relay says against an address: how to start it so that it goes there. */
export function relayCommand(session: Session, reason: TroubleReason | "plain_tcp" | null, url: string, detail: string | undefined): TemplateResult | typeof nothing {
  if (session.plan.world !== "real" || reason === null || !COMMANDED.has(reason)) return nothing;
  return commandLine(startCommand([...relay.own, ...toAllow(reason, url, detail)]));
}

/** Beside what keeps a browser from an address: the way by the relay, or how to get one. */
export function relayOffer(session: Session, reason: TroubleReason | "plain_tcp" | null): TemplateResult | typeof nothing {
  if (session.plan.world !== "real" || reason === null) return nothing;
  const d = t().relay;
  if (session.plan.relay === true || !HELPED.has(reason)) return nothing;
  void relay.known();
  if (relay.state === "unknown") return nothing;
  const go = () => {
    session.replan({ ...session.plan, relay: true });
    devices.keep();
    void session.restart();
  };
  if (relay.state !== "on") return needs(d.wouldHelp[relay.state], startCommand());
  return html`<p class="offer"><span>${d.helps}</span> <button type="button" class="btn pri" data-testid="go-by-relay" @click=${go}>${d.go}</button></p>`;
}
