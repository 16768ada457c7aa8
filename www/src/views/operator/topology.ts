// Alibaba's gateways: who may join them, and which sub-devices they have.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { waitText } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { GatewayView, SubDeviceView } from "../../muster/types";
import { clock } from "../../state/clock";
import { operate } from "../../state/operate";
import { View, announce } from "../base";
import { icon } from "../icons";
import { tie } from "./acts";
import { bindLink, stateChip } from "./devices";

const CLOSED = 65_535;

@customElement("m-op-topology")
export class Topology extends View {
  /** How long joining is to be open, by gateway. */
  @state() private seconds: Readonly<Record<string, string>> = {};
  @state() private only: Readonly<Record<string, string>> = {};

  protected override stores() {
    return [operate, clock];
  }

  override render(): TemplateResult {
    const d = o().topology;
    const { gateways } = operate;
    return html`<section class="box" aria-labelledby="topology-title">
      <div class="box-head"><h2 id="topology-title">${d.title}</h2><span class="grow"></span>${bindLink()}</div>
      <p class="quiet-text">${gateways.length === 0 ? d.none : d.lead}</p>
      ${gateways.map((gateway) => this.#gateway(gateway))}
    </section>`;
  }

  #gateway(gateway: GatewayView): TemplateResult {
    const d = o().topology;
    const name = `${gateway.product}/${gateway.device}`;
    const id = `gateway-${name.replace(/\W/g, "-")}`;
    return html`<article class="op-gateway" data-testid="gateway" data-name=${name} aria-labelledby=${id}>
      <header><h3 id=${id}><code>${name}</code></h3>${stateChip(gateway.state)}${gateway.owner === null ? nothing : html`<span class="quiet-text">${d.owner(gateway.owner)}</span>`}<span class="grow"></span>
        <span class="quiet-text">${gateway.subs.length === 0 ? d.noSubs : d.subs(gateway.subs.length)}</span></header>
      ${this.#permit(gateway, name)}
      ${gateway.subs.length === 0 ? nothing : html`<ul class="op-tree">${gateway.subs.map((sub) => this.#sub(gateway, sub))}</ul>`}
      ${this.#add(gateway)}
    </article>`;
  }

  #sub(gateway: GatewayView, sub: SubDeviceView): TemplateResult {
    const d = o().topology;
    const name = `${sub.product}/${sub.device}`;
    return html`<li data-testid="sub-device" data-name=${name}><code>${name}</code>${stateChip(sub.state)}<span class="grow"></span>
      <button type="button" class="btn tiny" data-testid="sub-remove" aria-label=${d.removeOf(sub.device, gateway.device)} @click=${() => tie(gateway, sub, false)}>${d.remove}</button></li>`;
  }

  #permit(gateway: GatewayView, name: string): TemplateResult {
    const d = o().topology;
    const { permit } = gateway;
    const left = permit?.until == null ? null : permit.until - Date.now();
    const open = permit !== null && (left === null || left > 0);
    const seconds = this.seconds[name] ?? "60";
    const only = this.only[name] ?? "";
    const whole = /^\d+$/.test(seconds) && Number(seconds) >= 1 && Number(seconds) < CLOSED;
    const set = (value: number) => () => this.#set(gateway, value, only);
    return html`<div class="op-permit" role="group" aria-label=${`${d.permit}: ${name}`}>
      <span class=${`chip ${open ? "run" : "quiet"}`} data-testid="permit" data-open=${open}>${!open ? d.closed : left === null ? d.openAlways : d.open(waitText(left))}${open && permit.product !== null ? `, ${d.only(permit.product)}` : ""}</span>
      <label class="inline"><span>${d.seconds}</span><input class="short" inputmode="numeric" data-testid="permit-seconds" aria-invalid=${!whole} title=${d.permitHelp} .value=${seconds} @input=${(event: Event) => (this.seconds = { ...this.seconds, [name]: (event.target as HTMLInputElement).value })} /></label>
      <label class="inline"><span>${d.product}</span><select class="slim" data-testid="permit-product" @change=${(event: Event) => (this.only = { ...this.only, [name]: (event.target as HTMLSelectElement).value })}>
        <option value="">${d.anyProduct}</option>${(operate.products ?? []).filter((product) => product.switches["nodeType"] !== "1").map((product) => html`<option value=${product.id} ?selected=${product.id === only}>${product.id}</option>`)}</select></label>
      <button type="button" class="btn" data-testid="permit-open" ?disabled=${!whole} @click=${set(Number(seconds))}>${d.permitOpen}</button>
      <button type="button" class="btn" data-testid="permit-always" @click=${set(0)}>${d.permitAlways}</button>
      ${open ? html`<button type="button" class="btn" data-testid="permit-close" @click=${set(CLOSED)}>${d.permitClose}</button>` : nothing}
    </div>`;
  }

  async #set(gateway: GatewayView, seconds: number, only: string): Promise<void> {
    const { product, device } = gateway;
    const permit = (value: number, sub: string) => operate.operate({ action: "permit", product, device, seconds: value, ...(sub === "" ? {} : { sub_product: sub }) });
    if ((await permit(seconds, only)) === null) return;
    const said = (value: number) => () => {
      const did = o().did;
      return value === CLOSED ? did.closed(device) : value === 0 ? did.permittedAlways(device) : did.permitted(device, waitText(value * 1_000));
    };
    // The way back is what was before: closed, open for good, or what is left of the time.
    const before = gateway.permit;
    const undo = async () => {
      const left = before === null ? CLOSED : before.until === null ? 0 : Math.max(0, Math.ceil((before.until - Date.now()) / 1_000));
      const value = left === 0 && before?.until != null ? CLOSED : left;
      if ((await permit(value, before?.product ?? "")) !== null) operate.tell(said(value));
    };
    operate.tell(said(seconds), undo);
    announce(said(seconds)());
  }

  #add(gateway: GatewayView): TemplateResult {
    const d = o().topology;
    const products = operate.products ?? [];
    const first = products.find((product) => product.switches["nodeType"] !== "1") ?? products[0];
    const submit = async (event: SubmitEvent) => {
      event.preventDefault();
      const form = event.target as HTMLFormElement;
      const data = new FormData(form);
      const sub = { product: String(data.get("product") ?? ""), device: String(data.get("device") ?? "").trim() };
      if (sub.device !== "" && (await tie(gateway, sub, true))) form.reset();
    };
    const list = `names-${gateway.product}-${gateway.device}`.replace(/\W/g, "-");
    const under = new Set(operate.gateways.flatMap((each) => each.subs.map((sub) => `${sub.product}/${sub.device}`)));
    const free = operate.roster.all.filter((device) => !under.has(`${operate.product}/${device.name}`)).slice(0, 200);
    return html`<form class="add-sub" @submit=${submit} aria-label=${d.add}>
      ${icon("plus")}<label class="inline"><span>${d.product}</span><select class="slim" name="product" data-testid="sub-product">${products.map((product) => html`<option value=${product.id} ?selected=${product === first}>${product.id}</option>`)}</select></label>
      <label class="inline"><span>DeviceName</span><input name="device" class="mono" list=${list} data-testid="sub-name" autocomplete="off" spellcheck="false" required /></label>
      <datalist id=${list}>${free.map((device) => html`<option value=${device.name}></option>`)}</datalist>
      <button class="btn" data-testid="sub-add">${d.addOk}</button>
    </form>`;
  }
}
