// The owner's app (Alibaba), for whoever writes one: an account, and four things to do with it.

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import "../styles/bind.css";
import { clockText, t, waitText } from "../i18n";
import { deskOf, type Desk } from "../state/bind";
import { clock } from "../state/clock";
import { clouds } from "../state/clouds";
import { messageText } from "../state/messages";
import { router } from "../state/router";
import { APP_SETTINGS } from "../state/settings";
import { errorText, hostOf } from "../state/texts";
import { relay } from "../state/relay";
import { View } from "./base";
import { ask, openSettings } from "./dialogs";
import { wayTo } from "./way";
import "./bind-calls";
import "./bind-gateways";
import "./bind-guide";
import "./bind-keys";

const PARTS = ["guide", "keys", "gateways", "calls"] as const;
type Part = (typeof PARTS)[number];

@customElement("m-bind")
export class BindView extends View {
  #desk: Desk | undefined;
  #end: (() => void) | undefined;

  protected override stores() {
    return [router, clouds, clock, relay];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#leave();
  }

  #leave(): void {
    this.#end?.();
    this.#desk?.leave();
    this.#desk = undefined;
  }

  get where(): Part {
    return PARTS.find((part) => part === router.route.rest[0]) ?? "guide";
  }

  protected override willUpdate(): void {
    const desk = deskOf(clouds.world);
    if (this.#desk !== desk) {
      this.#leave();
      this.#desk = desk;
      this.#end = desk.subscribe(() => this.requestUpdate());
    }
    desk.watch();
  }

  override render(): TemplateResult {
    const d = t().bind;
    const desk = deskOf(clouds.world);
    const part = this.where;
    return html`<div class="tools">
      <nav class="tool-list" aria-label=${d.parts}>
        ${PARTS.map((name) => html`<a href=${`#/bind/${name}`} class=${name === part ? "on" : ""} aria-current=${name === part ? "page" : nothing} data-testid=${`bind-part-${name}`}>${d.part[name]}</a>`)}
      </nav>
      <div class="page bind-page">
        ${clouds.world === "local" && clouds.localThere === false ? this.#noLocal() : html`${this.#account(desk)} ${this.#failure(desk)} ${this.#part(part, desk)}`}
      </div>
    </div>`;
  }

  #part(part: Part, desk: Desk): TemplateResult {
    switch (part) {
      case "guide":
        return html`<m-bind-guide .desk=${desk}></m-bind-guide>`;
      case "keys":
        return html`<m-bind-keys .desk=${desk}></m-bind-keys>`;
      case "gateways":
        return html`<m-bind-gateways .desk=${desk}></m-bind-gateways>`;
      case "calls":
        return html`<m-bind-calls .desk=${desk}></m-bind-calls>`;
    }
  }

  #noLocal(): TemplateResult {
    return html`<div class="empty"><p>${t().bind.noLocal}</p>
      <div class="buttons start"><button type="button" class="btn pri" @click=${() => clouds.choose("tab")}>${t().first.useTab}</button></div></div>`;
  }

  #failure(desk: Desk): TemplateResult | typeof nothing {
    if (desk.failure === null) return nothing;
    const { message, next } = desk.failure;
    return html`<p class="wrong" role="alert" data-testid="bind-failure">${desk.error === null ? messageText(message) : errorText(desk.error, "alibaba")}${next === null ? nothing : html` ${messageText(next)}`}</p>`;
  }

  #account(desk: Desk): TemplateResult {
    const d = t().bind;
    const { owner, world, token } = desk;
    const { settings } = owner;
    const some = Object.keys(settings).length > 0;
    const line = (name: string, value: unknown) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
    const word = some && token.word === "unused" && (settings["iot_token"] ?? "") === "" && (settings["refresh_token"] ?? "") === "" ? "missing" : token.word;
    const text = word === "good" || word === "refused" ? d.token[word](clockText(token.unix)) : d.token[word];
    const until = desk.tokenUntil;
    const tone = word === "good" ? "ok" : word === "unused" ? "quiet" : "bad";
    return html`<section class="box account" aria-labelledby="account-title">
      <h2 id="account-title">${d.account}</h2>
      ${!some
        ? html`<p class="quiet-text">${world === "real" ? d.noSettings : t().common.loading}</p>`
        : html`<dl class="facts">
            ${world === "real" ? nothing : line(d.owner, this.#owners(desk))}
            ${line(d.home, (settings["home_id"] ?? "") === "" ? html`<span class="caution sans">${d.noHome}</span>` : settings["home_id"])}
            ${line(d.app, settings["app_key"])}
            ${line(d.gateway, world === "tab" ? t().lanes.inTab : hostOf(settings["base_url"] ?? ""))}
            ${line(d.iotToken, html`<span class=${`chip ${tone}`} data-testid="iot-token" data-state=${word}>${text}</span>${until === null ? nothing : html` <span class=${`sans${until > clock.now ? " quiet-text" : " caution"}`} data-testid="iot-token-left" data-state=${until > clock.now ? "running" : "over"}>${until > clock.now ? d.iotTokenUntil(waitText(until - clock.now)) : d.iotTokenOver}</span>`}`)}
          </dl>
          ${word === "refused" || (until !== null && until <= clock.now) || (word === "missing" && world === "real") ? html`<p class="caution" data-testid="iot-token-next">${word === "missing" ? d.tokenNext.missing : world === "real" ? d.tokenNext.real : d.tokenNext.local}</p>` : nothing}`}
      ${world === "real" && some ? html`${wayTo([settings["base_url"] ?? ""].filter((url) => url !== ""), desk.relay, (on) => void desk.go(on))}<p class="quiet-text">${d.cors}</p>` : nothing}
      <div class="buttons start">
        ${world === "real" || !some ? nothing : html`<button type="button" class=${`btn${word === "refused" ? " pri" : ""}`} data-testid="log-in" ?disabled=${desk.busy === "login"} @click=${() => desk.logIn(desk.identity, true)}>${d.logIn}</button>`}
        <button type="button" class=${`btn${some ? "" : " pri"}`} data-testid="app-settings" ?disabled=${world !== "real" && !some} @click=${() => this.#settings(desk)}>${d.settings}</button>
      </div>
    </section>`;
  }

  #owners(desk: Desk): TemplateResult {
    const d = t().bind;
    const names = desk.owners.length === 0 ? [desk.identity] : desk.owners.map(({ identity }) => identity);
    const NEW = "\u0000";
    const choose = async (event: Event) => {
      const select = event.target as HTMLSelectElement;
      if (select.value !== NEW) return void desk.logIn(select.value, false);
      select.value = desk.identity;
      const wrong = (text: string) => (/^[!-~]{1,64}$/.test(text.trim()) ? null : d.newOwnerWrong);
      const answer = await ask({ title: d.newOwnerTitle, text: d.newOwnerText, ok: d.newOwnerOk, input: { value: "alice", wrong } });
      if (answer !== null) await desk.logIn(answer.text.trim(), false);
    };
    return html`<select class="slim" aria-label=${d.owner} data-testid="account-owner" ?disabled=${desk.busy === "login" || desk.binding} @change=${choose}>
      ${names.map((name) => html`<option value=${name} .selected=${live(name === desk.identity)}>${name}</option>`)}
      <option value=${NEW}>${d.newOwner}</option>
    </select>`;
  }

  #settings(desk: Desk): void {
    openSettings({
      platform: "alibaba",
      world: desk.world,
      settings: desk.owner.settings,
      storage: "memory",
      restart: true,
      refusal: desk.failure,
      list: APP_SETTINGS,
      done: (edited) => void desk.use(edited),
    });
  }
}
