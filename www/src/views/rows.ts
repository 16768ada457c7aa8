// One row of a timeline, as a diagram or as a table shows it.

import { html, nothing, type TemplateResult } from "lit";
import { clockText, t } from "../i18n";
import { latencyText, stopwatch } from "../state/bytes";
import type { Session } from "../state/devices";
import { directionOf, latencyOf, lookOf, maskedOf, sizeOf, typeOf } from "../state/entry";
import { entryText, phaseText, type RowText } from "../state/texts";
import type { EntryRow, NoteRow, PhaseRow } from "../state/timeline";
import { maskedText } from "./base";

/** What a row has to know beside itself. */
export type Around = {
  session: Session;
  /** Its place among all rows that the list has, drawn or not. */
  index: number;
  /** Tab comes here. */
  tabbable: boolean;
  select: (key: string) => void;
};

/** An answer that takes longer makes people wait. */
const SLOW = 1_000;

export function rowText(session: Session, row: EntryRow): RowText {
  return entryText(row.entry, row.side === "app" ? "alibaba" : session.plan.platform);
}

function rowTime(session: Session, row: EntryRow): string {
  return stopwatch(row.side === "app" ? row.entry.unix - session.begunUnix : row.entry.at);
}

function secrets(row: EntryRow): TemplateResult | typeof nothing {
  const masked = maskedOf(row.entry);
  return masked === 0 ? nothing : html`<span class="lock" title=${t().detail.masked(masked)}>•••</span>`;
}

function took(ms: number | undefined): TemplateResult | typeof nothing {
  return ms === undefined ? nothing : html`<small class=${`took${ms > SLOW ? " slow" : ""}`}>${latencyText(ms)}</small>`;
}

/** What the row's button says to those who cannot see an arrow. */
function hiddenDirection(row: EntryRow): TemplateResult | typeof nothing {
  const direction = directionOf(row.entry);
  return direction === "self" ? nothing : html`<span class="hidden">${direction === "up" ? t().row.up : t().row.down}</span>`;
}

function marks(session: Session, row: EntryRow): string {
  const standing = session.standing(row);
  return `${session.selected === row.key ? " sel" : ""}${session.mark === row.key ? " marked" : ""}${standing === "" ? "" : ` replay-${standing}`}`;
}

function phaseParts(session: Session, row: PhaseRow): TemplateResult {
  const d = t();
  const [title = "", addition = ""] = phaseText(row.phase, session.plan.platform, session.plan.settings["registration"] ?? "http");
  const sign = { done: "✓", now: "●", failed: "!", retrying: "↻" }[row.state];
  const time = row.until === null || row.phase === "online" ? nothing : took(row.until - row.at);
  return html`<i aria-hidden="true">${sign}</i><span>${title}</span>${addition === "" ? nothing : html`<em>${addition}</em>`}${time}<span class="hidden">${d.phaseState[row.state]}</span>`;
}

function noteText(row: NoteRow): TemplateResult {
  const d = t();
  if (row.note !== "token_handed_over") return html`${d.note[row.note]}`;
  return html`<span title=${d.owner.handOver}>${d.note[row.note]}${row.detail === "" ? nothing : html` <code>${row.detail.slice(0, 8)}…</code>`}</span>`;
}

// ---------- the diagram ----------

export function diagramPhase(row: PhaseRow, { session, index }: Around): TemplateResult {
  return html`<li class=${`phase ${row.state} ${row.side}`} aria-setsize="-1" aria-posinset=${index + 1} data-testid="phase" data-phase=${row.phase} data-state=${row.state}>${phaseParts(session, row)}</li>`;
}

export function diagramNote(row: NoteRow, { index }: Around): TemplateResult {
  return html`<li class=${`note ${row.note}`} aria-setsize="-1" aria-posinset=${index + 1} data-testid="note" data-note=${row.note}><time>${clockText(row.unix)}</time><span>${noteText(row)}</span></li>`;
}

export function diagramEntry(row: EntryRow, around: Around): TemplateResult {
  const { session, index, tabbable, select } = around;
  const { entry } = row;
  const text = rowText(session, row);
  return html`<li
    class=${`msg ${directionOf(entry)} ${row.side} k-${entry.kind} ${lookOf(entry)}${marks(session, row)}`}
    aria-setsize="-1"
    aria-posinset=${index + 1}
    data-testid="entry"
    data-kind=${entry.kind}
    data-type=${typeOf(entry)}
    data-side=${row.side}
    data-seq=${entry.seq}
    data-replay=${session.standing(row) || nothing}
  >
    <time>${rowTime(session, row)}</time>
    <button type="button" tabindex=${tabbable ? 0 : -1} aria-pressed=${session.selected === row.key} data-key=${row.key} @click=${() => select(row.key)}>
      <span class="label"><b>${text.strong}</b>${text.code === "" ? nothing : html` <code>${maskedText(text.code)}</code>`}${text.rest === "" ? nothing : html` <span>${maskedText(text.rest)}</span>`}</span>
      ${secrets(row)}${took(latencyOf(entry))}${hiddenDirection(row)}
    </button>
  </li>`;
}

// ---------- the table ----------

export function tableHead(): TemplateResult {
  const d = t().timeline.column;
  return html`<div class="trow thead" role="row" aria-rowindex="1">
    <span role="columnheader">${d.time}</span><span role="columnheader">${d.type}</span><span role="columnheader">${d.what}</span><span role="columnheader" class="num">${d.size}</span><span role="columnheader" class="num">${d.took}</span>
  </div>`;
}

export function tablePhase(row: PhaseRow, { session, index }: Around): TemplateResult {
  return html`<div class=${`phase ${row.state}`} role="row" aria-rowindex=${index + 2} data-testid="phase" data-phase=${row.phase} data-state=${row.state}><span role="cell" aria-colspan="5" class="phase-cell">${phaseParts(session, row)}</span></div>`;
}

export function tableNote(row: NoteRow, { index }: Around): TemplateResult {
  return html`<div class=${`trow note ${row.note}`} role="row" aria-rowindex=${index + 2} data-testid="note" data-note=${row.note}><time role="cell">${clockText(row.unix)}</time><span role="cell" aria-colspan="4">${noteText(row)}</span></div>`;
}

export function tableEntry(row: EntryRow, around: Around): TemplateResult {
  const { session, index, tabbable, select } = around;
  const { entry } = row;
  const text = rowText(session, row);
  const direction = directionOf(entry);
  const size = sizeOf(entry);
  const packet = direction !== "self";
  const arrow = direction === "up" ? "→" : direction === "down" ? "←" : entry.kind === "store" ? "⤓" : "·";
  return html`<div
    class=${`trow ${direction} k-${entry.kind} ${lookOf(entry)}${marks(session, row)}`}
    role="row"
    aria-rowindex=${index + 2}
    data-testid="entry"
    data-kind=${entry.kind}
    data-type=${typeOf(entry)}
    data-side=${row.side}
    data-seq=${entry.seq}
    data-replay=${session.standing(row) || nothing}
  >
    <time role="cell">${rowTime(session, row)}</time>
    <span role="cell" class="type"><i aria-hidden="true">${row.side === "app" && packet ? (direction === "up" ? "←" : "→") : arrow}</i>${packet ? text.strong : t().timeline.kind[entry.kind]}${hiddenDirection(row)}</span>
    <span role="cell" class="what-cell"><button type="button" tabindex=${tabbable ? 0 : -1} aria-pressed=${session.selected === row.key} data-key=${row.key} @click=${() => select(row.key)}>${packet ? nothing : text.strong}${text.code === "" ? nothing : html` <code>${maskedText(text.code)}</code>`}${text.rest === "" ? nothing : html` <span>${maskedText(text.rest)}</span>`}${packet && text.code === "" && text.rest === "" ? html`<span class="hidden">${text.strong}</span>` : nothing}</button>${secrets(row)}</span>
    <span role="cell" class="num">${size ?? ""}</span>
    <span role="cell" class="num">${took(latencyOf(entry))}</span>
  </div>`;
}
