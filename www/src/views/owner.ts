// The owner's side of an Alibaba device, beside the device.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t, waitText } from "../i18n";
import { CALLS, build, type CallName } from "../state/calls";
import { clock } from "../state/clock";
import { clouds } from "../state/clouds";
import type { Session } from "../state/devices";
import type { Filter } from "../state/filter";
import { messageText } from "../state/messages";
import { APP_SETTINGS } from "../state/settings";
import { bindFailureText } from "../state/texts";
import { View, segments } from "./base";
import { jsonView } from "./detail";
import { openSettings } from "./dialogs";

/** What is at hand for a field of a call. */
function valueOf(session: Session, name: string, example: string): string {
  const { names, facts, owner } = session;
  const known: Record<string, string> = { product_key: names.product, device_name: names.device, token: facts.bindToken?.token ?? "", iot_id: owner?.facts.iotId ?? "" };
  return known[name] ?? example;
}

@customElement("m-owner")
export class OwnerView extends View {
  session!: Session;
  @state() private call: CallName = "list";
  @state() private open = false;
  @state() private shown = false;
  #of: Session | undefined;

  static override properties = { session: { attribute: false } };

  protected override stores() {
    return [clock, clouds];
  }

  protected override willUpdate(): void {
    if (this.#of === this.session) return;
    this.#of = this.session;
    this.open = this.session.owner !== null;
  }

  override render(): TemplateResult {
    const { session } = this;
    const d = t().owner;
    const owner = session.owner;
    const word = owner?.facts.word ?? "off";
    return html`<details class="owner" data-testid="owner" ?open=${this.open} @toggle=${(event: Event) => (this.open = (event.target as HTMLDetailsElement).open)}>
      <summary>
        <b>${d.title}</b>
        <span class=${`chip ${word === "bound" ? "ok" : word === "failed" ? "bad" : word === "binding" ? "run" : "quiet"}`} data-testid="owner-state" data-state=${word}>${d.state[word]}</span>
        ${word === "binding" && owner?.facts.waitingUntil != null ? html`<small>${d.waiting(waitText(owner.facts.waitingUntil - clock.now))}</small>` : nothing}
      </summary>
      <div class="owner-body">
        ${owner === null ? html`<p class="quiet-text">${d.lead} ${d.tokenRule}</p>` : nothing}
        ${this.#controls()} ${this.#status()} ${owner === null ? nothing : this.#calls()}
      </div>
    </details>`;
  }

  #controls(): TemplateResult {
    const { session } = this;
    const d = t().owner;
    const { owner } = session;
    const binding = owner?.facts.word === "binding";
    const known = clouds.known(session.plan.world)?.alibaba_app != null || owner !== null;
    return html`<div class="buttons start wrap">
      ${owner?.running === true
        ? html`<button type="button" class="btn" data-testid="owner-stop" @click=${() => owner.stop()}>${d.stop}</button>`
        : html`<button type="button" class="btn" data-testid="owner-start" @click=${() => this.#start()}>${d.start}</button>`}
      <button type="button" class="btn pri" data-testid="bind-token" ?disabled=${binding || !session.running} @click=${() => this.#bind("token")}>${d.bindToken}</button>
      <button type="button" class="btn" data-testid="bind-window" ?disabled=${binding || !session.running} @click=${() => this.#bind("window")}>${d.bindWindow}</button>
      ${binding ? html`<button type="button" class="btn" data-testid="bind-cancel" @click=${() => owner?.cancel()}>${d.cancel}</button>` : nothing}
      <button type="button" class="btn" data-testid="owner-settings" @click=${() => this.#settings()}>${d.settings}</button>
      <span class="grow"></span>
      ${owner === null
        ? nothing
        : segments<Filter["side"]>(
            d.show,
            [
              { value: "both", text: d.both, testid: "side-both" },
              { value: "device", text: d.deviceOnly, testid: "side-device" },
              { value: "app", text: d.appOnly, testid: "side-app" },
            ],
            session.filter.side,
            (side) => session.update({ filter: { ...session.filter, side } }),
          )}
    </div>
    ${known ? nothing : html`<p class="quiet-text">${d.none}</p>`}`;
  }

  #status(): TemplateResult {
    const { session } = this;
    const d = t().owner;
    const { owner } = session;
    const standing = session.facts.bindToken;
    const left = standing === null ? 0 : standing.until - clock.now;
    const failure = owner?.failure;
    return html`${owner?.facts.word === "bound" && owner.facts.chosen !== null ? html`<p class="good">${d.boundTo(owner.facts.chosen.device_name, owner.facts.iotId ?? "")}</p>` : nothing}
      ${owner?.facts.word === "failed" && owner.facts.failure !== null ? html`<p class="wrong" role="alert">${bindFailureText(owner.facts.failure)}</p>` : nothing}
      ${failure == null ? nothing : html`<p class="wrong" role="alert">${messageText(failure.message)}</p>`}
      ${owner?.facts.word === "bound" ? nothing : html`<p class="quiet-text">${standing !== null && left > 0 ? d.token(`${standing.token.slice(0, 8)}…`, waitText(left)) : d.noToken}</p>`}`;
  }

  async #settingsKnown(): Promise<Record<string, string> | null> {
    const { world } = this.session.plan;
    if (this.session.owner !== null) return this.session.owner.settings;
    if (world === "real") return null;
    const demo = clouds.known(world) ?? (await clouds.demo(world));
    const app = demo.alibaba_app;
    if (app === null) return null;
    return world === "local" ? { ...app.settings, base_url: location.origin } : app.settings;
  }

  async #start(): Promise<void> {
    const settings = await this.#settingsKnown();
    if (settings === null || Object.keys(settings).length === 0) {
      this.#settings();
      return;
    }
    await this.session.withOwner(settings).start().catch(() => {});
  }

  async #bind(by: "token" | "window"): Promise<void> {
    await this.#start();
    if (this.session.owner?.running === true) await this.session.bind(by);
  }

  #settings(): void {
    const { session } = this;
    void this.#settingsKnown().then((settings) => {
      openSettings({
        platform: "alibaba",
        world: session.plan.world,
        settings: settings ?? {},
        storage: "memory",
        restart: session.owner?.running === true,
        refusal: session.owner?.failure ?? null,
        list: APP_SETTINGS,
        done: (edited) => {
          const owner = session.withOwner(edited);
          owner.settings = edited;
          void owner.stop().then(() => owner.start().catch(() => {}));
        },
      });
    });
  }

  // ---------- calls by hand ----------

  #calls(): TemplateResult {
    const { session } = this;
    const d = t().owner;
    const { path, fields } = CALLS[this.call];
    const { answer } = session.owner ?? { answer: null };
    const send = (event: SubmitEvent) => {
      event.preventDefault();
      const data = new FormData(event.target as HTMLFormElement);
      this.shown = false;
      void session.owner?.call(build(this.call, (name) => String(data.get(name) ?? "").trim()));
    };
    return html`<p><a href="#/bind">${d.more}</a></p>
      <details class="more"><summary>${d.calls}</summary>
      <form class="call" @submit=${send}>
        <label>${d.call}
          <select class="mono" data-testid="owner-call" @change=${(event: Event) => (this.call = (event.target as HTMLSelectElement).value as CallName)}>
            ${Object.keys(CALLS).map((name) => html`<option value=${name} ?selected=${name === this.call}>${name}</option>`)}
          </select>
        </label>
        <code class="path">${path}</code>
        ${fields.map((field) => html`<label><code>${field.name}</code><input name=${field.name} .value=${valueOf(session, field.name, field.value)} inputmode=${field.number === true ? "numeric" : "text"} autocomplete="off" spellcheck="false" data-testid=${`call-${field.name}`} /></label>`)}
        <button class="btn pri" data-testid="owner-call-send">${d.send}</button>
      </form>
      ${answer === null
        ? nothing
        : answer.failure === null
          ? html`<div class="pre" data-testid="owner-answer">${jsonView(JSON.stringify(answer.reply, this.shown ? undefined : hideKey), this.shown)}</div>
              ${answer.call === "cipher" ? html`<button type="button" class="btn reveal" aria-pressed=${this.shown} @click=${() => (this.shown = !this.shown)}>${this.shown ? t().detail.hideSecrets : t().detail.showSecrets(1)}</button>` : nothing}`
          : html`<p class="wrong" role="alert">${messageText(answer.failure.message)}</p>`}
    </details>`;
  }
}

/** The key of a cipher call is as secret as any: shown on request. */
function hideKey(name: string, value: unknown): unknown {
  return (name === "key" || name === "data") && typeof value === "string" ? "*".repeat(value.length) : value;
}
