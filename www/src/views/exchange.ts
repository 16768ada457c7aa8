// One request of the owner's app with its answer: decoded, with what was signed, and for a terminal.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../i18n";
import type { Entry } from "../muster/types";
import { latencyText } from "../state/bytes";
import { codeMeaning, gatewayMeaning } from "../state/codes";
import { maskedOf } from "../state/entry";
import { codeOf, curl, pathOfUrl, type Exchange, type HttpEntry } from "../state/exchange";
import type { Owner } from "../state/owner";
import { signedBy } from "../state/signing";
import { say } from "../i18n";
import { View, copyButton, maskedText, segments } from "./base";
import { jsonView, signView } from "./detail";

type Tab = "request" | "response" | "sign" | "curl";

@customElement("m-exchange")
export class ExchangeView extends View {
  exchange!: Exchange;
  owner!: Owner;
  /** Opened from the start. */
  open = false;
  @state() private tab: Tab = "response";
  @state() private shown: { request: Entry | null; response: Entry | null } | null = null;
  @state() private unfolded: boolean | null = null;

  #of = "";

  static override properties = { exchange: { attribute: false }, owner: { attribute: false }, open: { attribute: false } };

  /** What was asked to be shown of one exchange is not of the next one that stands in its place. */
  protected override willUpdate(): void {
    const of = nameOf(this.exchange);
    if (this.#of !== of) this.shown = null;
    this.#of = of;
  }

  override render(): TemplateResult {
    const { exchange } = this;
    const { request, response } = exchange;
    const d = t().bind;
    const code = codeOf(exchange);
    const status = response?.message.status ?? 0;
    const good = code === null ? false : code === "200";
    const open = this.unfolded ?? this.open;
    const outcome = response === null ? d.pending : status === 0 ? d.noAnswer : code === null ? `HTTP ${status}` : d.envelope(code);
    return html`<details class="exchange" data-testid="exchange" data-code=${code ?? String(status)} ?open=${open} @toggle=${(event: Event) => (this.unfolded = (event.target as HTMLDetailsElement).open)}>
      <summary>
        <code>${request.message.method ?? "POST"} ${pathOfUrl(request.message.url ?? "")}</code>
        <span class=${`chip ${response === null ? "run" : good ? "ok" : code === "6608" ? "warn" : "bad"}`}>${outcome}</span>
        ${response?.latency === undefined ? nothing : html`<small>${latencyText(response.latency)}</small>`}
      </summary>
      ${open ? this.#body(exchange, code) : nothing}
    </details>`;
  }

  #body({ request, response }: Exchange, code: string | null): TemplateResult {
    const d = t().bind;
    const { tab } = this;
    const meaning = code === null ? gatewayMeaning(headerOf(response, "x-ca-error-message")) : code === "200" ? undefined : codeMeaning("alibaba", code);
    const masked = maskedOf(request) + (response === null ? 0 : maskedOf(response));
    const tabs = [
      { value: "request" as const, text: d.request, testid: "exchange-request" },
      { value: "response" as const, text: d.response, testid: "exchange-response" },
      { value: "sign" as const, text: d.toSign, testid: "exchange-sign" },
      { value: "curl" as const, text: d.asCurl, testid: "exchange-curl" },
    ];
    return html`<div class="exchange-body">
      ${meaning === undefined ? nothing : html`<p class="caution">${say(meaning)}${meaning.assumed === true ? t().error.assumed : ""}</p>`}
      <div class="detail-bar">
        ${segments<Tab>(d.request, tabs, tab, (to) => (this.tab = to))}
        ${masked > 0 && tab !== "curl" && tab !== "sign" ? html`<button type="button" class="btn reveal" aria-pressed=${this.shown !== null} data-testid="exchange-reveal" @click=${() => this.#toggle()}>${this.shown === null ? t().detail.showSecrets(masked) : t().detail.hideSecrets}</button>` : nothing}
      </div>
      ${this.#pane(tab)}
    </div>`;
  }

  #pane(tab: Tab): unknown {
    const d = t().bind;
    const { exchange, shown } = this;
    const { request, response } = exchange;
    switch (tab) {
      case "request":
        return messageView((shown?.request ?? request) as HttpEntry, shown !== null);
      case "response":
        return response === null ? html`<p class="quiet-text">${d.pending}</p>` : messageView((shown?.response ?? response) as HttpEntry, shown !== null);
      case "sign": {
        const signed = signedBy(request, "alibaba", response ?? undefined);
        return signed === null ? nothing : signView(signed, request);
      }
      case "curl": {
        const text = curl(exchange);
        return html`<p class="quiet-text">${d.curlHelp}</p><div class="pre"><pre tabindex="0" data-testid="exchange-curl-text">${text}</pre>${copyButton(text, d.asCurl)}</div>`;
      }
    }
  }

  async #toggle(): Promise<void> {
    if (this.shown !== null) {
      this.shown = null;
      return;
    }
    const { exchange, owner } = this;
    const look = async (entry: HttpEntry | null) => (entry === null ? null : ((await owner.packet(exchange.life, entry.seq, true).catch(() => undefined))?.entry ?? null));
    const [request, response] = await Promise.all([look(exchange.request), look(exchange.response)]);
    if (nameOf(exchange) === nameOf(this.exchange)) this.shown = { request, response };
  }
}

function nameOf({ life, request }: Exchange): string {
  return `${life}/${request.seq}`;
}

function headerOf(entry: HttpEntry | null, wanted: string): string {
  return entry?.message.headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
}

function messageView(entry: HttpEntry, revealed: boolean): TemplateResult {
  const d = t();
  const { headers, payload, trouble } = entry.message;
  const [what = "", todo = ""] = trouble === undefined ? [] : d.trouble.reason[trouble.reason];
  return html`${trouble === undefined ? nothing : html`<p class="wrong">${what} ${todo}${trouble.detail === undefined ? nothing : html` <code>${trouble.detail}</code>`}</p>`}
    ${headers.length === 0 ? nothing : html`<details class="more"><summary>${d.detail.headers} (${headers.length})</summary><dl class="stack">${headers.map(([name, value]) => html`<dt>${name}</dt><dd>${revealed ? value : maskedText(value)}</dd>`)}</dl></details>`}
    ${payload?.text === undefined ? nothing : html`<div class="pre">${jsonView(payload.text, revealed)}${copyButton(payload.text, d.detail.payload)}</div>`}`;
}

/** All requests of a step, the latest opened. */
export function exchangesView(list: readonly Exchange[], owner: Owner, open: boolean): TemplateResult | typeof nothing {
  const last = list.at(-1);
  if (last === undefined) return nothing;
  const before = list.slice(0, -1);
  return html`${before.length === 0
      ? nothing
      : html`<details class="more"><summary>${t().bind.tries(before.length)}</summary>${before.slice(-50).map((one) => html`<m-exchange .exchange=${one} .owner=${owner}></m-exchange>`)}</details>`}
    <m-exchange .exchange=${last} .owner=${owner} .open=${open}></m-exchange>`;
}
