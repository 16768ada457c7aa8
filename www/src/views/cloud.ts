// The Cloud view: what a vendor's console is for, on the local clouds and on those in this tab.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { clockText, dateText, t } from "../i18n";
import type { DeviceView, PlatformName, ProductView, RejectedRow, UpgradeView } from "../muster/types";
import { sizeText } from "../state/bytes";
import { clouds } from "../state/clouds";
import { commands } from "../state/commands";
import { messageText } from "../state/messages";
import { COLUMNS, isOpen, nextVersion, operate, splitSwitches } from "../state/operate";
import { router } from "../state/router";
import { View, announce, command, copyButton, segments } from "./base";
import { jsonView } from "./detail";
import { ask } from "./dialogs";
import { PLATFORMS } from "./devices";
import { icon } from "./icons";

/** What the vendors call them. */
const ID_NAMES: Record<PlatformName, string> = { ucloud: "ProductSN", cmcc: "productId", krtyun: "ProductID", alibaba: "ProductKey" };
const SECRET_NAMES: Record<PlatformName, string> = { ucloud: "ProductSecret", cmcc: "productKey", krtyun: "ProductSecret", alibaba: "ProductSecret" };

@customElement("m-cloud")
export class CloudView extends View {
  @state() private importText = "";
  @state() private imported: { added: number; existing: number; rejected: RejectedRow[] } | null = null;
  @state() private version = "";
  @state() private file: File | null = null;
  @state() private said = "";
  @state() private pushVersion = "";
  @state() private creating = false;
  #focused = "";

  protected override stores() {
    return [clouds, operate, router];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    operate.stop();
  }

  protected override willUpdate(): void {
    const { rest, query } = router.route;
    const platform = PLATFORMS.find((name) => name === rest[0]);
    if (platform !== undefined) operate.choose(platform, query["product"]);
    operate.watch();
    // Who comes from an imported device's refusal finds its number there already.
    if (query["focus"] === "import" && this.#focused !== location.hash) this.importText = query["device"] ?? "";
    if (clouds.known(clouds.world) === undefined && clouds.world !== "real" && (clouds.world !== "local" || clouds.localThere === true)) void clouds.demo(clouds.world).catch(() => {});
  }

  protected override updated(): void {
    for (const dialog of this.querySelectorAll("dialog")) if (!dialog.open) dialog.showModal();
    const { query } = router.route;
    if (query["focus"] === undefined || operate.products === null || this.#focused === location.hash) return;
    const target = { reset: ".found", import: "#import", switches: "#switches" }[query["focus"]];
    const element = target === undefined ? null : this.querySelector<HTMLElement>(target);
    if (element === null) return;
    this.#focused = location.hash;
    element.scrollIntoView({ block: "center" });
    element.querySelector<HTMLElement>("button, textarea")?.focus({ preventScroll: true });
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
    const { products, failure } = operate;
    return html`<div class="page">
      <div class="page-head">
        ${segments<PlatformName>(
          d.cloud.platforms,
          PLATFORMS.map((value) => ({ value, text: d.platform[value].short, testid: `cloud-platform-${value}` })),
          operate.platform,
          (platform) => this.#go(platform),
        )}
        ${products === null || products.length === 0 ? nothing : this.#products(products)}
        ${products === null ? nothing : html`<button type="button" class="btn" data-testid="product-new" @click=${() => (this.creating = true)}>${icon("plus")}${d.cloud.newProduct}</button>`}
      </div>
      ${failure === null
        ? nothing
        : html`<div class="banner bad flat" role="alert" data-testid="cloud-error">${icon("alert")}<div><strong>${messageText(failure.message)}</strong>${failure.next === null ? nothing : html`<p>${d.common.nextMove} ${messageText(failure.next)}</p>`}</div></div>`}
      <div class="columns">
        <div class="column">${products === null ? html`<section class="box"><p class="quiet-text">${d.common.loading}</p></section>` : this.#devices()} ${this.#upgrades()} ${this.#log()}</div>
        <div class="column side">${this.#product()} ${this.#import()} ${this.#firmware()} ${this.#switches()} ${this.#owners()} ${this.#terminal()}</div>
      </div>
      ${this.creating ? this.#create() : nothing}
    </div>`;
  }

  // ---------- products ----------

  #product(): TemplateResult | typeof nothing {
    const d = t().cloud;
    const { current } = operate;
    if (current === undefined) return nothing;
    const line = (name: string, value: unknown) => html`<dt>${name}</dt><dd>${value}</dd>`;
    return html`<section class="box" aria-labelledby="product-title" data-testid="product">
      <h2 id="product-title">${d.product}</h2>
      <dl>${line(ID_NAMES[operate.platform], html`${current.id}${copyButton(current.id, ID_NAMES[operate.platform])}`)} ${current.name === "" || current.name === current.id ? nothing : line(d.name, html`<span class="sans">${current.name}</span>`)} ${line(SECRET_NAMES[operate.platform], this.#secret(""))}</dl>
    </section>`;
  }

  #create(): TemplateResult {
    const d = t();
    const close = () => (this.creating = false);
    const { platform } = operate;
    const submit = async (event: SubmitEvent) => {
      event.preventDefault();
      const data = new FormData(event.target as HTMLFormElement);
      const text = (name: string) => String(data.get(name) ?? "").trim();
      const id = text("id");
      const action = { action: "create_product", ...(text("name") === "" ? {} : { name: text("name") }), ...(id === "" ? {} : { id }), ...(data.has("dynamic") ? { switches: { DynamicRegister: "true" } } : {}) } as const;
      const result = await operate.operate(action);
      close();
      if (result?.result !== "product") return;
      announce(d.cloud.done);
      this.#go(platform, result.id);
    };
    return html`<dialog class="small" aria-labelledby="product-new-title" data-testid="product-dialog" @close=${close}>
      <form @submit=${submit}>
        <h2 id="product-new-title">${d.cloud.newProductOf(d.platform[platform].short)}</h2>
        <div class="stacked">
          <label><span>${d.cloud.name}</span><input name="name" data-testid="product-name" autocomplete="off" spellcheck="false" /></label>
          <label><span>${ID_NAMES[platform]} <small>${d.tools.optional}</small></span><input name="id" class="mono" data-testid="product-id" autocomplete="off" spellcheck="false" placeholder=${d.cloud.madeUp} /></label>
          ${platform === "cmcc" ? nothing : html`<label class="check"><input type="checkbox" name="dynamic" checked data-testid="product-dynamic" />${d.cloud.dynamic}</label>`}
        </div>
        <p class="quiet-text">${d.cloud.newProductHelp}</p>
        <div class="buttons">
          <button type="button" class="btn" data-testid="product-cancel" @click=${close}>${d.common.cancel}</button>
          <button class="btn pri" data-testid="product-create">${d.cloud.create}</button>
        </div>
      </form>
    </dialog>`;
  }

  #go(platform: PlatformName, product?: string): void {
    this.imported = null;
    this.importText = "";
    this.said = "";
    this.file = null;
    this.version = "";
    router.go("cloud", [platform], product === undefined ? {} : { product });
    operate.choose(platform, product);
  }

  #products(products: readonly ProductView[]): TemplateResult {
    const d = t().cloud;
    return html`<label class="inline"><span>${d.product}</span>
      <select class="slim" data-testid="product-choice" @change=${(event: Event) => this.#go(operate.platform, (event.target as HTMLSelectElement).value)}>
        ${products.map((product) => html`<option value=${product.id} ?selected=${product.id === operate.product}>${product.id}${product.name === "" ? "" : ` · ${product.name}`}</option>`)}
      </select></label>`;
  }

  // ---------- devices ----------

  #devices(): TemplateResult {
    const d = t().cloud;
    const { devices, total, product } = operate;
    if (product === "") return html`<section class="box"><p class="quiet-text">${d.noProducts}</p></section>`;
    const upgradable = operate.platform !== "cmcc";
    const found = router.route.query["device"];
    return html`<section class="box" aria-labelledby="devices-title">
      <h2 id="devices-title">${d.devices(total)}</h2>
      ${devices.length === 0
        ? html`<p class="quiet-text">${d.noDevices}</p>`
        : html`<div class="table" role="group" aria-labelledby="devices-title" tabindex="0"><table>
            <thead><tr>${upgradable ? html`<th><span class="hidden">${d.push}</span></th>` : nothing}<th>${d.name}</th><th>${d.state}</th><th>${d.version}</th><th class="th-time">${d.lastSeen}</th><th class="th-acts"><span class="hidden">${d.actions}</span></th></tr></thead>
            <tbody>${devices.map((device) => this.#device(device, upgradable, device.name === found))}</tbody>
          </table></div>`}
      ${devices.length < total ? html`<div class="buttons start"><span class="quiet-text">${d.shown(devices.length, total)}</span><button type="button" class="btn" @click=${() => operate.more()}>${d.more}</button></div>` : nothing}
    </section>`;
  }

  #device(device: DeviceView, upgradable: boolean, found: boolean): TemplateResult {
    const d = t().cloud;
    const open = operate.open === device.name;
    const tone = { online: "ok", disabled: "bad", offline: "quiet", inactive: "quiet" }[device.state] ?? "quiet";
    return html`<tr class=${`${found ? "found" : ""}${open ? " open" : ""}`} data-testid="device-row" data-name=${device.name} data-state=${device.state}>
      ${upgradable ? html`<td class="tick"><input type="checkbox" aria-label=${d.select(device.name)} .checked=${operate.chosen.has(device.name)} @change=${(event: Event) => operate.tick(device.name, (event.target as HTMLInputElement).checked)} /></td>` : nothing}
      <td class="name"><button type="button" class="quiet fold" aria-expanded=${open} data-testid="device-open" @click=${() => operate.look(device.name)}>${icon("chevron")}<code>${device.name}</code></button></td>
      <td><span class=${`chip ${tone}`}>${d.states[device.state] ?? device.state}</span></td>
      <td>${device.version ?? "–"}</td>
      <td class="time">${device.last_active === null ? d.never : clockText(device.last_active)}</td>
      <td class="acts">${this.#acts(device)}</td>
    </tr>
    ${open ? html`<tr class="opened" data-testid="device-more"><td colspan=${upgradable ? 6 : 5}>${this.#more(device)}</td></tr>` : nothing}`;
  }

  #acts(device: DeviceView): TemplateResult {
    const d = t().cloud;
    const disabled = device.state === "disabled";
    return html`<button type="button" class="btn" data-testid="reset" @click=${() => this.#reset(device.name)}>${d.reset}</button>
      <button type="button" class="btn" data-testid="disable" @click=${() => operate.operate({ action: "disable", product: operate.product, device: device.name, disabled: !disabled })}>${disabled ? d.enable : d.disable}</button>
      <button type="button" class="btn" data-testid="delete" @click=${() => this.#delete(device.name)}>${d.delete}</button>`;
  }

  /** What the platform knows of a device, its secret on request, and what it reported. */
  #more(device: DeviceView): TemplateResult {
    const d = t().cloud;
    const { reports } = operate;
    const list = [...(reports ?? [])].reverse().slice(0, 20);
    return html`<div class="opened-body">
      <div class="stack"><dl>
        <dt>${d.secret}</dt><dd>${this.#secret(device.name)}</dd>
        <dt>${d.lastSeen}</dt><dd><span class="sans">${device.last_active === null ? d.never : dateText(device.last_active)}</span></dd>
        ${Object.entries(device.more).map(([key, value]) => html`<dt>${key}</dt><dd>${/^1\d{12}$/.test(value) && key.includes("report") ? html`<span class="sans">${dateText(Number(value))}</span>` : value}</dd>`)}
      </dl><div class="acts">${this.#acts(device)}</div></div>
      <div class="reports" data-testid="reports">
        <h3>${d.reports}</h3>
        ${reports === null
          ? html`<p class="quiet-text">${t().common.loading}</p>`
          : list.length === 0
            ? html`<p class="quiet-text">${d.noReports}</p>`
            : list.map((report, at) => html`<details class="more" ?open=${at === 0} data-testid="report"><summary><time>${clockText(report.at)}</time> <code>${firstLine(report.json)}</code></summary><div class="pre">${jsonView(report.json, false)}${copyButton(report.json, d.reports)}</div></details>`)}
      </div>
    </div>`;
  }

  #secret(name: string): TemplateResult {
    const d = t();
    const shown = operate.secrets.get(name);
    return html`<span class="secret">${shown === undefined ? html`<span class="mask" data-testid="mask">${"•".repeat(16)}</span>` : shown === "" ? html`<span class="sans quiet-text">${d.cloud.noSecret}</span>` : html`<code data-testid="secret">${shown}</code>${copyButton(shown, d.cloud.secret)}`}
      <button type="button" class="btn tiny" aria-pressed=${shown !== undefined} data-testid="reveal" @click=${() => operate.reveal(name)}>${shown === undefined ? d.common.show : d.common.hide}</button></span>`;
  }

  async #reset(device: string): Promise<void> {
    const d = t().confirm;
    const { platform, product } = operate;
    const question = { title: d.resetTitle(device), text: d.resetText[platform], ok: d.resetOk, danger: true };
    const answer = await ask(platform === "alibaba" ? question : { ...question, check: d.newSecret });
    if (answer === null) return;
    const result = await operate.operate({ action: "reset", product, device, new_secret: answer.checked });
    if (result !== null) announce(t().cloud.done);
  }

  async #delete(device: string): Promise<void> {
    const d = t().confirm;
    const answer = await ask({ title: d.deleteTitle(device), text: d.deleteText, ok: d.deleteOk, danger: true });
    if (answer !== null) await operate.operate({ action: "delete_device", product: operate.product, device });
  }

  // ---------- updates ----------

  #upgrades(): TemplateResult | typeof nothing {
    const d = t().cloud;
    if (operate.platform === "cmcc") return nothing;
    return html`<section class="box" aria-labelledby="upgrades-title">
      <h2 id="upgrades-title">${d.upgrades}</h2>
      ${operate.upgrades.length === 0
        ? html`<p class="quiet-text">${d.noUpgrades}</p>`
        : html`<div class="table" role="group" aria-labelledby="upgrades-title" tabindex="0"><table><tbody>${operate.upgrades.map((upgrade) => this.#upgrade(upgrade))}</tbody></table></div>`}
    </section>`;
  }

  #upgrade(upgrade: UpgradeView): TemplateResult {
    const d = t().cloud;
    const percent = /^\s*(\d{1,3})\s*%?\s*$/.exec(upgrade.detail)?.[1];
    const tone = { succeeded: "ok", failed: "bad" }[upgrade.state] ?? (isOpen(upgrade) ? "run" : "quiet");
    const cancel = () =>
      operate.operate({ action: "cancel_upgrade", product: operate.product, devices: [upgrade.device], ...(upgrade.module === null ? {} : { module: upgrade.module }) });
    return html`<tr data-testid="upgrade-row" data-device=${upgrade.device} data-state=${upgrade.state}>
      <td class="name"><code>${upgrade.device}</code></td>
      <td>${upgrade.version}</td>
      <td><span class=${`chip ${tone}`}>${d.upgradeStates[upgrade.state] ?? upgrade.state}</span></td>
      <td class="wide">${percent === undefined ? upgrade.detail : html`<progress max="100" .value=${Number(percent)} aria-label=${d.upgradeStates[upgrade.state] ?? ""}></progress> ${percent} %`}</td>
      <td class="acts">${isOpen(upgrade) ? html`<button type="button" class="btn" @click=${cancel}>${d.cancelUpgrade}</button>` : nothing}</td>
    </tr>`;
  }

  #firmware(): TemplateResult {
    const d = t().cloud;
    const product = operate.current;
    if (operate.platform === "cmcc") return html`<section class="box"><h2>${d.firmware}</h2><p class="quiet-text">${d.noFirmware}</p></section>`;
    const known = product?.firmware ?? [];
    const running = operate.devices.find((device) => device.version !== null)?.version ?? "1.0.0";
    const version = this.version === "" ? nextVersion(known.at(-1) ?? running) : this.version;
    const target = known.includes(this.pushVersion) ? this.pushVersion : (known.at(-1) ?? "");
    const chosen = [...operate.chosen].filter((name) => operate.devices.some((device) => device.name === name));
    const upload = async (event: SubmitEvent) => {
      event.preventDefault();
      const { file } = this;
      if (file === null) return;
      if (await operate.addFirmware(version, new Uint8Array(await file.arrayBuffer()))) {
        this.said = d.uploaded(version, sizeText(file.size));
        this.pushVersion = version;
        this.version = "";
        announce(this.said);
      }
    };
    const push = async () => {
      const result = await operate.operate({ action: "push_upgrade", product: operate.product, version: target, ...(chosen.length === 0 ? {} : { devices: chosen }) });
      if (result?.result === "ordered") {
        this.said = d.pushed(result.devices);
        announce(this.said);
      }
    };
    return html`<section class="box" aria-labelledby="firmware-title">
      <h2 id="firmware-title">${d.firmware}</h2>
      <form class="stacked" @submit=${upload}>
        <div class="stacked-file"><span>${d.firmwareFile}</span><span class="row"><label class="btn file">${d.chooseFile}<input type="file" class="hidden" aria-label=${d.firmwareFile} data-testid="firmware-file" @change=${(event: Event) => (this.file = (event.target as HTMLInputElement).files?.[0] ?? null)} /></label>
          <span class="file-name">${this.file === null ? d.noFile : `${this.file.name} · ${sizeText(this.file.size)}`}</span></span></div>
        <label><span>${d.firmwareVersion}</span><span class="row"><input data-testid="firmware-version" .value=${version} autocomplete="off" spellcheck="false" @input=${(event: Event) => (this.version = (event.target as HTMLInputElement).value)} />
          <button class="btn" data-testid="firmware-upload" ?disabled=${this.file === null || operate.product === ""}>${d.upload}</button></span></label>
      </form>
      <div class="stacked">
        <label><span>${d.push}</span><span class="row">
          <select data-testid="push-version" aria-label=${d.pushVersion} ?disabled=${known.length === 0} @change=${(event: Event) => (this.pushVersion = (event.target as HTMLSelectElement).value)}>
            ${known.length === 0 ? html`<option>${d.noImages}</option>` : known.map((name) => html`<option value=${name} ?selected=${name === target}>${name}</option>`)}
          </select>
          <button type="button" class="btn pri" data-testid="push-send" ?disabled=${known.length === 0} @click=${push}>${d.pushSend}</button></span></label>
        <p class="quiet-text">${chosen.length === 0 ? d.pushAll : d.pushChosen(chosen.length)}</p>
      </div>
      ${this.said === "" ? nothing : html`<p class="good" data-testid="firmware-said">${this.said}</p>`}
    </section>`;
  }

  // ---------- import and switches ----------

  #import(): TemplateResult {
    const d = t().cloud;
    const send = async () => {
      const result = await operate.operate({ action: "import_devices", product: operate.product, csv: this.importText.endsWith("\n") ? this.importText : `${this.importText}\n` });
      if (result?.result !== "imported") return;
      this.imported = { added: result.added, existing: result.existing, rejected: result.rejected };
      if (result.rejected.length === 0) this.importText = "";
      announce(d.imported(result.added, result.existing));
    };
    const read = async (event: Event) => {
      const file = (event.target as HTMLInputElement).files?.[0];
      if (file !== undefined) this.importText = await file.text();
    };
    return html`<section class="box" id="import" aria-labelledby="import-title">
      <h2 id="import-title">${d.import}</h2>
      <p class="quiet-text">${d.importHelp} ${d.importColumns}: <code>${COLUMNS[operate.platform].join(", ")}</code></p>
      <textarea rows="4" data-testid="import-text" aria-labelledby="import-title" spellcheck="false" placeholder=${`${COLUMNS[operate.platform][0] ?? ""}\n…`} .value=${this.importText} @input=${(event: Event) => (this.importText = (event.target as HTMLTextAreaElement).value)}></textarea>
      <div class="buttons start">
        <button type="button" class="btn pri" data-testid="import-send" ?disabled=${this.importText.trim() === "" || operate.product === ""} @click=${send}>${d.importSend}</button>
        <label class="btn file">${d.importFile}<input type="file" accept=".csv,.txt,text/csv,text/plain" class="hidden" data-testid="import-file" @change=${read} /></label>
      </div>
      ${this.imported === null
        ? nothing
        : html`<div data-testid="import-result"><p class="good">${d.imported(this.imported.added, this.imported.existing)}</p>
            ${this.imported.rejected.slice(0, 20).map((row) => html`<p class="wrong">${d.rejected(row.line, messageText(row.reason))}</p>`)}</div>`}
    </section>`;
  }

  #switches(): TemplateResult | typeof nothing {
    const d = t().cloud;
    const product = operate.current;
    if (product === undefined) return nothing;
    const { flags, values } = splitSwitches(product.switches);
    if (flags.length + values.length === 0) return nothing;
    const set = (name: string, value: string) => operate.operate({ action: "switch", product: product.id, name, value });
    const setValue = (name: string) => (event: SubmitEvent) => {
      event.preventDefault();
      void set(name, (event.target as HTMLFormElement).querySelector("input")?.value ?? "");
    };
    return html`<section class="box" id="switches" aria-labelledby="switches-title">
      <h2 id="switches-title">${d.switches}</h2>
      <ul class="switches">${flags.map(
        ([name, on]) => html`<li><button type="button" role="switch" class="switch" aria-checked=${on} data-testid=${`switch-${name}`} @click=${() => set(name, String(!on))}><code>${name}</code><span class="knob" aria-hidden="true"></span></button></li>`,
      )}</ul>
      ${values.length === 0
        ? nothing
        : html`<details class="more"><summary>${d.settingsOf} (${values.length})</summary>
            <div class="values">${values.map(
              ([name, value]) => html`<form @submit=${setValue(name)}><label><code>${name}</code><span class="row"><input .value=${value} data-testid=${`value-${name}`} autocomplete="off" spellcheck="false" /><button class="btn">${d.setValue}</button></span></label></form>`,
            )}</div></details>`}
    </section>`;
  }

  #owners(): TemplateResult | typeof nothing {
    const d = t().cloud;
    if (operate.platform !== "alibaba") return nothing;
    return html`<section class="box" aria-labelledby="owners-title">
      <h2 id="owners-title">${d.owners}</h2>
      ${operate.owners.length === 0
        ? html`<p class="quiet-text">${d.noOwners}</p>`
        : operate.owners.map((owner) => html`<dl data-testid="owner-row"><dt>${owner.identity}</dt><dd>${d.home} ${owner.home_id}</dd><dt>${d.bound}</dt><dd>${owner.devices.length === 0 ? t().common.none : owner.devices.join(", ")}</dd></dl>`)}
    </section>`;
  }

  // ---------- log and terminal ----------

  #log(): TemplateResult {
    const d = t().cloud;
    const lines = operate.log.filter((line) => line.platform === operate.platform).slice(-200).reverse();
    return html`<section class="box" aria-labelledby="log-title">
      <h2 id="log-title">${d.log}</h2>
      ${lines.length === 0
        ? html`<p class="quiet-text">${d.logEmpty}</p>`
        : html`<div class="log" data-testid="log" role="group" aria-labelledby="log-title" tabindex="0">${lines.map(
            (line) => html`<div class="log-line" data-testid="log-line" data-what=${line.what}><time>${clockText(line.unix)}</time><span class=${`what ${line.what}`}>${d.what[line.what] ?? line.what}</span><code>${line.subject}</code><span>${line.detail}</span></div>`,
          )}</div>`}
    </section>`;
  }

  #terminal(): TemplateResult | typeof nothing {
    const d = t();
    const { addresses } = clouds;
    if (clouds.world !== "local" || addresses === null) return nothing;
    const { platform, product } = operate;
    const lines = commands(platform, addresses, clouds.known("local"), product);
    const line = (name: string, value: string | undefined) => (value === undefined ? nothing : html`<dt>${name}</dt><dd>${value}${copyButton(value, name)}</dd>`);
    return html`<section class="box" aria-labelledby="terminal-title">
      <h2 id="terminal-title">${d.cloud.addresses}</h2>
      <dl>${line("MQTT", addresses.mqtt[platform])} ${line(d.cloud.webSocket, addresses.ws[platform])} ${line(d.cloud.http, addresses.http)} ${line(d.cloud.api, addresses.api)} ${line(d.cloud.data, addresses.data)}</dl>
      <h3>${d.common.terminal}</h3>
      <p class="quiet-text">${d.cloud.terminalLead}</p>
      ${[...lines.own, ...lines.others].map((text) => command(text))}
      <p><a href="/start">${d.cloud.startPage}</a></p>
    </section>`;
  }
}

/** The beginning of a report, for its line. */
function firstLine(json: string): string {
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}
