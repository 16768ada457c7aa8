// The timeline of a device: a sequence diagram or a table of what happened, of which those rows are drawn that are seen.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { i18n, t } from "../i18n";
import type { Session, TimelineView } from "../state/devices";
import { GROUPS } from "../state/entry";
import { Filtered, NO_FILTER, conditions, isFiltered, only, type Filter } from "../state/filter";
import { shortcutFor, type ShortcutId } from "../state/shortcuts";
import { hostOf } from "../state/texts";
import type { EntryRow, Row } from "../state/timeline";
import { drawn, reveal, type Range } from "../state/virtual";
import { View, announce, copyText, segments } from "./base";
import { icon, type IconName } from "./icons";
import { withPart } from "./notices";
import { diagramEntry, diagramNote, diagramPhase, rowText, tableEntry, tableHead, tableNote, tablePhase, type Around } from "./rows";

/** As the style sheet has them. */
const ROW: Record<TimelineView, number> = { diagram: 32, table: 28 };
/** Milliseconds of a frame that a filter may take. */
const BUDGET = 6;
/** What a person does shows within this time; scrolling after that was not theirs. */
const TOUCH = 800;

@customElement("m-timeline")
export class TimelineElement extends View {
  session!: Session;
  @state() private panel = false;
  #shown: Session | undefined;
  #ends: (() => void) | undefined;
  #filtered = new Filtered(() => "");
  #range: Range = { from: 0, to: 0 };
  #height = 600;
  /** When the person last touched the scroller: what scrolls by itself changes nothing. */
  #touched = -TOUCH;
  #focused: string | null = null;
  /** Of each device the row that stays where it is on the screen when rows before it come or go. */
  readonly #anchors = new WeakMap<Session, { key: string; offset: number }>();
  /** What the list was made of. */
  #made: readonly unknown[] = [];
  /** Where the list is to be scrolled once it is drawn. */
  #want: number | null = null;
  #hadFocus = false;
  #sized = new ResizeObserver(([entry]) => {
    if (entry === undefined || entry.contentRect.height === this.#height) return;
    this.#height = entry.contentRect.height;
    this.requestUpdate();
  });
  #watched: Element | null = null;

  static override properties = { session: { attribute: false } };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sized.disconnect();
    this.#watched = null;
    this.#ends?.();
    this.#shown = undefined;
  }

  get #scroller(): HTMLElement | null {
    return this.querySelector<HTMLElement>(".flow-scroll");
  }

  get #row(): number {
    return ROW[this.session.view];
  }

  protected override willUpdate(): void {
    const { session } = this;
    if (this.#shown !== session) {
      this.#ends?.();
      this.#shown = session;
      this.#ends = session.subscribe(() => this.requestUpdate());
      this.#filtered = new Filtered((row) => this.#label(row));
      this.#focused = null;
    }
    const { frozen, log } = session;
    this.#filtered.feed(frozen ?? log.rows, frozen ?? log.epoch, session.filter);
    if (this.#filtered.advance(BUDGET)) requestAnimationFrame(() => this.requestUpdate());
    const { length } = this.#filtered.rows;
    this.#want = session.following ? length * this.#row : this.#moved();
    this.#range = drawn(length, this.#row, this.#want ?? this.#scroller?.scrollTop ?? 0, this.#height);
    this.#hadFocus = this.#scroller?.contains(document.activeElement) === true;
  }

  /** Rows that come and go before what is seen take it along. */
  #moved(): number | null {
    const { session } = this;
    const { rows, searching } = this.#filtered;
    const made = [session, session.log.epoch, session.view, session.frozen, session.filter, searching];
    const same = made.every((value, i) => value === this.#made[i]);
    this.#made = made;
    const anchor = this.#anchors.get(session);
    if (same || anchor === undefined) return null;
    const at = rows.findIndex((row) => row.key === anchor.key);
    return at < 0 ? null : at * this.#row + anchor.offset;
  }

  protected override updated(): void {
    const { session } = this;
    const scroller = this.#scroller;
    if (scroller === null) return;
    if (this.#watched !== scroller) {
      this.#sized.disconnect();
      this.#sized.observe(scroller);
      this.#watched = scroller;
    }
    if (this.#want !== null && Math.abs(scroller.scrollTop - this.#want) >= 1) scroller.scrollTop = this.#want;
    if (!session.following) this.#hold(scroller.scrollTop);
    // A row that had the focus and is not drawn any more leaves it to the list, from where the arrow keys go on.
    if (this.#hadFocus && document.activeElement === document.body) this.#scroller?.focus({ preventScroll: true });
  }

  #hold(top: number): void {
    const first = this.#filtered.rows[Math.floor(top / this.#row)];
    if (first !== undefined) this.#anchors.set(this.session, { key: first.key, offset: top % this.#row });
  }

  // What is searched for is what is read.
  #label(row: EntryRow): string {
    const { strong, code, rest } = rowText(this.session, row);
    return `${strong} ${code} ${rest}`;
  }

  override render(): TemplateResult {
    const { session } = this;
    const d = t();
    const three = session.hasApp && session.filter.side !== "device";
    const table = session.view === "table";
    const { rows } = this.#filtered;
    const waiting = rows.length > 0 || this.#filtered.searching ? nothing : html`<p class="quiet-text center tl-empty">${this.#empty()}</p>`;
    return html`<section class=${`tl lanes${three && !table ? " three" : ""}`} data-testid="timeline" data-view=${session.view} aria-label=${d.lanes.label}>
      ${this.#tools()}${this.panel ? this.#panel() : nothing}
      ${session.log.dropped > 0 ? html`<p class="quiet-text center">${d.lanes.dropped(session.log.dropped)}</p>` : nothing}
      ${waiting}
      ${table
        ? html`<div class="ttable" role="table" aria-label=${d.lanes.label} aria-rowcount=${rows.length + 1}><div role="rowgroup" class="thead-group">${tableHead()}</div>${this.#list(html`<div class="rows" .style=${this.#space()}>${this.#rows()}</div>`)}</div>`
        : html`${this.#heads(three)}${this.#list(html`<ol class="rows" .style=${this.#space()}>${this.#rows()}</ol>`)}`}
      ${this.#latest()}
    </section>`;
  }

  #list(content: TemplateResult): TemplateResult {
    return html`<div class="flow-scroll" role=${this.session.view === "table" ? "rowgroup" : nothing} tabindex="-1" @scroll=${this.#scrolled} @wheel=${this.#touch} @touchmove=${this.#touch} @pointerdown=${this.#touch} @keydown=${this.#key} @focusin=${this.#focusin} @focusout=${this.#focusout}>${content}</div>`;
  }

  /** The height of all rows, and in it those that are drawn at their place. */
  #space(): string {
    const { rows } = this.#filtered;
    return `height:${rows.length * this.#row}px;padding-top:${this.#range.from * this.#row}px`;
  }

  #empty(): string {
    const { session } = this;
    const d = t();
    if (isFiltered(session.filter) && session.log.entries > 0) return d.timeline.nothingFound;
    return session.running ? d.lanes.waiting : d.lanes.empty;
  }

  #heads(three: boolean): TemplateResult {
    const { session } = this;
    const d = t();
    const { settings, platform, world } = session.plan;
    const address = world === "tab" ? d.lanes.inTab : hostOf(settings["broker"] ?? settings["base_url"] ?? "");
    return html`<div class="heads" aria-hidden="true">
      <span><b>${d.lanes.device}</b> <small>${d.lanes.wasm}</small></span>
      <span><b>${d.platform[platform].short}</b> <small>${address}</small></span>
      ${three ? html`<span><b>${d.lanes.app}</b></span>` : nothing}
    </div>`;
  }

  #rows(): unknown {
    const { session } = this;
    const { from, to } = this.#range;
    const { rows } = this.#filtered;
    const part = rows.slice(from, to);
    const tab = this.#tabStop(part);
    const table = session.view === "table";
    return repeat(
      part,
      (row) => row.key,
      (row, i) => {
        const around: Around = { session, index: from + i, tabbable: row.key === tab, select: this.#select };
        if (row.type === "phase") return (table ? tablePhase : diagramPhase)(row, around);
        if (row.type === "note") return (table ? tableNote : diagramNote)(row, around);
        const on = [session.selected === row.key, session.mark === row.key, session.standing(row)];
        return guard([row.entry, ...on, around.tabbable, around.index, table, i18n.language, session.begunUnix], () => (table ? tableEntry : diagramEntry)(row, around));
      },
    );
  }

  /** One row is in the tab order: the one that is open, or had the focus last, or the first. */
  #tabStop(part: readonly Row[]): string | undefined {
    const { selected } = this.session;
    for (const key of [selected, this.#focused]) if (key !== null && part.some((row) => row.key === key)) return key;
    return part.find((row) => row.type === "entry")?.key;
  }

  // ---------- the tools above ----------

  #tools(): TemplateResult {
    const { session } = this;
    const d = t().timeline;
    const { filter, frozen, follow } = session;
    const set = conditions(filter);
    const toggle = (testid: string, name: IconName, text: string, help: string, on: boolean, work: () => void) =>
      html`<button type="button" class="btn tog" data-testid=${testid} aria-pressed=${on} title=${help} @click=${work}>${icon(name)}<span class="wide-text">${text}</span></button>`;
    return html`<div class="tl-tools" role="group" aria-label=${d.tools}>
      ${segments<TimelineView>(
        d.view,
        [
          { value: "diagram", text: icon("diagram"), title: d.diagram, testid: "view-diagram" },
          { value: "table", text: icon("table"), title: d.table, testid: "view-table" },
        ],
        session.view,
        (view) => session.update({ view }),
      )}
      <span class="tl-search">${icon("search")}<input type="search" data-testid="search" aria-label=${d.search} placeholder=${d.search} title=${d.searchHelp} .value=${filter.text} @input=${this.#search} @keydown=${this.#searchKey} spellcheck="false" autocomplete="off" /></span>
      <button type="button" class="btn tog" data-testid="filter" aria-expanded=${this.panel} aria-controls="tl-panel" title=${d.filter} @click=${() => (this.panel = !this.panel)}>${icon("filter")}<span class="wide-text">${d.filter}</span>${set === 0 ? nothing : html`<b class="badge">${set}</b>`}</button>
      <span class="joined">${toggle("pause", frozen === null ? "pause" : "play", frozen === null ? d.pause : d.resume, d.pauseHelp, frozen !== null, () => session.pause(frozen === null))}${toggle("follow", "end", t().run.follow, t().run.followHelp, follow, () => session.update({ follow: !follow, ...(follow ? {} : { selected: null }) }))}</span>
      <button type="button" class="btn tog" data-testid="export" title=${d.exportHelp} ?disabled=${session.log.entries === 0} @click=${() => void this.#export()}>${icon("download")}<span class="wide-text">${d.export}</span></button>
      <span class="tl-count" data-testid="count">${this.#count()}</span>
    </div>`;
  }

  #count(): string {
    const { session } = this;
    const d = t().timeline;
    if (this.#filtered.searching) return d.searching;
    return isFiltered(session.filter) ? d.shown(this.#filtered.shown, session.log.entries) : d.entries(session.log.entries);
  }

  #export(): Promise<void> {
    const { session } = this;
    return withPart(import("./export"), ({ openExport }) => openExport(session, isFiltered(session.filter) ? this.#filtered.rows : null));
  }

  #set(change: Partial<Filter>): void {
    const { session } = this;
    session.update({ filter: { ...session.filter, ...change } });
  }

  readonly #search = (event: Event) => this.#set({ text: (event.target as HTMLInputElement).value });

  readonly #searchKey = (event: KeyboardEvent) => {
    const shortcut = shortcutFor(event, "search");
    if (shortcut === "clearSearch" && this.session.filter.text !== "") {
      event.preventDefault();
      event.stopPropagation();
      this.#set({ text: "" });
    } else if (shortcut === "leaveSearch") {
      event.preventDefault();
      this.querySelector<HTMLElement>(".rows [tabindex='0']")?.focus();
    }
  };

  #panel(): TemplateResult {
    const { session } = this;
    const d = t().timeline;
    const { filter } = session;
    return html`<div class="tl-panel" id="tl-panel" data-testid="filter-panel">
      <fieldset><legend>${d.kinds}</legend>
        ${GROUPS.map(
          (group) => html`<label class="check"><input type="checkbox" data-testid=${`filter-${group}`} .checked=${!filter.without.includes(group)} @change=${() => this.#set({ without: filter.without.includes(group) ? filter.without.filter((name) => name !== group) : [...filter.without, group] })} />${d.group[group]}</label>
            <button type="button" class="quiet only" aria-label=${d.onlyThis(d.group[group])} @click=${() => this.#set({ without: only(filter, group) })}>${d.only}</button>`,
        )}
      </fieldset>
      <div class="tl-panel-row">
        ${segments<Filter["direction"]>(
          d.direction,
          (["both", "up", "down"] as const).map((value) => ({ value, text: d.directions[value], testid: `filter-${value}` })),
          filter.direction,
          (direction) => this.#set({ direction }),
        )}
        <label class="check"><input type="checkbox" data-testid="filter-problems" .checked=${filter.problems} @change=${() => this.#set({ problems: !filter.problems })} />${d.problems}</label>
        <button type="button" class="btn" data-testid="filter-clear" ?disabled=${!isFiltered(filter)} @click=${() => this.#set(NO_FILTER)}>${d.clear}</button>
      </div>
      <p class="quiet-text">${d.searchHelp}</p>
    </div>`;
  }

  /** What came since the person looks at something else than the end. */
  #latest(): TemplateResult | typeof nothing {
    const { session } = this;
    const fresh = session.log.added - session.seen;
    if (session.following || fresh <= 0) return nothing;
    return html`<button type="button" class="btn pri latest" data-testid="latest" @click=${() => session.latest()}>${icon("end")}${t().timeline.fresh(fresh)}</button>`;
  }

  // ---------- by hand ----------

  readonly #select = (key: string) => {
    const { session } = this;
    session.update({ selected: session.selected === key ? null : key });
  };

  readonly #touch = {
    handleEvent: (event: Event) => {
      this.#touched = event.timeStamp;
    },
    passive: true,
  };

  readonly #scrolled = (event: Event) => {
    const scroller = event.target as HTMLElement;
    const { session } = this;
    const { scrollTop } = scroller;
    const { length } = this.#filtered.rows;
    const { from, to } = drawn(length, this.#row, scrollTop, this.#height);
    if (event.timeStamp - this.#touched < TOUCH) {
      // Who scrolls up wants to read; who comes back to the end wants to follow.
      const atEnd = scrollTop + this.#height >= length * this.#row - 8;
      if (atEnd !== session.follow && session.selected === null && session.frozen === null) session.update({ follow: atEnd });
    }
    if (!session.following) this.#hold(scrollTop);
    if (from !== this.#range.from || to !== this.#range.to) this.requestUpdate();
  };

  readonly #focusin = (event: FocusEvent) => {
    this.#focused = (event.target as HTMLElement).dataset["key"] ?? this.#focused;
  };

  readonly #focusout = (event: FocusEvent) => {
    // To somewhere else, not into nothing.
    if (event.relatedTarget !== null && !this.#scroller?.contains(event.relatedTarget as Node)) this.#focused = null;
  };

  readonly #key = (event: KeyboardEvent) => {
    const { session } = this;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && session.selected !== null) {
      const key = session.selected;
      session.update({ selected: null });
      this.focusRow(key);
      event.preventDefault();
      return;
    }
    this.#touched = event.timeStamp;
    const key = (event.target as HTMLElement).dataset["key"] ?? this.#focused;
    const row = session.find(key);
    if (key === null || row === undefined) return;
    const shortcut = shortcutFor(event, "entry");
    if (shortcut === "copyEntry") void this.#copy(row);
    else if (shortcut === "mark") session.update({ mark: session.mark === key ? null : key });
    else if (shortcut === null || !this.#walk(shortcut, key)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  async #copy(row: EntryRow): Promise<void> {
    if (await copyText(JSON.stringify(row.entry, null, 2))) announce(t().common.copied);
  }

  #walk(shortcut: ShortcutId, key: string): boolean {
    const page = Math.max(1, Math.floor(this.#height / this.#row) - 1);
    const by = ({ walkDown: 1, walkUp: -1, pageDown: page, pageUp: -page, first: -Infinity, last: Infinity } as Partial<Record<ShortcutId, number>>)[shortcut];
    if (by === undefined) return false;
    const next = this.neighbour(key, by);
    if (next === undefined) return true;
    // Walking with the detail open reads on; else it only moves.
    if (this.session.selected !== null) this.session.update({ selected: next });
    else if (this.session.follow) this.session.update({ follow: false });
    this.focusRow(next);
    return true;
  }

  /** The entry that is `by` rows further, or the last one on the way. */
  neighbour(key: string, by: number): string | undefined {
    const { rows } = this.#filtered;
    const at = rows.findIndex((row) => row.key === key);
    const step = Math.sign(by);
    const to = Math.max(0, Math.min(rows.length - 1, at + by));
    // Phases and notes are no stops: on to the next entry, or back to the last.
    for (const way of [step, -step]) {
      for (let i = to; i >= 0 && i < rows.length; i += way) {
        const row = rows[i];
        if (row?.type === "entry") return row.key;
      }
    }
    return undefined;
  }

  /** Scrolls so that a row is seen. */
  show(key: string): void {
    const scroller = this.#scroller;
    const at = this.#filtered.rows.findIndex((row) => row.key === key);
    if (scroller === null || at < 0) return;
    const top = reveal(at, this.#row, scroller.scrollTop, this.#height);
    if (top === null) return;
    scroller.scrollTop = top;
    this.#hold(scroller.scrollTop);
    this.requestUpdate();
  }

  focusRow(key: string): void {
    this.#focused = key;
    this.show(key);
    this.requestUpdate();
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true }));
  }
}
