// What cannot be taken back: the dialog says the vendor's rule, what becomes void, and whether the device is in the
// field; and it goes on only after the device's name was typed.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { dateText, t } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { DeviceView, PlatformName } from "../../muster/types";
import { isUsed } from "../../state/whitelist";
import { View } from "../base";
import { icon } from "../icons";

export type Danger = {
  title: string;
  rule: string;
  effects: readonly string[];
  /** What it does with the box ticked. */
  fresh?: readonly string[];
  source: string;
  /** Whether devices are in the field, and so would notice. */
  field: { text: string; used: boolean };
  /** What has to be typed. */
  type: string;
  ok: string;
};

/** Resolves with null if the person changed their mind. */
export function askDanger(danger: Danger): Promise<{ fresh: boolean } | null> {
  const dialog = new DangerDialog();
  dialog.danger = danger;
  document.body.append(dialog);
  return new Promise((done) => {
    dialog.done = done;
  });
}

/** Of one device: whether it would notice. Of many: how many would. */
export function fieldOf(platform: PlatformName, devices: readonly DeviceView[]): Danger["field"] {
  const d = o().danger;
  const used = devices.filter((device) => isUsed(platform, device));
  const [device] = devices;
  if (devices.length !== 1 || device === undefined) {
    return { text: d.some(used.length, devices.length, devices.filter(({ state }) => state === "online").length), used: used.length > 0 };
  }
  if (used.length === 0) return { text: d.unused(device.name), used: false };
  if (device.state === "online") return { text: d.online(device.name), used: true };
  return { text: device.last_active === null ? d.given(device.name) : d.used(device.name, dateText(device.last_active)), used: true };
}

/** What has to be typed for these: the name, or how many. */
export function typed(devices: readonly DeviceView[]): string {
  return devices.length === 1 ? (devices[0]?.name ?? "") : String(devices.length);
}

@customElement("m-danger")
export class DangerDialog extends View {
  danger!: Danger;
  done: (answer: { fresh: boolean } | null) => void = () => {};
  @state() private fresh = false;
  @state() private text = "";
  @state() private wrong = false;

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (dialog !== null && !dialog.open) dialog.showModal();
  }

  #end(answer: { fresh: boolean } | null): void {
    this.done(answer);
    this.done = () => {};
    this.remove();
  }

  readonly #submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (this.text.trim() === this.danger.type) return this.#end({ fresh: this.fresh });
    this.wrong = true;
    this.querySelector<HTMLElement>("[data-testid=danger-name]")?.focus();
    return undefined;
  };

  override render(): TemplateResult {
    const d = o().danger;
    const { danger } = this;
    const effects = this.fresh && danger.fresh !== undefined ? danger.fresh : danger.effects;
    return html`<dialog class="large danger" aria-labelledby="danger-title" data-testid="danger" @close=${() => this.#end(null)}>
      <form @submit=${this.#submit} novalidate>
        <header><h2 id="danger-title">${danger.title}</h2><button type="button" class="quiet square" aria-label=${t().common.close} @click=${() => this.#end(null)}>${icon("close")}</button></header>
        <div class="scroll">
          <section class=${`banner flat ${danger.field.used ? "bad" : "info"}`} data-testid="danger-field" data-used=${danger.field.used}>${icon("alert")}<div><strong>${danger.field.text}</strong></div></section>
          <section><h3>${d.rule}</h3><p data-testid="danger-rule">${danger.rule}</p><p class="quiet-text">${o().source}: ${danger.source}</p></section>
          <section><h3>${d.effects}</h3><ul class="op-points" data-testid="danger-effects">${effects.map((effect) => html`<li>${effect}</li>`)}<li>${d.noUndo}</li></ul></section>
          ${danger.fresh === undefined ? nothing : html`<label class="check"><input type="checkbox" data-testid="danger-fresh" .checked=${this.fresh} @change=${(event: Event) => (this.fresh = (event.target as HTMLInputElement).checked)} />${d.newSecret}</label>`}
          <label class="stacked-file"><span id="danger-type">${d.type(danger.type)}</span>
            <input class="mono" data-testid="danger-name" autocomplete="off" spellcheck="false" autofocus aria-invalid=${this.wrong} aria-describedby=${this.wrong ? "danger-wrong" : nothing} .value=${this.text} @input=${this.#input} /></label>
          ${this.wrong ? html`<p class="wrong" id="danger-wrong" role="alert" data-testid="danger-wrong">${d.mismatch(danger.type)}</p>` : nothing}
        </div>
        <footer class="buttons">
          <button type="button" class="btn" data-testid="danger-cancel" @click=${() => this.#end(null)}>${t().common.cancel}</button>
          <button class="btn danger" data-testid="danger-ok">${danger.ok}</button>
        </footer>
      </form>
    </dialog>`;
  }

  readonly #input = (event: Event) => {
    this.text = (event.target as HTMLInputElement).value;
    this.wrong = false;
  };
}
