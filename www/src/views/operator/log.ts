// The clouds' log: filtered, searched, paused, exported.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { clockText, t } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { LogLine, PlatformName } from "../../muster/types";
import { ALL_LINES, LEVELS, levelOf, logFile, wanted, type Level, type LogFilter } from "../../state/cloudlog";
import { operate } from "../../state/operate";
import { View, segments } from "../base";
import { PLATFORMS } from "../devices";
import { icon } from "../icons";
import { saveFile, stamp } from "../save";
import type { Cell, Column } from "./grid";

@customElement("m-op-log")
export class CloudLogView extends View {
  @state() private filter: LogFilter = { ...ALL_LINES, platform: operate.platform };
  #of: PlatformName = operate.platform;
  #made: { lines: readonly LogLine[]; length: number; filter: LogFilter; rows: readonly LogLine[] } | null = null;

  protected override stores() {
    return [operate];
  }

  protected override willUpdate(): void {
    if (this.#of === operate.platform) return;
    this.#of = operate.platform;
    if (this.filter.platform !== null) this.filter = { ...this.filter, platform: operate.platform };
  }

  /** The newest first. */
  get #rows(): readonly LogLine[] {
    const { lines } = operate.log;
    if (this.#made === null || this.#made.lines !== lines || this.#made.length !== lines.length || this.#made.filter !== this.filter) {
      this.#made = { lines, length: lines.length, filter: this.filter, rows: lines.filter(wanted(this.filter)).reverse() };
    }
    return this.#made.rows;
  }

  override render(): TemplateResult {
    const d = o().log;
    const { log } = operate;
    const rows = this.#rows;
    const { filter } = this;
    const columns: Column[] = [{ head: d.time }, { head: d.what }, { head: d.subject, class: "wide-cell" }, { head: d.detail }];
    return html`<section class="box" aria-labelledby="log-title">
      <div class="box-head"><h2 id="log-title">${d.title}</h2><span class="quiet-text" data-testid="log-count">${d.lines(rows.length, log.lines.length)}</span></div>
      <p class="quiet-text">${d.lead}${log.dropped === 0 ? "" : ` ${d.dropped(log.dropped)}`}</p>
      <div class="op-filters">
        ${segments<Level>(d.level, [...LEVELS].reverse().map((value) => ({ value, text: d.levels[value] ?? value, testid: `level-${value}` })), filter.level, (level) => (this.filter = { ...filter, level }))}
        <label class="inline"><span class="hidden">${d.platform}</span><select class="slim" data-testid="log-platform" @change=${(event: Event) => this.#platform((event.target as HTMLSelectElement).value)}>
          <option value="" ?selected=${filter.platform === null}>${d.allPlatforms}</option>${PLATFORMS.map((platform) => html`<option value=${platform} ?selected=${filter.platform === platform}>${t().platform[platform].short}</option>`)}</select></label>
        <label class="search">${icon("search")}<input type="search" data-testid="log-search" aria-label=${o().search} placeholder=${d.search} .value=${filter.text} @input=${(event: Event) => (this.filter = { ...filter, text: (event.target as HTMLInputElement).value })} autocomplete="off" spellcheck="false" /></label>
        <button type="button" class="btn" aria-pressed=${log.paused} data-testid="log-pause" @click=${() => operate.pauseLog(!log.paused)}>${icon(log.paused ? "play" : "pause")}${log.paused ? d.goOn : d.pause}</button>
        <button type="button" class="btn" data-testid="log-export" ?disabled=${rows.length === 0} @click=${() => saveFile(`muster-log-${filter.platform ?? "all"}-${stamp(new Date())}.ndjson`, "application/x-ndjson", [logFile([...rows].reverse())])}>${icon("download")}${d.export}</button>
        ${log.paused && log.waiting > 0 ? html`<span class="quiet-text" role="status" data-testid="log-waiting">${d.waiting(log.waiting)}</span>` : nothing}
      </div>
      <div data-testid="log">${rows.length === 0
        ? html`<p class="quiet-text">${log.lines.length === 0 ? t().cloud.logEmpty : d.none}</p>`
        : html`<m-grid class="tall" .label=${d.title} .columns=${columns} .template=${"64px 92px minmax(0, 1fr) minmax(0, 1.6fr)"} .narrow=${"60px 80px minmax(0, 1fr)"} .rows=${rows} .key=${keyOf} .cell=${this.#cell}></m-grid>`}</div>
    </section>`;
  }

  #platform(value: string): void {
    this.filter = { ...this.filter, platform: PLATFORMS.find((platform) => platform === value) ?? null };
  }

  readonly #cell = (line: LogLine, first: boolean): Cell => {
    const { text } = this.filter;
    const only = () => (this.filter = { ...this.filter, text: text === line.subject ? "" : line.subject });
    return {
      attributes: { testid: "log-line", what: line.what, state: levelOf(line) },
      cells: [
        html`<span data-go tabindex=${first ? 0 : -1}><time>${clockText(line.unix)}</time></span>`,
        html`<span class=${`what ${line.what}`}>${t().cloud.what[line.what] ?? line.what}</span>`,
        line.subject === "" ? "" : html`<button type="button" class="open-row" tabindex=${first ? 0 : -1} title=${line.subject} lang="en" aria-pressed=${text === line.subject} @click=${only}><code>${line.subject}</code></button>`,
        html`<span lang="en" title=${line.detail}>${line.detail}</span>`,
      ],
    };
  };
}

function keyOf(line: LogLine): string {
  return `${line.seq}/${line.unix}`;
}
