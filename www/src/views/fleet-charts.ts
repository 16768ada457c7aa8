// Charts of a fleet, drawn here. Behind each is a table with the same figures.

import { html, nothing, svg, type TemplateResult } from "lit";
import { t } from "../i18n";
import { lines, nice } from "../state/fleet-series";

/** Drawn without a scale of its own: text beside it is text, and does not stretch. */
const WIDTH = 600;
const HEIGHT = 120;
/** Rows of the table behind a chart. */
const ROWS = 30;

export type Line = {
  name: string;
  /** One of `line-1`, `line-2`, `line-3`: also told apart by their dashes. */
  look: 1 | 2 | 3;
  values: readonly (number | null)[];
};

export type Chart = {
  id: string;
  title: string;
  /** What it shows, in a sentence. */
  label: string;
  at: readonly number[];
  lines: readonly Line[];
  /** A value as people read it. */
  text: (value: number) => string;
  /** Fills below the first line. */
  filled?: boolean;
};

export function chart({ id, title, label, at, lines: all, text, filled = false }: Chart): TemplateResult {
  const d = t().fleet;
  const top = nice(Math.max(0, ...all.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const end = at.at(-1) ?? 0;
  const some = all.some(({ values }) => values.some((value) => value !== null));
  return html`<figure class="chart" data-testid=${`chart-${id}`}>
    <figcaption>
      <span class="chart-title">${title}</span>
      ${all.length < 2 ? nothing : html`<span class="legend">${all.map(({ name, look }) => html`<span><svg viewBox="0 0 18 6" aria-hidden="true" focusable="false"><path class=${`line-${look}`} d="M0 3h18"/></svg>${name}</span>`)}</span>`}
    </figcaption>
    ${
      some
        ? html`<div class="plot">
            <span class="scale" aria-hidden="true"><span>${text(top)}</span><span>0</span></span>
            <svg viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label=${label}>
              ${[0.25, 0.5, 0.75].map((share) => svg`<path class="grid" d=${`M0 ${HEIGHT * share}H${WIDTH}`}/>`)}
              ${all.map(({ look, values }, index) => {
                const drawn = lines(
                  values.map((value, i) => [at[i] ?? 0, value] as const),
                  WIDTH,
                  HEIGHT,
                  top,
                  end,
                );
                const area = filled && index === 0 ? drawn.map((points) => svg`<polygon class="area" points=${`${points.split(",")[0]},${HEIGHT} ${points} ${points.split(" ").at(-1)?.split(",")[0]},${HEIGHT}`}/>`) : nothing;
                return svg`${area}${drawn.map((points) => svg`<polyline class=${`line-${look}`} points=${points.includes(" ") ? points : `${points} ${points}`}/>`)}`;
              })}
            </svg>
          </div>
          <p class="axis" aria-hidden="true"><span>0</span><span>${seconds(end)}</span></p>`
        : html`<p class="quiet-text">${d.nothingYet}</p>`
    }
    ${some ? behind(at, all, text) : nothing}
  </figure>`;
}

function behind(at: readonly number[], all: readonly Line[], text: (value: number) => string): TemplateResult {
  const d = t().fleet;
  const step = Math.max(1, Math.ceil(at.length / ROWS));
  const rows = at.map((time, index) => ({ time, index })).filter(({ index }) => index % step === 0 || index === at.length - 1);
  return html`<details class="more"><summary>${d.asTable}</summary>
    <div class="scroll-x" tabindex="0" role="group" aria-label=${d.asTable}>
      <table>
        <thead><tr><th scope="col">${d.at}</th>${all.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${rows.map(({ time, index }) => html`<tr><th scope="row">${seconds(time)}</th>${all.map(({ values }) => html`<td>${values[index] == null ? "–" : text(values[index])}</td>`)}</tr>`)}</tbody>
      </table>
    </div>
  </details>`;
}

export function seconds(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 100) / 10}\u00a0s` : `${Math.floor(ms / 60_000)}:${String(Math.floor((ms / 1000) % 60)).padStart(2, "0")}`;
}

/** A time that something took. */
export function took(ms: number): string {
  if (ms >= 10_000) return `${Math.round(ms / 1000)}\u00a0s`;
  if (ms >= 1_000) return `${Math.round(ms / 100) / 10}\u00a0s`;
  return ms >= 10 ? `${Math.round(ms)}\u00a0ms` : `${Math.round(ms * 10) / 10}\u00a0ms`;
}
