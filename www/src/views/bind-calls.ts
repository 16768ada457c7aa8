// Each of the eight calls by itself.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { live } from "lit/directives/live.js";
import { t } from "../i18n";
import type { AppReply } from "../muster/types";
import { build, CALLS, type CallName } from "../state/calls";
import type { Exchange } from "../state/exchange";
import { refusal } from "../state/failure";
import { messageText } from "../state/messages";
import { errorText } from "../state/texts";
import type { Error as CoreError } from "../muster/types";
import { DeskView } from "./desk";
import { jsonView } from "./detail";
import { exchangesView } from "./exchange";

@customElement("m-bind-calls")
export class BindCalls extends DeskView {
  @state() private call: CallName = "list";
  @state() private reply: AppReply | null = null;
  @state() private wrong: string | null = null;
  @state() private busy = false;
  @state() private shown = false;
  /** The call that `from` counts for. */
  @state() private sent: CallName | null = null;
  #from: Exchange | null = null;

  override render(): TemplateResult {
    const d = t().bind;
    const { path, fields } = CALLS[this.call];
    return html`<div class="columns even">
      <form class="box stacked" @submit=${this.#send}>
        <h2>${d.part.calls}</h2>
        <p class="quiet-text">${d.callsLead}</p>
        <label>${d.call}
          <select class="mono" data-testid="call-name" @change=${(event: Event) => (this.call = (event.target as HTMLSelectElement).value as CallName)}>
            ${Object.keys(CALLS).map((name) => html`<option value=${name} .selected=${live(name === this.call)}>${name}</option>`)}
          </select>
        </label>
        <p class="quiet-text">${d.path} <code>${path}</code></p>
        ${keyed(this.call, fields.map((field) => html`<label><code>${field.name}</code><input name=${field.name} .value=${this.#value(field.name, field.value)} inputmode=${field.number === true ? "numeric" : "text"} autocomplete="off" spellcheck="false" data-testid=${`call-${field.name}`} /></label>`))}
        <div class="buttons start"><button class="btn pri" data-testid="call-send" ?disabled=${this.busy}>${d.send}</button></div>
      </form>
      <section class="box" aria-label=${d.answer} aria-live="polite">
        <h2>${d.answer}</h2>
        ${this.wrong === null ? nothing : html`<p class="wrong" role="alert" data-testid="call-wrong">${this.wrong}</p>`}
        ${this.reply === null ? nothing : this.#reply(this.reply)}
        ${this.sent === null ? nothing : exchangesView(this.#exchanges(this.sent), this.desk.owner, true)}
      </section>
    </div>`;
  }

  /** What is at hand: the chosen device, its token, the gateway's iotId. */
  #value(name: string, example: string): string {
    const { desk } = this;
    const { chosen } = desk;
    const tree = desk.tree;
    const gateway = tree?.children.find(({ kind }) => kind === "gateway");
    switch (name) {
      case "product_key":
        return this.call === "permit" ? (gateway?.children[0]?.product ?? chosen?.product_key ?? "") : (chosen?.product_key ?? "");
      case "device_name":
        return chosen?.device_name ?? "";
      case "token":
        return desk.tokenLeft(Date.now()).token;
      case "iot_id":
        return gateway?.iotId ?? "";
      case "sub_iot_id":
        return gateway?.children[0]?.iotId ?? "";
      default:
        return example;
    }
  }

  #exchanges(call: CallName): Exchange[] {
    return this.desk.since(this.#from, CALLS[call].path);
  }

  #reply(reply: AppReply): TemplateResult {
    const key = reply.reply === "key";
    const text = JSON.stringify(reply, key && !this.shown ? (name, value: unknown) => (name === "key" && typeof value === "string" ? "*".repeat(value.length) : value) : undefined);
    return html`<div class="pre" data-testid="call-reply" data-reply=${reply.reply}>${jsonView(text, this.shown)}</div>
      ${key ? html`<button type="button" class="btn reveal" aria-pressed=${this.shown} @click=${() => (this.shown = !this.shown)}>${this.shown ? t().detail.hideSecrets : t().detail.showSecrets(1)}</button>` : nothing}`;
  }

  readonly #send = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const { call, desk } = this;
    this.busy = true;
    this.shown = false;
    this.reply = null;
    this.wrong = null;
    this.sent = call;
    this.#from = desk.exchanges.at(-1) ?? null;
    try {
      this.reply = await desk.call(build(call, (name) => String(data.get(name) ?? "").trim()));
    } catch (error) {
      const core = (error as { data?: unknown }).data;
      this.wrong = typeof core === "object" && core !== null && "blame" in core ? errorText(core as CoreError, "alibaba") : messageText(refusal(error).message);
    } finally {
      this.busy = false;
    }
  };
}
