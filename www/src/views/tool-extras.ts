// What calculators show beside values and steps: numbers taken apart, lists, partitions, times, topics.

import { html, nothing, type TemplateResult } from "lit";
import { t, waitText } from "../i18n";
import { hexLines, sizeText } from "../state/bytes";
import { luhn } from "../state/luhn";
import { messageText } from "../state/messages";
import { listCsv, type Listed } from "../state/number-list";
import { forms, readMoment, type Form } from "../state/times";
import { isName, topicsOf } from "../state/topics";
import type { NvsPartition, PlatformName } from "../muster/types";
import { copyButton } from "./base";
import { icon } from "./icons";
import { saveFile } from "./save";

/** Rows of a list that are drawn; all are in the CSV. */
const DRAWN = 500;

/** An IMEI's or a CMEI's parts and its check digit, digit by digit. */
export function numberView(kind: "imei" | "cmei", number: string): TemplateResult | typeof nothing {
  if (!/^\d{15}$/.test(number)) return nothing;
  const d = t().calculators;
  const { digits, total, check } = luhn(number.slice(0, 14));
  const last = Number(number[14]);
  const row = (name: string, cell: (i: number) => unknown) => html`<tr><th scope="row">${name}</th>${digits.map((digit, i) => html`<td class=${digit.doubled ? "twice" : ""}>${cell(i)}</td>`)}</tr>`;
  return html`<h3>${d.parts.title}</h3>
    <p class="tool-parts" data-testid="tool-parts"><span>${number.slice(0, 8)}</span><span>${number.slice(8, 14)}</span><span>${number.slice(14)}</span></p>
    <ul class="quiet-text">
      <li>${kind === "imei" ? `${d.parts.tac} ${d.parts.tacReporting(number.slice(0, 2))}` : d.parts.tui}</li>
      <li>${d.parts.serial}</li>
      <li>${d.parts.check} ${kind === "cmei" ? d.luhn.freeDigit : ""}</li>
    </ul>
    <h3>${d.luhn.title}</h3>
    <p class="quiet-text">${d.luhn.lead}</p>
    <div class="tool-scroll" tabindex="0" role="group" aria-label=${d.luhn.title}><table class="luhn" data-testid="tool-luhn">
      <tbody>${row(d.luhn.position, (i) => i + 1)}${row(d.luhn.digit, (i) => digits[i]?.digit)}${row(d.luhn.weight, (i) => (digits[i]?.doubled === true ? "×2" : "×1"))}${row(d.luhn.product, (i) => digits[i]?.product)}${row(d.luhn.counts, (i) => digits[i]?.sum)}</tbody>
    </table></div>
    <p data-testid="tool-luhn-check" data-check=${check}>${d.luhn.total(total, check)} <b class=${check === last ? "verdict-ok" : "verdict-warn"}>${check === last ? d.luhn.fits(last) : d.luhn.other(last, check)}</b></p>`;
}

export function listView(rows: readonly Listed[], left: number): TemplateResult {
  const d = t().calculators.list;
  const count = (of: (row: Listed) => boolean) => rows.filter(of).length;
  const verdict = (row: Listed) =>
    row.twice !== null
      ? html`<span class="verdict-bad">${d.again(row.twice)}</span>`
      : !row.valid
        ? html`<span class="verdict-bad">${row.why === "" ? d.invalid : d.because(messageText(row.why))}</span>`
        : row.luhn === false
          ? html`<span class="verdict-warn">${d.oddDigit}</span>`
          : html`<span class="verdict-ok">${d.valid}</span>`;
  return html`<div class="stack" data-testid="tool-list">
    <p data-testid="tool-list-summary"><b>${d.title(rows.length)}</b>: ${d.good(count((row) => row.valid))}, ${d.bad(count((row) => !row.valid))}, ${d.twice(count((row) => row.twice !== null))}, ${d.odd(count((row) => row.valid && row.luhn === false))}</p>
    ${left > 0 ? html`<p class="caution">${d.most(rows.length)}</p>` : nothing}
    <div class="buttons start"><button type="button" class="btn" data-testid="tool-csv" @click=${() => saveFile("numbers.csv", "text/csv", [listCsv(rows)])}>${icon("download")}${d.csv}</button></div>
    <div class="tool-scroll" tabindex="0" role="group" aria-label=${d.title(rows.length)}><table class="tool-table">
      <thead><tr><th scope="col" class="num">${d.line}</th><th scope="col">${d.number}</th><th scope="col">${d.verdict}</th></tr></thead>
      <tbody>${rows.slice(0, DRAWN).map((row) => html`<tr data-line=${row.line} data-valid=${row.valid}><td class="num">${row.line}</td><td><code>${row.number}</code></td><td>${verdict(row)}</td></tr>`)}</tbody>
    </table></div>
    ${rows.length > DRAWN ? html`<p class="quiet-text">${d.more(rows.length - DRAWN)}</p>` : nothing}
  </div>`;
}

export function nvsView(partition: NvsPartition): TemplateResult {
  const d = t().calculators.nvs;
  const { bytes, places, pages, pages_used, read_only } = partition;
  return html`<div class="stack" data-testid="tool-nvs">
    <p data-testid="tool-nvs-summary">${d.summary(sizeText(bytes.length), pages_used, pages)}</p>
    ${read_only ? html`<p class="caution">${d.readOnly}</p>` : nothing}
    <div class="buttons start"><button type="button" class="btn pri" data-testid="tool-image" @click=${() => saveFile("nvs.bin", "application/octet-stream", [bytes as Uint8Array<ArrayBuffer>])}>${icon("download")}${d.download}</button></div>
    <h3>${d.places}</h3>
    <div class="tool-scroll" tabindex="0" role="group" aria-label=${d.places}><table class="tool-table">
      <thead><tr>${[d.page, d.entry, d.offset, d.span].map((name) => html`<th scope="col" class="num">${name}</th>`)}<th scope="col">${d.namespace}</th><th scope="col">${d.key}</th><th scope="col">${d.kind}</th><th scope="col" class="num">${d.bytes}</th></tr></thead>
      <tbody>${places.map((place) => html`<tr data-key=${place.key}><td class="num">${place.page}</td><td class="num">${place.entry}</td><td class="num"><code>0x${place.offset.toString(16)}</code></td><td class="num">${place.span}</td><td><code>${place.namespace}</code></td><td><code>${place.key}</code></td><td><code>${place.kind}</code></td><td class="num">${place.bytes}</td></tr>`)}</tbody>
    </table></div>
    <h3>${d.hex}</h3>
    <div class="pre"><pre tabindex="0">${hexLines(bytes, 16, 64).map((line) => `${line.offset}  ${line.hex}`).join("\n")}</pre></div>
  </div>`;
}

const FORMS: readonly Form[] = ["seconds", "milliseconds", "iso", "china", "local", "date", "day", "hex"];

export function timeView(text: string, now: number, set: (text: string) => void): { input: TemplateResult; result: TemplateResult } {
  const d = t().calculators.time;
  const moment = readMoment(text, now);
  const input = html`<div class="tool-field"><label for="tool-time">${d.input}</label>
    <span class="with-button"><input id="tool-time" class="mono" data-testid="tool-input-time" autocomplete="off" spellcheck="false" aria-invalid=${moment === null} aria-describedby="tool-time-wrong" .value=${text} @input=${(event: Event) => set((event.target as HTMLInputElement).value)} />
    <button type="button" class="btn" data-testid="tool-now" @click=${() => set(String(Date.now()))}>${d.now}</button></span>
    <p class="wrong" id="tool-time-wrong" data-testid="tool-wrong-time">${moment === null ? d.wrong : ""}</p></div>`;
  if (moment === null) return { input, result: html`` };
  const all = forms(moment.unix);
  const away = Math.abs(moment.unix - now);
  return {
    input,
    result: html`<div class="stack" data-testid="tool-result">
      <p class="quiet-text" data-testid="tool-time-read" data-read=${moment.read}>${d.read[moment.read]} ${away > 60_000 ? d.away(waitText(away)) : ""}</p>
      <dl class="stack">${FORMS.map((form) => html`<dt>${d.form[form]}</dt><dd data-name=${form}>${all[form]}${copyButton(all[form], d.form[form])}</dd>`)}</dl>
      <h3>${d.uses}</h3>
      <ul class="quiet-text">${Object.values(d.who).map((who) => html`<li>${who}</li>`)}</ul>
    </div>`,
  };
}

export function topicsView(platform: PlatformName, product: string, device: string): TemplateResult {
  const d = t().calculators.topics;
  if (!isName(product) || !isName(device)) return html`<p class="wrong" role="alert" data-testid="tool-error">${d.wrong}</p>`;
  const topics = topicsOf(platform, product, device);
  return html`<div class="stack" data-testid="tool-result">
    ${platform === "cmcc" ? html`<p class="quiet-text">${d.none}</p>` : nothing}
    <div class="tool-scroll" tabindex="0" role="group" aria-label=${d.topic}><table class="tool-table">
      <thead><tr><th scope="col">${d.topic}</th><th scope="col">${d.meaning}</th></tr></thead>
      <tbody>${topics.map((topic) => html`<tr data-topic=${topic.topic}><td><code>${topic.topic}</code>${copyButton(topic.topic)}</td><td>${d.what[topic.use]}<br /><small>${topic.up ? d.up : d.down}</small></td></tr>`)}</tbody>
    </table></div>
  </div>`;
}
