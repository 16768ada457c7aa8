// A table of however many rows, of which those are drawn that are seen. One row is in the tab order; from there the arrow
// keys, Page Up, Page Down, Home and End go on.

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { drawn, reveal, type Range } from "../../state/virtual";
import { shortcutFor, type ShortcutId } from "../../state/shortcuts";
import { View } from "../base";

/** As the style sheet has it. */
export const ROW = 36;

export type Cell = { cells: readonly (TemplateResult | string)[]; attributes: Readonly<Record<string, string>>; on?: boolean };

export type Column = { head: TemplateResult | string; class?: string };

@customElement("m-grid")
export class Grid extends View {
  label = "";
  columns: readonly Column[] = [];
  /** CSS of the columns' widths: the same for every row, so nothing in it may depend on what a row holds. */
  template = "";
  /** The same where there is little room, and columns of the class `wide-cell` are left out. */
  narrow = "";
  rows: readonly unknown[] = [];
  key: (row: never) => string = String;
  /** `first` is the tab stop: the row's own control takes `tabindex` from it. */
  cell: (row: never, first: boolean) => Cell = () => ({ cells: [], attributes: {} });
  /** The row to be seen when it changes. */
  at: string | null = null;
  #height = 480;
  #top = 0;
  #stop: string | null = null;
  #shown: string | null = null;
  #range: Range = { from: 0, to: 0 };
  #sized = new ResizeObserver(([entry]) => {
    if (entry === undefined || Math.abs(entry.contentRect.height - this.#height) < 1) return;
    this.#height = entry.contentRect.height;
    this.requestUpdate();
  });

  static override properties = {
    label: { attribute: false },
    columns: { attribute: false },
    template: { attribute: false },
    narrow: { attribute: false },
    rows: { attribute: false },
    key: { attribute: false },
    cell: { attribute: false },
    at: { attribute: false },
  };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sized.disconnect();
  }

  protected override firstUpdated(): void {
    if (this.#scroller !== null) this.#sized.observe(this.#scroller);
  }

  get #scroller(): HTMLElement | null {
    return this.querySelector<HTMLElement>(":scope > .grid > .grid-scroll");
  }

  protected override updated(): void {
    if (this.at === this.#shown) return;
    this.#shown = this.at;
    if (this.at !== null) this.#go(this.rows.findIndex((row) => this.key(row as never) === this.at), false);
  }

  override render(): TemplateResult {
    const { rows } = this;
    this.#range = drawn(rows.length, ROW, this.#top, this.#height);
    const { from, to } = this.#range;
    const part = rows.slice(from, to);
    const stop = this.#tabStop(part);
    return html`<div class="grid" role="table" aria-label=${this.label} aria-rowcount=${rows.length + 1} .style=${`--wide:${this.template};--narrow:${this.narrow === "" ? this.template : this.narrow}`}>
      <div role="rowgroup"><div role="row" class="grid-row grid-head" aria-rowindex="1">${this.columns.map((column) => html`<span role="columnheader" class=${column.class ?? ""}>${column.head}</span>`)}</div></div>
      <div class="grid-scroll" role="rowgroup" tabindex=${rows.length === 0 ? -1 : nothing} @scroll=${this.#scrolled} @keydown=${this.#keydown} @focusin=${this.#focusin}>
        <div class="grid-all" role="presentation" .style=${`height:${rows.length * ROW}px;padding-top:${from * ROW}px`}>${repeat(
          part,
          (row) => this.key(row as never),
          (row, i) => {
            const key = this.key(row as never);
            const { cells, attributes, on } = this.cell(row as never, key === stop);
            return html`<div role="row" class=${`grid-row${on === true ? " on" : ""}`} aria-rowindex=${from + i + 2} data-key=${key} data-testid=${attributes["testid"] ?? nothing} data-name=${attributes["name"] ?? nothing} data-state=${attributes["state"] ?? nothing} data-device=${attributes["device"] ?? nothing} data-what=${attributes["what"] ?? nothing}>${cells.map((cell, c) => html`<span role="cell" class=${this.columns[c]?.class ?? ""}>${cell}</span>`)}</div>`;
          },
        )}</div>
      </div>
    </div>`;
  }

  #tabStop(part: readonly unknown[]): string | null {
    const keys = part.map((row) => this.key(row as never));
    const wanted = this.#stop ?? this.at;
    if (wanted !== null && keys.includes(wanted)) return wanted;
    return keys[Math.max(0, Math.floor(this.#top / ROW) - this.#range.from)] ?? keys[0] ?? null;
  }

  readonly #scrolled = (event: Event) => {
    this.#top = (event.target as HTMLElement).scrollTop;
    const { from, to } = drawn(this.rows.length, ROW, this.#top, this.#height);
    // A step within what is drawn draws nothing.
    if (from !== this.#range.from || to !== this.#range.to) this.requestUpdate();
  };

  readonly #focusin = (event: FocusEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-key]");
    const key = row?.dataset["key"] ?? null;
    if (key === null || key === this.#stop) return;
    this.#stop = key;
    this.requestUpdate();
  };

  readonly #keydown = (event: KeyboardEvent) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-key]");
    const index = this.rows.findIndex((each) => this.key(each as never) === row?.dataset["key"]);
    const page = Math.max(1, Math.floor(this.#height / ROW) - 1);
    const steps: Partial<Record<ShortcutId, number>> = { gridDown: index + 1, gridUp: index - 1, gridPageDown: index + page, gridPageUp: index - page, gridFirst: 0, gridLast: this.rows.length - 1 };
    const shortcut = shortcutFor(event, "grid");
    const to = shortcut === null ? undefined : steps[shortcut];
    if (to === undefined || index < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#go(Math.max(0, Math.min(this.rows.length - 1, to)), true);
  };

  #go(index: number, focus: boolean): void {
    const scroller = this.#scroller;
    const row = this.rows[index];
    if (scroller === null || row === undefined) return;
    const top = reveal(index, ROW, scroller.scrollTop, scroller.clientHeight);
    if (top !== null) scroller.scrollTop = top;
    this.#top = scroller.scrollTop;
    this.#stop = this.key(row as never);
    this.requestUpdate();
    if (!focus) return;
    const key = this.#stop;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"] [data-go]`)?.focus({ preventScroll: true }));
  }
}
