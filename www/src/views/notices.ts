import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { t } from "../i18n";
import { notices, type Notice } from "../state/notices";
import { View } from "./base";
import { icon } from "./icons";
import "../styles/transfer.css";

/** A view or panel that is fetched when it is first opened did not come. */
export function notLoaded(): void {
  notices.tell("not-loaded", () => t().devs.notLoaded, { bad: true });
}

/** What is done with a part of the page that is fetched when it is first asked for. */
export async function withPart<T>(part: Promise<T>, work: (part: T) => unknown): Promise<void> {
  const come = await part.catch(notLoaded);
  if (come !== undefined) await work(come);
}

/** What the page says in passing, at its edge, over everything but dialogs. */
@customElement("m-notices")
export class NoticesView extends View {
  protected override stores() {
    return [notices];
  }

  override render(): TemplateResult {
    return html`<div class="notices" role="status" aria-live="polite">${notices.list.map((notice) => this.#notice(notice))}</div>`;
  }

  #notice(notice: Notice): TemplateResult {
    const { action } = notice;
    const act = () => {
      notices.close(notice);
      action?.work();
    };
    return html`<div class=${`notice${notice.bad === true ? " bad" : ""}`} data-testid="notice" data-about=${notice.about}>
      <span>${notice.text()}</span>
      ${action === undefined ? nothing : html`<button type="button" class="btn" data-testid="notice-action" @click=${act}>${action.text()}</button>`}
      <button type="button" class="quiet square" data-testid="notice-close" aria-label=${t().devs.close} title=${t().devs.close} @click=${() => notices.close(notice)}>${icon("close")}</button>
    </div>`;
  }
}
