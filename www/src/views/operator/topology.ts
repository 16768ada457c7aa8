// Alibaba's gateways: who may join them, and which sub-devices they have.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { waitText } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { GatewayView, SubDeviceView } from "../../muster/types";
import { clock } from "../../state/clock";
import { operate } from "../../state/operate";
import { View } from "../base";
import { icon } from "../icons";
import { CLOSED, permit, tie } from "./acts";
import { bindLink, stateChip } from "./devices";

@customElement("m-op-topology")
export class Topology extends View {
  /** How long joining is to be open, by gateway. */
  @state() private seconds: Readonly<Record<string, string>> = {};
  @state() private only: Readonly<Record<string, string>> = {};
  /** Of which product a sub-device is to come, by gateway. */
  @state() private from: Readonly<Record<string, string>> = {};

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
    const given = gateway.permit;
    const left = given?.until == null ? null : given.until - Date.now();
    const open = given !== null && (left === null || left > 0);
    const seconds = this.seconds[name] ?? "60";
    const only = this.only[name] ?? "";
    const whole = /^\d+$/.test(seconds) && Number(seconds) >= 1 && Number(seconds) < CLOSED;
    const set = (value: number) => () => permit(gateway, value, only);
    return html`<div class="op-permit" role="group" aria-label=${`${d.permit}: ${name}`}>
      <span class=${`chip ${open ? "run" : "quiet"}`} data-testid="permit" data-open=${open}>${!open ? d.closed : left === null ? d.openAlways : d.open(waitText(left))}${open && given.product !== null ? `, ${d.only(given.product)}` : ""}</span>
      <label class="inline"><span>${d.seconds}</span><input class="short" inputmode="numeric" data-testid="permit-seconds" aria-invalid=${!whole} title=${d.permitHelp} .value=${seconds} @input=${(event: Event) => (this.seconds = { ...this.seconds, [name]: (event.target as HTMLInputElement).value })} /></label>
      <label class="inline"><span>${d.product}</span><select class="slim" data-testid="permit-product" @change=${(event: Event) => (this.only = { ...this.only, [name]: (event.target as HTMLSelectElement).value })}>
        <option value="" .selected=${live(only === "")}>${d.anyProduct}</option>${(operate.products ?? []).filter((product) => product.switches["nodeType"] !== "1").map((product) => html`<option value=${product.id} .selected=${live(product.id === only)}>${product.id}</option>`)}</select></label>
      <button type="button" class="btn" data-testid="permit-open" ?disabled=${!whole} @click=${set(Number(seconds))}>${d.permitOpen}</button>
      <button type="button" class="btn" data-testid="permit-always" @click=${set(0)}>${d.permitAlways}</button>
      ${open ? html`<button type="button" class="btn" data-testid="permit-close" @click=${set(CLOSED)}>${d.permitClose}</button>` : nothing}
    </div>`;
  }

  #add(gateway: GatewayView): TemplateResult {
    const d = o().topology;
    const products = operate.products ?? [];
    const name = `${gateway.product}/${gateway.device}`;
    const first = products.find((product) => product.switches["nodeType"] !== "1") ?? products[0];
    const from = products.find((product) => product.id === this.from[name]) ?? first;
    const submit = async (event: SubmitEvent) => {
      event.preventDefault();
      const field = (event.target as HTMLFormElement).querySelector<HTMLInputElement>("[name=device]");
      const sub = { product: from?.id ?? "", device: field?.value.trim() ?? "" };
      if (field !== null && sub.device !== "" && (await tie(gateway, sub, true))) field.value = "";
    };
    const list = `names-${gateway.product}-${gateway.device}`.replace(/\W/g, "-");
    const under = new Set(operate.gateways.flatMap((each) => each.subs.map((sub) => `${sub.product}/${sub.device}`)));
    // Only the devices of one product are here.
    const free = from?.id === operate.product ? operate.roster.all.filter((device) => !under.has(`${operate.product}/${device.name}`)).slice(0, 200) : [];
    return html`<form class="add-sub" @submit=${submit} aria-label=${d.add}>
      ${icon("plus")}<label class="inline"><span>${d.product}</span><select class="slim" data-testid="sub-product" @change=${(event: Event) => (this.from = { ...this.from, [name]: (event.target as HTMLSelectElement).value })}>${products.map((product) => html`<option value=${product.id} .selected=${live(product === from)}>${product.id}</option>`)}</select></label>
      <label class="inline"><span>DeviceName</span><input name="device" class="mono" list=${list} data-testid="sub-name" autocomplete="off" spellcheck="false" required /></label>
      <datalist id=${list}>${free.map((device) => html`<option value=${device.name}></option>`)}</datalist>
      <button class="btn" data-testid="sub-add">${d.addOk}</button>
    </form>`;
  }
}
