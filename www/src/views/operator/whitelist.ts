// The whitelist of a product: who may register. In by CSV, looked over before it is sent; out by CSV.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { DeviceView, RejectedRow } from "../../muster/types";
import { sizeText } from "../../state/bytes";
import { messageText } from "../../state/messages";
import { operate, type Place } from "../../state/operate";
import { router } from "../../state/router";
import { ANY_TYPE, COLUMNS, cameWith, isListed, isUsed, preview, writeCsv, type Line, type Preview } from "../../state/whitelist";
import { View, announce, segments } from "../base";
import { ask } from "../dialogs";
import { icon } from "../icons";
import { saveFile, stamp } from "../save";
import { remove, unimport } from "./acts";
import { seenText, stateChip } from "./devices";
import type { Cell, Column } from "./grid";

/** More than any product of these clouds takes. */
const LARGEST = 16 * 1024 * 1024;

type Which = "all" | "unused" | "used";

@customElement("m-op-whitelist")
export class Whitelist extends View {
  @state() private text = "";
  @state() private refused: readonly RejectedRow[] = [];
  @state() private which: Which = "all";
  @state() private search = "";
  /** A list is on its way: sent a second time it would only say that everything is there. */
  @state() private busy = false;
  #of = "";
  #asked = "";
  #preview: { text: string; size: number; anyType: boolean; made: Preview } | null = null;
  #list: { all: readonly DeviceView[]; which: Which; search: string; rows: readonly DeviceView[]; used: number; unused: number; own: number } | null = null;

  protected override stores() {
    return [operate, router];
  }

  protected override willUpdate(): void {
    const of = `${operate.platform}/${operate.product}`;
    if (this.#of !== of) {
      this.#of = of;
      this.text = "";
      this.refused = [];
    }
    // Who comes from the refusal of a device that is not listed finds its number there already.
    const { query } = router.route;
    if (query["focus"] === "import" && query["device"] !== undefined && this.#asked !== location.hash) {
      this.#asked = location.hash;
      this.text = query["device"];
    }
  }

  get #looked(): Preview {
    const { roster, platform, current } = operate;
    const anyType = current?.switches[ANY_TYPE] === "true";
    if (this.#preview === null || this.#preview.text !== this.text || this.#preview.size !== roster.size || this.#preview.anyType !== anyType) {
      this.#preview = { text: this.text, size: roster.size, anyType, made: preview(platform, this.text, (name) => roster.get(name) !== undefined, anyType) };
    }
    return this.#preview.made;
  }

  get #shown() {
    const { all } = operate.roster;
    const { which, search } = this;
    if (this.#list === null || this.#list.all !== all || this.#list.which !== which || this.#list.search !== search) {
      const { platform } = operate;
      const listed = all.filter(isListed);
      const is = (device: DeviceView) => isUsed(platform, device);
      const used = listed.filter(is).length;
      const word = search.trim().toLowerCase();
      const rows = listed.filter((device) => (which === "all" || is(device) === (which === "used")) && device.name.toLowerCase().includes(word));
      this.#list = { all, which, search, rows, used, unused: listed.length - used, own: all.length - listed.length };
    }
    return this.#list;
  }

  override render(): TemplateResult {
    const d = o().whitelist;
    const { used, unused, own } = this.#shown;
    const figure = (name: string, count: number, help: string, testid: string) => html`<div class="figure"><b data-testid=${testid}>${count.toLocaleString()}</b><span>${name}</span><small>${help}</small></div>`;
    return html`<div class="op-halves">
      <section class="box" aria-labelledby="list-title">
        <h2 id="list-title">${d.list}</h2>
        <p class="quiet-text">${d.lead[operate.platform]}</p>
        <div class="figures">
          ${figure(d.total, used + unused, "", "listed-count")}${figure(d.used, used, d.usedHelp, "used-count")}${figure(d.unused, unused, "", "unused-count")}${own === 0 ? nothing : figure(d.own, own, d.ownHelp, "own-count")}
        </div>
        ${this.#listed()}
      </section>
      ${this.#form()}
    </div>`;
  }

  #listed(): TemplateResult {
    const d = t();
    const { rows, unused } = this.#shown;
    const columns: Column[] = [{ head: d.cloud.name }, { head: d.cloud.state }, { head: d.cloud.lastSeen, class: "wide-cell" }, { head: html`<span class="hidden">${d.cloud.actions}</span>`, class: "acts-cell" }];
    return html`<div class="op-filters">
        ${segments<Which>(o().whitelist.show, [{ value: "all", text: o().all, testid: "list-all" }, { value: "unused", text: o().whitelist.unused, testid: "list-unused" }, { value: "used", text: o().whitelist.used, testid: "list-used" }], this.which, (which) => (this.which = which))}
        <label class="search">${icon("search")}<input type="search" data-testid="list-search" aria-label=${o().search} .value=${this.search} @input=${(event: Event) => (this.search = (event.target as HTMLInputElement).value)} autocomplete="off" spellcheck="false" /></label>
      </div>
      ${rows.length === 0 ? html`<p class="quiet-text">${operate.roster.size === 0 ? o().whitelist.empty : o().noneFound}</p>` : html`<m-grid .label=${o().whitelist.list} .columns=${columns} .template=${"minmax(100px, 1fr) 84px 104px 84px"} .narrow=${"minmax(0, 1fr) 76px 76px"} .rows=${rows} .key=${(device: DeviceView) => device.name} .cell=${this.#cell}></m-grid>`}
      <div class="buttons start">
        <button type="button" class="btn" data-testid="list-export" ?disabled=${rows.length === 0} @click=${() => this.#save(rows, false)}>${icon("download")}${o().whitelist.export}</button>
        <button type="button" class="btn" data-testid="list-export-secrets" ?disabled=${rows.length === 0} @click=${() => this.#exportSecrets(rows)}>${icon("key")}${o().whitelist.exportSecrets}</button>
        ${unused < 2 ? nothing : html`<button type="button" class="btn" data-testid="list-remove-unused" @click=${() => this.#removeUnused()}>${icon("trash")}${o().whitelist.removeUnused(unused)}</button>`}
      </div>`;
  }

  readonly #cell = (device: DeviceView, first: boolean): Cell => {
    const d = o().whitelist;
    const used = isUsed(operate.platform, device);
    return {
      attributes: { testid: "list-row", name: device.name, state: used ? "used" : "unused" },
      cells: [
        html`<button type="button" class="open-row" data-go tabindex=${first ? 0 : -1} data-testid="list-open" @click=${() => this.#open(device.name)}><code>${device.name}</code></button>`,
        used ? stateChip(device.state) : html`<span class="chip">${d.unused}</span>`,
        seenText(device.last_active, Date.now()),
        used ? "" : html`<button type="button" class="btn tiny" tabindex=${first ? 0 : -1} data-testid="list-remove" aria-label=${`${d.remove} ${device.name}`} @click=${() => remove([device.name])}>${d.remove}</button>`,
      ],
    };
  };

  #open(name: string): void {
    operate.look(name);
    router.go("cloud", [operate.platform, "devices"], { product: operate.product });
  }

  async #removeUnused(): Promise<void> {
    const { platform } = operate;
    await remove(operate.roster.all.filter((device) => isListed(device) && !isUsed(platform, device)).map((device) => device.name));
  }

  // ---------- out ----------

  #save(devices: readonly DeviceView[], secrets: boolean): void {
    const { platform, product } = operate;
    saveFile(`muster-${platform}-${product}-${secrets ? "secrets" : "whitelist"}-${stamp(new Date())}.csv`, "text/csv", [writeCsv(platform, devices, secrets)]);
  }

  async #exportSecrets(rows: readonly DeviceView[]): Promise<void> {
    const d = o().whitelist;
    if ((await ask({ title: d.exportTitle, text: d.exportText(rows.length), ok: d.exportOk, danger: true })) === null) return;
    const devices = await operate.find(rows.map((device) => device.name), true);
    if (devices !== null) this.#save(devices, true);
  }

  // ---------- in ----------

  #form(): TemplateResult {
    const w = o().whitelist;
    const columns = COLUMNS[operate.platform];
    const looked = this.#looked;
    const empty = this.text.trim() === "";
    const head: Column[] = [{ head: w.line }, { head: w.number }, { head: w.verdict }];
    // What is wrong is to be seen first.
    const lines = [...looked.lines].sort((a, b) => Number(b.wrong !== null) - Number(a.wrong !== null) || a.line - b.line);
    return html`<section class="box" id="import" aria-labelledby="import-title">
      <h2 id="import-title">${w.import}</h2>
      <p class="quiet-text">${w.importHelp} ${w.columns}: <code>${columns.join(", ")}</code></p>
      <textarea rows="6" data-testid="import-text" aria-labelledby="import-title" spellcheck="false" placeholder=${`${columns[0] ?? ""}\n…`} .value=${this.text} @input=${(event: Event) => this.#take((event.target as HTMLTextAreaElement).value)}></textarea>
      <div class="buttons start">
        <button type="button" class="btn pri" data-testid="import-send" ?disabled=${looked.fresh === 0 || operate.product === "" || operate.loaded !== null || this.busy} @click=${this.#send}>${w.send(looked.fresh)}</button>
        <label class="btn file">${w.file}<input type="file" accept=".csv,.txt,text/csv,text/plain" class="hidden" data-testid="import-file" @change=${this.#read} /></label>
        ${empty ? nothing : html`<button type="button" class="quiet" data-testid="import-clear" @click=${() => this.#take("")}>${w.clear}</button>`}
      </div>
      ${looked.unknown === null ? nothing : html`<p class="wrong" role="alert" data-testid="import-unknown">${w.unknownColumn(looked.unknown, columns.join(", "))}</p>`}
      ${empty || looked.unknown !== null
        ? nothing
        : html`<p data-testid="import-preview" data-fresh=${looked.fresh} data-known=${looked.known} data-wrong=${looked.wrong}>${w.preview(looked.fresh, looked.known, looked.wrong)}</p>
            <m-grid .label=${w.import} .columns=${head} .template=${"48px minmax(0, 1fr) minmax(0, 1.4fr)"} .rows=${lines} .key=${(line: Line) => String(line.line)} .cell=${this.#line}></m-grid>`}
      ${this.refused.length === 0 ? nothing : html`<div data-testid="import-refused">${this.refused.slice(0, 100).map((row) => html`<p class="wrong">${w.refused(row.line, messageText(row.reason))}</p>`)}</div>`}
    </section>`;
  }

  readonly #line = (line: Line, first: boolean): Cell => {
    const w = o().whitelist;
    const { wrong } = line;
    const verdict = wrong === null ? html`<span class=${line.known ? "quiet-text" : "good"}>${line.known ? w.known : w.fresh}${line.secret ? `, ${w.withSecret}` : ""}</span>` : html`<span class="wrong">${wrong.why === "shape" ? w.wrong[wrong.rule] : w.wrong[wrong.why]}</span>`;
    return {
      attributes: { testid: "import-line", name: line.name, state: wrong !== null ? "wrong" : line.known ? "known" : "fresh" },
      cells: [html`<span data-go tabindex=${first ? 0 : -1}>${line.line}</span>`, html`<code>${line.name}</code>${line.kind === "" ? nothing : html` <small>${line.kind}</small>`}`, verdict],
    };
  };

  #take(text: string): void {
    this.text = text;
    this.refused = [];
  }

  readonly #read = async (event: Event) => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    try {
      if (file !== undefined && file.size > LARGEST) operate.fail(new Error(o().tooLarge(sizeText(file.size), sizeText(LARGEST))));
      else if (file !== undefined) this.#take(await file.text());
    } catch (error) {
      operate.fail(error);
    }
    input.value = "";
  };

  readonly #send = async () => {
    const { place } = operate;
    if (place === null || this.busy) return;
    this.busy = true;
    try {
      await this.#import(place);
    } finally {
      this.busy = false;
    }
  };

  async #import(place: Place): Promise<void> {
    const { product } = place;
    const { lines } = this.#looked;
    const { text } = this;
    // Who is there is the cloud's to say: this page may know the first devices of many.
    const there = await operate.find(lines.filter((line) => line.wrong === null).map((line) => line.name), false, place);
    if (there === null) return;
    const result = await operate.operate({ action: "import_devices", product, csv: text.endsWith("\n") ? text : `${text}\n` }, place);
    if (result?.result !== "imported") return;
    const { added, existing, rejected } = result;
    if (this.text === text) this.#take("");
    this.refused = rejected;
    const came = cameWith(lines, new Set(there.map((device) => device.name)), result);
    const said = () => o().did.imported(added, existing);
    operate.tell(said, came === null ? null : () => unimport(came, place), [], place);
    announce(said());
  }
}
