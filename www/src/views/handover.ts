// A registered device's credentials as a file: JSON, C header, CSV, NVS image. Loaded when it is first asked for.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../i18n";
import type { Handover, HandoverForm } from "../muster/types";
import type { Session } from "../state/devices";
import { engine } from "../state/engine";
import { refusal, type Refusal } from "../state/failure";
import { covered, partitionSize } from "../state/handover";
import { messageText } from "../state/messages";
import { View, maskedText, segments } from "./base";
import { icon } from "./icons";
import { saveFile } from "./save";

const FORMS: readonly HandoverForm[] = ["json", "header", "csv", "nvs"];

/** Opens the dialog over everything. */
export function openHandover(session: Session): void {
  const dialog = new HandoverDialog();
  dialog.session = session;
  document.body.append(dialog);
}

@customElement("m-handover")
export class HandoverDialog extends View {
  session!: Session;
  @state() private form: HandoverForm = "json";
  @state() private namespace = "muster";
  @state() private size = "0x6000";
  @state() private format = 2;
  @state() private file: Handover | null = null;
  @state() private refusal: Refusal | null = null;
  @state() private shown = false;
  #credential: string | undefined;
  #round = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#make();
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (dialog !== null && !dialog.open) dialog.showModal();
  }

  async #make(): Promise<void> {
    this.#round += 1;
    const round = this.#round;
    try {
      this.#credential ??= await this.session.credential();
      if (this.#credential === undefined) throw Object.assign(new Error("nothing is stored"), { code: "nothing_stored" });
      const { form, namespace, format } = this;
      const input = { platform: this.session.plan.platform, credential: this.#credential, form, namespace, format };
      const size = partitionSize(this.size);
      const made = await (await engine.get()).tools.handover(form === "nvs" && size !== undefined ? { ...input, size } : input);
      if (round !== this.#round) return;
      this.file = made;
      this.refusal = null;
    } catch (error) {
      if (round !== this.#round) return;
      this.file = null;
      this.refusal = refusal(error);
    }
  }

  #set(change: { form?: HandoverForm; namespace?: string; size?: string; format?: number }): void {
    Object.assign(this, change);
    void this.#make();
  }

  #download(): void {
    if (this.file === null) return;
    saveFile(this.file.file, this.file.media_type, [this.file.bytes.slice()]);
  }

  override render(): TemplateResult {
    const d = t();
    const close = () => this.remove();
    const { file } = this;
    return html`<dialog class="large handover" aria-labelledby="handover-title" data-testid="handover" @close=${close}>
      <form @submit=${(event: Event) => event.preventDefault()}>
        <header>
          <h2 id="handover-title">${d.handover.title(this.session.names.device)}</h2>
          <button type="button" class="quiet square" aria-label=${d.common.close} data-testid="handover-close" @click=${close}>${icon("close")}</button>
        </header>
        <div class="scroll">
          <p class="lead">${d.handover.lead}</p>
          ${segments(
            d.handover.form,
            FORMS.map((value) => ({ value, text: d.handover.forms[value].name, testid: `handover-${value}` })),
            this.form,
            (form) => this.#set({ form }),
          )}
          <p>${d.handover.forms[this.form].what}</p>
          ${this.form === "csv" || this.form === "nvs" ? this.#options() : nothing}
          ${this.refusal === null ? nothing : html`<p class="wrong" role="alert" data-testid="handover-refusal">${this.refusal.code === "nothing_stored" ? d.handover.nothing : messageText(this.refusal.message)}</p>`}
          ${file === null ? nothing : this.form === "nvs" ? this.#places(file) : this.#text(file)}
          ${this.form === "nvs" ? html`<p class="caution">${d.handover.replaces}</p>` : nothing}
        </div>
        <footer class="buttons">
          <span class="grow mono" data-testid="handover-file">${file === null ? "" : `${file.file} · ${d.handover.bytes(file.bytes.length)}`}</span>
          <button type="button" class="btn pri" data-testid="handover-download" ?disabled=${file === null} @click=${() => this.#download()}>${icon("save")}${d.handover.download}</button>
        </footer>
      </form>
    </dialog>`;
  }

  #options(): TemplateResult {
    const d = t().handover;
    const value = (event: Event) => (event.target as HTMLInputElement).value;
    return html`<fieldset>
      <legend>${d.options}</legend>
      <div class="field"><label for="handover-namespace">${d.namespace}</label>
        <input id="handover-namespace" data-testid="handover-namespace" maxlength="15" spellcheck="false" .value=${this.namespace} @input=${(e: Event) => this.#set({ namespace: value(e) })} /></div>
      ${this.form === "csv"
        ? nothing
        : html`<div class="field"><label for="handover-size">${d.size}</label>
              <input id="handover-size" data-testid="handover-size" spellcheck="false" aria-invalid=${partitionSize(this.size) === undefined} .value=${this.size} @input=${(e: Event) => this.#set({ size: value(e) })} /></div>
            <div class="field"><label for="handover-format">${d.format}</label>
              <select id="handover-format" data-testid="handover-format" @change=${(e: Event) => this.#set({ format: Number(value(e)) })}>
                <option value="2" ?selected=${this.format === 2}>${d.two}</option><option value="1" ?selected=${this.format === 1}>${d.one}</option>
              </select></div>`}
    </fieldset>`;
  }

  #text(file: Handover): TemplateResult {
    const d = t();
    const text = new TextDecoder().decode(file.bytes);
    return html`<div class="preview">
      <pre class="mono" tabindex="0" aria-label=${d.handover.preview} data-testid="handover-preview">${this.shown ? text : maskedText(covered(text, this.#credential ?? ""))}</pre>
      <button type="button" class="quiet" aria-pressed=${this.shown} data-testid="handover-show" @click=${() => (this.shown = !this.shown)}>${this.shown ? d.common.hide : d.common.show}</button>
    </div>`;
  }

  #places(file: Handover): TemplateResult {
    const d = t().handover;
    return html`<div class="scroll-x" tabindex="0" role="region" aria-label=${d.preview}><table data-testid="handover-places">
      <thead><tr><th scope="col">${d.offset}</th><th scope="col">${d.entries}</th><th scope="col">${d.kind}</th><th scope="col">${d.namespace}</th><th scope="col">${d.key}</th><th scope="col">${d.size_}</th></tr></thead>
      <tbody>${file.places.map(
        (place) => html`<tr><td class="mono">0x${place.offset.toString(16).padStart(4, "0")}</td><td>${place.entry}${place.span > 1 ? `–${place.entry + place.span - 1}` : ""}</td><td><code>${place.kind}</code></td><td><code>${place.namespace}</code></td><td><code>${place.key}</code></td><td>${place.bytes}</td></tr>`,
      )}</tbody>
    </table></div>`;
  }
}
