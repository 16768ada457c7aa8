// Images of a product, orders to update, and how far each campaign is.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { t } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { FirmwareView, UpgradeView } from "../../muster/types";
import { sizeText } from "../../state/bytes";
import { STAGES, campaigns, isOpen, newestFirst, nextVersion, percentOf, type Campaign, type Stage } from "../../state/campaigns";
import { messageText } from "../../state/messages";
import { operate } from "../../state/operate";
import { View, announce, copyButton } from "../base";
import { icon } from "../icons";
import { push, takeBack } from "./acts";
import { causeText } from "./devices";
import type { Cell, Column } from "./grid";

/** The most that any of the clouds takes: what is larger need not be read. */
const LARGEST = 64 * 1024 * 1024;

type To = "all" | "online" | "chosen";

@customElement("m-op-firmware")
export class Firmware extends View {
  @state() private file: File | null = null;
  /** SHA-256 of the chosen file; null: being worked out, or this page may not. */
  @state() private digest: string | null = null;
  @state() private version = "";
  @state() private module = "";
  @state() private busy = false;
  /** An order is on its way. */
  @state() private ordering = false;
  @state() private image = "";
  @state() private to: To | null = null;
  @state() private opened: ReadonlySet<string> = new Set();
  #of = "";
  #sorted: { images: readonly FirmwareView[]; newest: readonly FirmwareView[] } | null = null;
  #made: { upgrades: readonly UpgradeView[]; all: readonly Campaign[] } | null = null;

  protected override stores() {
    return [operate];
  }

  protected override willUpdate(): void {
    const of = `${operate.platform}/${operate.product}`;
    if (this.#of === of) return;
    this.#of = of;
    this.file = null;
    this.digest = null;
    this.version = "";
    this.module = "";
    this.image = "";
    this.to = null;
  }

  get #campaigns(): readonly Campaign[] {
    const { upgrades } = operate;
    if (this.#made?.upgrades !== upgrades) this.#made = { upgrades, all: campaigns(upgrades) };
    return this.#made?.all ?? [];
  }

  /** The newest first. */
  get #newest(): readonly FirmwareView[] {
    const { images } = operate;
    if (this.#sorted?.images !== images) this.#sorted = { images, newest: newestFirst(images) };
    return this.#sorted?.newest ?? [];
  }

  override render(): TemplateResult {
    return html`<div class="op-halves wide-left">
      <div class="column">${this.#all()}</div>
      <div class="column">${this.#order()}${this.#upload()}${this.#images()}</div>
    </div>`;
  }

  // ---------- images ----------

  #images(): TemplateResult {
    const d = o().firmware;
    const images = this.#newest;
    return html`<section class="box" aria-labelledby="images-title">
      <h2 id="images-title">${d.images}</h2>
      ${images.length === 0 ? html`<p class="quiet-text">${d.none}</p>` : html`<ul class="images">${images.map((image) => html`<li data-testid="image" data-version=${image.version}>
        <details class="more"><summary><b>${image.version}</b>${image.module === null ? nothing : html` <span class="chip">${image.module}</span>`} <span class="quiet-text">${sizeText(image.size)}</span></summary>
          <dl><dt>${d.size}</dt><dd>${image.size.toLocaleString()} B</dd><dt>MD5</dt><dd>${image.md5}${copyButton(image.md5, "MD5")}</dd><dt>SHA-256</dt><dd>${image.sha256}${copyButton(image.sha256, "SHA-256")}</dd><dt>URL</dt><dd>${image.url}</dd></dl>
        </details></li>`)}</ul>`}
      <p class="quiet-text">${d.rule[operate.platform]}</p>
    </section>`;
  }

  get #proposal(): string {
    const known = this.#newest[0]?.version;
    const running = operate.roster.all.find((device) => device.version !== null)?.version;
    return nextVersion(known ?? running ?? "1.0.0");
  }

  #upload(): TemplateResult {
    const d = o().firmware;
    const { file } = this;
    const version = this.version === "" ? this.#proposal : this.version;
    const modules = operate.platform !== "krtyun";
    return html`<section class="box" aria-labelledby="upload-title">
      <h2 id="upload-title">${d.upload}</h2>
      <form class="stacked" @submit=${this.#send}>
        <div class="stacked-file"><span>${d.file}</span><span class="row"><label class="btn file">${d.choose}<input type="file" class="hidden" aria-label=${d.file} data-testid="firmware-file" @change=${this.#choose} /></label>
          <span class="file-name">${file === null ? d.noFile : `${file.name} · ${sizeText(file.size)}`}</span></span></div>
        ${file === null || this.digest === null ? nothing : html`<p class="quiet-text digest">SHA-256 <code data-testid="firmware-digest">${this.digest}</code></p>`}
        <div class="row">
          <label class="grow"><span>${d.version}</span><input data-testid="firmware-version" .value=${version} autocomplete="off" spellcheck="false" @input=${(event: Event) => (this.version = (event.target as HTMLInputElement).value)} /></label>
          ${modules ? html`<label class="grow"><span>${d.module} <small>${d.moduleHelp}</small></span><input data-testid="firmware-module" .value=${this.module} autocomplete="off" spellcheck="false" @input=${(event: Event) => (this.module = (event.target as HTMLInputElement).value)} /></label>` : nothing}
        </div>
        <div class="buttons start"><button class="btn" data-testid="firmware-upload" ?disabled=${file === null || this.busy || operate.product === ""}>${this.busy ? d.sending : d.send}</button></div>
      </form>
    </section>`;
  }

  readonly #choose = async (event: Event) => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0] ?? null;
    this.file = file;
    this.digest = null;
    if (file !== null && file.size > LARGEST) {
      this.file = null;
      input.value = "";
      return operate.fail(new Error(o().tooLarge(sizeText(file.size), sizeText(LARGEST))));
    }
    // Only pages of a secure origin may; the cloud tells the digests of what it has in any case.
    if (file === null || globalThis.crypto.subtle === undefined) return;
    // A file that cannot be read is told of when it is sent.
    const bytes = await file.arrayBuffer().then((read) => crypto.subtle.digest("SHA-256", read)).then((digest) => new Uint8Array(digest), () => null);
    if (bytes === null) return;
    if (this.file === file) this.digest = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  readonly #send = async (event: SubmitEvent) => {
    event.preventDefault();
    const { file, module } = this;
    const form = event.target as HTMLFormElement;
    const version = form.querySelector<HTMLInputElement>("[data-testid=firmware-version]")?.value.trim() ?? "";
    const { place } = operate;
    if (file === null || place === null || this.busy) return;
    this.busy = true;
    try {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (!(await operate.addFirmware(version, module.trim(), bytes, place))) return;
    } catch (error) {
      return operate.fail(error);
    } finally {
      this.busy = false;
    }
    const text = () => o().did.uploaded(version, sizeText(file.size));
    operate.tell(text, null, [], place);
    announce(text());
    if (operate.place?.product !== place.product || operate.platform !== place.platform || this.file !== file) return;
    this.image = keyOf({ module: module.trim() === "" ? null : module.trim(), version });
    this.version = "";
    this.file = null;
    form.reset();
  };

  // ---------- orders ----------

  #order(): TemplateResult {
    const d = o().firmware;
    const { roster, ticked, total } = operate;
    const images = this.#newest;
    const chosen = images.find((image) => keyOf(image) === this.image) ?? images[0];
    const online = roster.counts.online;
    const to = this.to ?? (ticked.length > 0 ? "chosen" : "all");
    const option = (value: To, text: string) => html`<option value=${value} .selected=${live(to === value)}>${text}</option>`;
    return html`<section class="box" aria-labelledby="order-title">
      <h2 id="order-title">${d.order}</h2>
      <div class="stacked">
        <label><span>${d.version}</span><select data-testid="push-version" ?disabled=${images.length === 0} @change=${(event: Event) => (this.image = (event.target as HTMLSelectElement).value)}>
          ${images.length === 0 ? html`<option>${d.none}</option>` : images.map((image) => html`<option value=${keyOf(image)} .selected=${live(image === chosen)}>${keyOf(image)}</option>`)}</select></label>
        <label><span>${d.to}</span><select data-testid="push-to" @change=${(event: Event) => (this.to = (event.target as HTMLSelectElement).value as To)}>
          ${option("all", d.toAll(total))}${option("online", d.toOnline(online))}${ticked.length === 0 ? nothing : option("chosen", d.toChosen(ticked.length))}</select></label>
        <div class="buttons start"><button type="button" class="btn pri" data-testid="push-send" ?disabled=${chosen === undefined || total === 0 || this.ordering} @click=${() => chosen !== undefined && this.#push(chosen, to)}>${d.push}</button></div>
        <p class="quiet-text">${d.toHelp}</p>
      </div>
    </section>`;
  }

  #push(image: FirmwareView, to: To): void {
    const online = () => operate.roster.all.filter((device) => device.state === "online").map((device) => device.name);
    this.ordering = true;
    void push(image.version, image.module, to === "all" ? null : to === "online" ? online() : operate.ticked).finally(() => (this.ordering = false));
  }

  // ---------- campaigns ----------

  #all(): TemplateResult {
    const d = o().firmware;
    const all = this.#campaigns;
    return html`<section class="box" aria-labelledby="campaigns-title">
      <h2 id="campaigns-title">${d.campaigns}</h2>
      <p class="quiet-text">${all.length === 0 ? d.noCampaigns : d.campaignHelp}</p>
      ${all.map((campaign) => this.#campaign(campaign))}
    </section>`;
  }

  #campaign(campaign: Campaign): TemplateResult {
    const d = o().firmware;
    const { counts, orders, key, version, module, open, percent, causes } = campaign;
    const { platform } = operate;
    const total = orders.length;
    const failed = orders.filter((order) => order.state === "failed").map((order) => order.device);
    const unfinished = orders.filter(isOpen).map((order) => order.device);
    const part = (stage: Stage) => (counts[stage] === 0 ? nothing : html`<span class=${`stage ${stage}`} .style=${`flex-grow:${counts[stage]}`}></span>`);
    return html`<article class="campaign" data-testid="campaign" data-version=${version} data-open=${open} data-done=${counts.succeeded} aria-label=${`${d.campaigns}: ${version}`}>
      <header><h3>${version}${module === null ? nothing : html` <span class="chip">${module}</span>`}</h3>
        <span data-testid="campaign-progress">${d.progress(counts.succeeded, total)}</span>
        ${percent === null ? nothing : html`<span class="quiet-text" data-testid="campaign-percent">${d.downloads(percent)}</span>`}
        <span class="grow"></span>
        ${failed.length === 0 ? nothing : html`<button type="button" class="btn" data-testid="campaign-retry" @click=${() => push(version, module, failed)}>${icon("retry")}${d.retry(failed.length)}</button>`}
        ${open === 0 ? nothing : html`<button type="button" class="btn" data-testid="campaign-cancel" title=${d.cancelRule[platform] ?? ""} @click=${() => takeBack(module, unfinished)}>${d.cancel(open)}</button>`}
      </header>
      <div class="stages" aria-hidden="true">${[...STAGES].reverse().map(part)}</div>
      <ul class="op-legend">${STAGES.filter((stage) => counts[stage] > 0).map((stage) => html`<li title=${d.stageHelp[stage] ?? ""} data-testid=${`stage-${stage}`} data-count=${counts[stage]}><span class=${`stage ${stage}`} aria-hidden="true"></span>${d.stages[stage]} <b>${counts[stage].toLocaleString()}</b></li>`)}</ul>
      ${open > 0 ? html`<p class="quiet-text">${d.cancelRule[platform]}</p>` : nothing}
      ${causes.length === 0
        ? nothing
        : html`<div class="causes"><h4>${d.causes}</h4><ul>${causes.map(({ cause, devices }) => html`<li data-testid="cause" data-count=${devices.length}><b>${d.devices(devices.length)}</b> ${causeText(cause)} <span class="quiet-text">${devices.slice(0, 5).join(", ")}${devices.length > 5 ? " …" : ""}</span></li>`)}</ul></div>`}
      <details class="more" ?open=${this.opened.has(key)} @toggle=${(event: Event) => this.#toggled(key, (event.target as HTMLDetailsElement).open)}><summary data-testid="campaign-table">${d.table}</summary>${this.opened.has(key) ? this.#table(campaign) : nothing}</details>
    </article>`;
  }

  #toggled(key: string, open: boolean): void {
    if (this.opened.has(key) === open) return;
    const opened = new Set(this.opened);
    if (open) opened.add(key);
    else opened.delete(key);
    this.opened = opened;
  }

  #table(campaign: Campaign): TemplateResult {
    const d = t();
    const f = o().firmware;
    const columns: Column[] = [{ head: d.cloud.name }, { head: f.state }, { head: f.detail, class: "wide-cell" }, { head: html`<span class="hidden">${d.cloud.actions}</span>`, class: "acts-cell" }];
    const cell = (order: UpgradeView, first: boolean): Cell => {
      const percent = percentOf(order);
      const tone = { succeeded: "ok", failed: "bad" }[order.state] ?? (isOpen(order) ? "run" : "quiet");
      const cancel = () => takeBack(campaign.module, [order.device]);
      return {
        attributes: { testid: "upgrade-row", device: order.device, state: order.state },
        cells: [
          html`<span data-go tabindex=${first ? 0 : -1}><code>${order.device}</code></span>`,
          html`<span class=${`chip ${tone}`}>${f.stages[order.state] ?? order.state}</span>`,
          percent !== null ? html`<progress max="100" .value=${percent} aria-label=${`${order.device}: ${f.stages[order.state] ?? ""}`}></progress> ${percent} %` : order.state === "failed" ? causeText(order.detail) : messageText(order.detail),
          isOpen(order) ? html`<button type="button" class="btn tiny" tabindex=${first ? 0 : -1} data-testid="upgrade-cancel" aria-label=${`${f.cancelOne}: ${order.device}`} @click=${cancel}>${f.cancelOne}</button>` : "",
        ],
      };
    };
    return html`<m-grid .label=${`${f.table}: ${campaign.version}`} .columns=${columns} .template=${"minmax(0, 1.2fr) 96px minmax(0, 2fr) 84px"} .narrow=${"minmax(0, 1fr) 84px 76px"} .rows=${campaign.orders} .key=${(order: UpgradeView) => order.device} .cell=${cell}></m-grid>`;
  }
}

/** As the clouds write it in a product's list: the module only where it is not the default one. */
function keyOf({ module, version }: { module: string | null; version: string }): string {
  return module === null ? version : `${module}/${version}`;
}
