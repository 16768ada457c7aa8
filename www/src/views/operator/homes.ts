// Alibaba's owners: their homes, tokens and devices; and the devices that wait for an owner.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { waitText } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { BindTokenView, OwnerView } from "../../muster/types";
import { clock } from "../../state/clock";
import { operate } from "../../state/operate";
import { View, announce } from "../base";
import { ask } from "../dialogs";
import { bindLink } from "./devices";
import { secretView } from "./secret";

@customElement("m-op-homes")
export class Homes extends View {
  @state() private identity = "";

  protected override stores() {
    return [operate, clock];
  }

  override render(): TemplateResult {
    return html`<div class="op-halves"><div class="column">${this.#homes()}</div><div class="column">${this.#waiting()}${this.#create()}</div></div>`;
  }

  #left(until: number): TemplateResult {
    const d = o().homes;
    const left = until - Date.now();
    return left > 0 ? html`<span class="quiet-text">${d.left(waitText(left))}</span>` : html`<span class="caution">${d.over}</span>`;
  }

  #homes(): TemplateResult {
    const d = o().homes;
    const homes = new Map<string, OwnerView[]>();
    for (const owner of operate.owners) homes.set(owner.home_id, [...(homes.get(owner.home_id) ?? []), owner]);
    return html`<section class="box" aria-labelledby="homes-title">
      <div class="box-head"><h2 id="homes-title">${d.homes}</h2><span class="grow"></span>${bindLink()}</div>
      ${homes.size === 0 ? html`<p class="quiet-text">${d.none}</p>` : nothing}
      ${[...homes].map(([home, members]) => html`<article class="op-home" data-testid="home" data-home=${home}>
        <h3><code>${home}</code></h3>
        <h4>${d.members}</h4>
        ${members.map((owner) => this.#owner(owner))}
        <h4>${d.devices}</h4>
        ${this.#devices(members.flatMap((owner) => owner.devices))}
      </article>`)}
    </section>`;
  }

  #owner(owner: OwnerView): TemplateResult {
    const { identity } = owner;
    const token = (kind: "iot_token" | "refresh_token") =>
      secretView(`owner/${identity}/${kind}`, `${identity} ${kind}`, async (operator) => (await operator.owners(true)).find((each) => each.identity === identity)?.[kind] ?? "");
    return html`<dl data-testid="owner-row" data-name=${identity}>
      <dt><b>${identity}</b></dt><dd></dd>
      <dt>iotToken</dt><dd>${token("iot_token")} ${this.#left(owner.iot_token_until)}</dd>
      <dt>refreshToken</dt><dd>${token("refresh_token")} ${this.#left(owner.refresh_token_until)}</dd>
    </dl>`;
  }

  #devices(devices: readonly string[]): TemplateResult {
    const d = o().homes;
    if (devices.length === 0) return html`<p class="quiet-text">${d.noDevices}</p>`;
    return html`<ul class="op-points">${devices.map((device) => html`<li data-testid="bound-device"><code>${device}</code></li>`)}</ul>`;
  }

  #waiting(): TemplateResult {
    const d = o().homes;
    // What ran out since the cloud was asked is gone.
    const waiting = operate.waiting.filter((device) => device.announced || (device.token_until ?? 0) > Date.now());
    return html`<section class="box" aria-labelledby="waiting-title">
      <h2 id="waiting-title">${d.waiting}</h2>
      <p class="quiet-text">${waiting.length === 0 ? d.noWaiting : d.waitingLead}</p>
      ${waiting.map((device) => this.#waits(device))}
    </section>`;
  }

  #waits(device: BindTokenView): TemplateResult {
    const d = o().homes;
    const name = `${device.product}/${device.device}`;
    const ask = async (operator: NonNullable<typeof operate.operator>) => (await operator.waiting(true)).find((each) => each.product === device.product && each.device === device.device)?.token ?? "";
    return html`<dl data-testid="waiting" data-name=${name}>
      <dt>${d.device}</dt><dd>${name}${device.announced ? html` <span class="chip run">${d.announced}</span>` : nothing}</dd>
      <dt>${d.bindToken}</dt><dd>${device.token_until === null ? html`<span class="sans quiet-text">${d.noToken}</span>` : html`${secretView(`bind/${name}`, `${d.bindToken} ${name}`, ask)} <span data-testid="token-left">${this.#left(device.token_until)}</span>`}</dd>
      ${device.window_until === null ? nothing : html`<dt>${d.windowLeft}</dt><dd data-testid="window-left">${this.#left(device.window_until)}</dd>`}
    </dl>`;
  }

  #create(): TemplateResult {
    const d = o().homes;
    return html`<section class="box" aria-labelledby="owner-title">
      <h2 id="owner-title">${d.create}</h2>
      <form class="stacked" @submit=${this.#submit}>
        <label><span>${d.identity}</span><span class="row"><input data-testid="owner-identity" .value=${this.identity} autocomplete="off" spellcheck="false" required maxlength="64" @input=${(event: Event) => (this.identity = (event.target as HTMLInputElement).value)} />
          <button class="btn" data-testid="owner-create">${d.createOk}</button></span></label>
        <p class="quiet-text">${d.createHelp}</p>
      </form>
    </section>`;
  }

  readonly #submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const d = o();
    const identity = this.identity.trim();
    const { place } = operate;
    if (place === null) return;
    const known = operate.owners.some((owner) => owner.identity === identity);
    if (known && (await ask({ title: d.homes.again(identity), text: d.homes.createHelp, ok: d.homes.createOk, danger: true })) === null) return;
    if ((await operate.operate({ action: "create_owner", identity }, place)) === null) return;
    this.identity = "";
    operate.secrets = new Map();
    operate.tell(() => o().did.owner(identity), null, [], place);
    announce(d.did.owner(identity));
  };
}
