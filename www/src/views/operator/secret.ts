// A secret that is dots until somebody asks for it.

import { html, type TemplateResult } from "lit";
import { t } from "../../i18n";
import type { Operator } from "../../state/clouds";
import { operate } from "../../state/operate";
import { copyButton } from "../base";

/** Of a device, or of the product (""); with `ask`, of something else, which `key` names. */
export function secretView(key: string, name: string, ask?: (operator: Operator) => Promise<string>): TemplateResult {
  const d = t();
  const shown = operate.secrets.get(key);
  const toggle = () => (ask === undefined ? operate.reveal(key) : operate.revealMore(key, ask));
  return html`<span class="secret">${shown === undefined ? html`<span class="mask" data-testid="mask">${"•".repeat(16)}</span>` : shown === "" ? html`<span class="sans quiet-text">${d.cloud.noSecret}</span>` : html`<code data-testid="secret">${shown}</code>${copyButton(shown, name)}`}
    <button type="button" class="btn tiny" aria-pressed=${shown !== undefined} aria-label=${`${shown === undefined ? d.common.show : d.common.hide} ${name}`} data-testid="reveal" @click=${toggle}>${shown === undefined ? d.common.show : d.common.hide}</button></span>`;
}
