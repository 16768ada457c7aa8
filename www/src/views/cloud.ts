// The Cloud view: what a vendor's console is for, on the local clouds and on those in this tab. Its parts are in operator/.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import "../styles/cloud.css";
import { t } from "../i18n";
import { o } from "../i18n/cloud";
import type { PlatformName, ProductView } from "../muster/types";
import { clouds } from "../state/clouds";
import { messageText } from "../state/messages";
import { SECTIONS, operate, sectionsOf, type Section } from "../state/operate";
import { formatRoute, router } from "../state/router";
import { ID_NAMES, SECRET_NAMES } from "../state/vendor";
import { View, announce, segments } from "./base";
import { PLATFORMS } from "./devices";
import { icon } from "./icons";
import "./operator/devices";
import "./operator/firmware";
import "./operator/grid";
import "./operator/homes";
import "./operator/log";
import "./operator/product";
import { tabMenu } from "./operator/tab";
import "./operator/topology";
import "./operator/whitelist";

/** Where somebody is sent to who comes with a purpose. */
const FOCUS: Record<string, Section> = { reset: "devices", import: "whitelist", switches: "product" };

@customElement("m-cloud")
export class CloudView extends View {
  @state() private creating = false;
  /** The new product is on its way. */
  @state() private busy = false;
  #focused = "";

  protected override stores() {
    return [clouds, operate, router];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    operate.stop();
  }

  protected override willUpdate(): void {
    const { route } = router;
    const { rest, query } = route;
    operate.arrive(route, PLATFORMS.find((name) => name === rest[0]), query["product"]);
    operate.watch();
    operate.show(this.#section);
    if (clouds.known(clouds.world) === undefined && clouds.world !== "real" && (clouds.world !== "local" || clouds.localThere === true)) void clouds.demo(clouds.world).catch(() => {});
    // Who comes for one device finds it opened.
    const { device, focus } = query;
    if (this.#focused !== location.hash) this.#focused = "";
    if (focus === undefined || device === undefined || this.#focused === location.hash || operate.roster.get(device) === undefined) return;
    this.#focused = location.hash;
    if (this.#section === "devices") operate.look(device);
  }

  protected override updated(): void {
    for (const dialog of this.querySelectorAll("dialog")) if (!dialog.open) dialog.showModal();
  }

  get #section(): Section {
    const { rest, query } = router.route;
    const known = sectionsOf(operate.platform);
    return known.find((section) => section === rest[1]) ?? FOCUS[query["focus"] ?? ""] ?? "devices";
  }

  override render(): TemplateResult {
    const d = t();
    if (clouds.world === "real") return html`<div class="page"><div class="empty"><p>${d.cloud.real}</p></div></div>`;
    if (clouds.world === "local" && clouds.localThere === false) {
      return html`<div class="page"><div class="empty">
        <p>${d.first.noLocal}</p>
        <div class="buttons start">
          <button type="button" class="btn pri" @click=${() => clouds.choose("tab")}>${d.first.useTab}</button>
          <button type="button" class="btn" @click=${() => void clouds.look()}>${d.first.lookAgain}</button>
        </div>
      </div></div>`;
    }
    const { products } = operate;
    return html`<div class="page cloud-page">
      <div class="page-head">
        ${segments<PlatformName>(
          d.cloud.platforms,
          PLATFORMS.map((value) => ({ value, text: d.platform[value].short, testid: `cloud-platform-${value}` })),
          operate.platform,
          (platform) => this.#go(platform),
        )}
        ${products === null || products.length === 0 ? nothing : this.#products(products)}
        ${products === null ? nothing : html`<button type="button" class="btn" data-testid="product-new" @click=${this.#begin}>${icon("plus")}${d.cloud.newProduct}</button>`}
        ${clouds.world === "tab" ? tabMenu() : nothing}
      </div>
      <nav class="parts" aria-label=${o().sections.label}>${SECTIONS.filter((section) => sectionsOf(operate.platform).includes(section)).map((section) => this.#part(section))}</nav>
      ${this.#failure()}
      ${products === null ? html`<section class="box"><p class="quiet-text">${d.common.loading}</p></section>` : this.#body()}
      ${this.#did()}
      ${this.creating ? this.#create() : nothing}
    </div>`;
  }

  #part(section: Section): TemplateResult {
    const on = section === this.#section;
    const query: Record<string, string> = operate.product === "" ? {} : { product: operate.product };
    return html`<a href=${formatRoute("cloud", [operate.platform, section], query)} class=${on ? "on" : ""} aria-current=${on ? "page" : nothing} data-testid=${`part-${section}`}>${o().sections[section]}</a>`;
  }

  #body(): TemplateResult {
    const section = this.#section;
    if (operate.product === "" && section !== "log" && section !== "homes" && section !== "topology") return html`<section class="box"><p class="quiet-text">${t().cloud.noProducts}</p></section>`;
    switch (section) {
      case "devices":
        return html`<m-op-devices></m-op-devices>`;
      case "whitelist":
        return html`<m-op-whitelist></m-op-whitelist>`;
      case "firmware":
        return html`<m-op-firmware></m-op-firmware>`;
      case "homes":
        return html`<m-op-homes></m-op-homes>`;
      case "topology":
        return html`<m-op-topology></m-op-topology>`;
      case "product":
        return html`<m-op-product></m-op-product>`;
      case "log":
        return html`<m-op-log></m-op-log>`;
    }
  }

  // ---------- what was done ----------

  #failure(): TemplateResult | typeof nothing {
    const { failure } = operate;
    if (failure === null) return nothing;
    const close = () => {
      operate.failure = null;
      operate.dismissDid();
    };
    return html`<div class="banner bad flat" role="alert" data-testid="cloud-error">${icon("alert")}<div><strong>${messageText(failure.message)}</strong>${failure.next === null ? nothing : html`<p>${t().common.nextMove} ${messageText(failure.next)}</p>`}</div>
      <button type="button" class="quiet square" aria-label=${o().close} @click=${close}>${icon("close")}</button></div>`;
  }

  /** What was done last, and the way back; it stays until the next action, so that nobody has to hurry. */
  #did(): TemplateResult | typeof nothing {
    const d = o();
    const { did, under } = operate;
    if (under !== null) {
      return html`<div class="did" data-testid="under-way"><span>${under.text()}</span><progress max=${under.total} .value=${under.done} aria-label=${under.text()}></progress><span>${d.underWay(under.done, under.total)}</span><span class="grow"></span><button type="button" class="btn" data-testid="under-stop" @click=${under.stop}>${d.stop}</button></div>`;
    }
    if (did === null) return nothing;
    const undo = async () => {
      await did.undo?.();
      if (operate.did !== null) announce(operate.did.text());
    };
    return html`<div class="did" data-testid="did"><span><span data-testid="did-text">${did.text()}</span>${did.refused.map(({ reason, subjects }) => html`<br /><span class="wrong" data-testid="did-refused">${d.refusedOf(subjects.length, messageText(reason))}</span>`)}</span><span class="grow"></span>
      ${did.undo === null ? nothing : html`<button type="button" class="btn" data-testid="undo" @click=${undo}>${d.undo}</button>`}
      <button type="button" class="quiet square" data-testid="did-close" aria-label=${d.close} @click=${() => operate.dismissDid()}>${icon("close")}</button></div>`;
  }

  // ---------- products ----------

  #go(platform: PlatformName, product?: string): void {
    const section = this.#section;
    const parts = sectionsOf(platform).includes(section) ? [platform, section] : [platform];
    router.go("cloud", parts, product === undefined ? {} : { product });
    operate.choose(platform, product);
  }

  #products(products: readonly ProductView[]): TemplateResult {
    return html`<label class="inline"><span>${t().cloud.product}</span>
      <select class="slim" data-testid="product-choice" @change=${(event: Event) => this.#go(operate.platform, (event.target as HTMLSelectElement).value)}>
        ${products.map((product) => html`<option value=${product.id} .selected=${live(product.id === operate.product)}>${product.id}${product.name === "" ? "" : ` · ${product.name}`} (${product.devices.toLocaleString()})</option>`)}
      </select></label>`;
  }

  readonly #begin = () => {
    // What was refused before is not of this.
    operate.failure = null;
    this.creating = true;
  };

  #create(): TemplateResult {
    const d = t();
    const p = o().product;
    const close = () => (this.creating = false);
    const { platform, failure } = operate;
    const submit = async (event: SubmitEvent) => {
      event.preventDefault();
      const { place } = operate;
      if (place === null || this.busy) return;
      const data = new FormData(event.target as HTMLFormElement);
      const given = (name: "name" | "id" | "secret") => {
        const text = String(data.get(name) ?? "").trim();
        return text === "" ? {} : { [name]: text };
      };
      const switches = data.has("dynamic") ? { switches: { DynamicRegister: "true" } } : {};
      this.busy = true;
      const result = await operate.operate({ action: "create_product", ...given("name"), ...given("id"), ...given("secret"), ...switches }, place).finally(() => (this.busy = false));
      // What was refused can be put right where it was typed.
      if (result?.result !== "product") return;
      close();
      if (operate.place?.operator !== place.operator || operate.platform !== platform) return;
      const { id } = result;
      this.#go(platform, id);
      operate.tell(() => o().did.created(id));
      announce(o().did.created(id));
    };
    return html`<dialog class="small" aria-labelledby="product-new-title" data-testid="product-dialog" @close=${close}>
      <form @submit=${submit}>
        <h2 id="product-new-title">${p.newTitle(d.platform[platform].short)}</h2>
        <div class="stacked">
          <label><span>${p.name}</span><input name="name" data-testid="product-name" autocomplete="off" spellcheck="false" /></label>
          <label><span>${ID_NAMES[platform]} <small>${d.tools.optional}</small></span><input name="id" class="mono" data-testid="product-id" autocomplete="off" spellcheck="false" placeholder=${p.generated} /></label>
          <label><span>${SECRET_NAMES[platform]} <small>${d.tools.optional}</small></span><input name="secret" type="password" class="mono" data-testid="product-secret" autocomplete="new-password" spellcheck="false" placeholder=${p.generated} /></label>
          ${platform === "cmcc" ? nothing : html`<label class="check"><input type="checkbox" name="dynamic" checked data-testid="product-dynamic" />${p.dynamic}</label>`}
        </div>
        <p class="quiet-text">${p.help}</p>
        ${failure === null ? nothing : html`<p class="wrong" role="alert" data-testid="product-wrong">${messageText(failure.message)}${failure.next === null ? nothing : html` ${messageText(failure.next)}`}</p>`}
        <div class="buttons">
          <button type="button" class="btn" data-testid="product-cancel" @click=${close}>${d.common.cancel}</button>
          <button class="btn pri" data-testid="product-create" ?disabled=${this.busy}>${d.cloud.create}</button>
        </div>
      </form>
    </dialog>`;
  }
}
