// The devices of a product: found, filtered, sorted, chosen; and beside them the one that is looked at.

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { clockText, dateText, t, waitText } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { DeviceView } from "../../muster/types";
import { causeCode, percentOf } from "../../state/campaigns";
import { clock } from "../../state/clock";
import { messageText } from "../../state/messages";
import { MOST, operate } from "../../state/operate";
import { EVERYTHING, STATES, isState, type DeviceState, type SortBy } from "../../state/roster";
import { formatRoute } from "../../state/router";
import { STATE_WORDS } from "../../state/vendor";
import { View, copyButton, segments } from "../base";
import { jsonView } from "../detail";
import { icon } from "../icons";
import { announceDevice, disable, remove, reset, setProperties } from "./acts";
import type { Cell, Column } from "./grid";
import { secretView } from "./secret";

const TONES: Record<string, string> = { online: "ok", disabled: "bad", offline: "quiet", inactive: "quiet" };

/** The state, in the language in use, with the vendor's word and what it means behind it. */
export function stateChip(state: string): TemplateResult {
  const meaning = o().stateOf[operate.platform]?.[state] ?? "";
  const word = isState(state) ? STATE_WORDS[operate.platform][state] : null;
  return html`<span class=${`chip ${TONES[state] ?? "quiet"}`} title=${word === null ? meaning : `${word}: ${meaning}`}>${t().cloud.states[state] ?? state}</span>`;
}

export function seenText(at: number | null, now: number): string {
  if (at === null) return t().cloud.never;
  const ago = now - at;
  return ago < 5_000 ? o().now : o().ago(waitText(ago));
}

/** Why an update failed: the vendor's number with its meaning, or what the cloud says. */
export function causeText(cause: string): string {
  const d = o().firmware;
  if (cause === "") return d.noReason;
  const code = causeCode(operate.platform, cause);
  const meaning = code === null ? undefined : d.cause[operate.platform]?.[String(code)];
  return meaning === undefined ? messageText(cause) : `${code}: ${meaning}`;
}

@customElement("m-op-devices")
export class Devices extends View {
  protected override stores() {
    return [operate, clock];
  }

  #seen: string | null = null;

  protected override updated(): void {
    const { open } = operate;
    // Where there is little room the device stands above the list.
    if (open !== this.#seen && open !== null && matchMedia("(max-width: 1080px)").matches) this.querySelector(".device-pane")?.scrollIntoView({ block: "start" });
    this.#seen = open;
    const all = this.querySelector<HTMLInputElement>("[data-testid=tick-all]");
    if (all === null) return;
    const { shown, chosen } = operate;
    const count = chosen.size === 0 ? 0 : shown.reduce((sum, device) => sum + Number(chosen.has(device.name)), 0);
    all.checked = count > 0 && count === shown.length;
    all.indeterminate = count > 0 && count < shown.length;
  }

  override render(): TemplateResult {
    const d = t();
    const { shown, total, wanted, open, loaded, roster } = operate;
    const device = open === null ? undefined : roster.get(open);
    return html`<div class=${`op-devices${device === undefined ? "" : " opened-device"}`}>
      <section class="box" aria-labelledby="devices-title">
        <div class="box-head">
          <h2 id="devices-title">${o().sections.devices}</h2>
          <span class="quiet-text" data-testid="device-count">${loaded === null ? o().found(shown.length, roster.size) : o().coming(loaded, total)}</span>
        </div>
        <div class="op-filters">
          ${segments<DeviceState | "all">(
            o().filterState,
            (["all", ...STATES] as const).map((value) => ({ value, text: value === "all" ? o().all : html`${d.cloud.states[value]} <small>${roster.counts[value].toLocaleString()}</small>`, testid: `state-${value}` })),
            wanted.state ?? "all",
            (value) => operate.want({ state: value === "all" ? null : value }),
          )}
          <label class="search">${icon("search")}<input type="search" data-testid="device-search" aria-label=${o().search} placeholder=${o().searchDevices} .value=${wanted.text} @input=${(event: Event) => operate.want({ text: (event.target as HTMLInputElement).value })} autocomplete="off" spellcheck="false" /></label>
        </div>
        ${roster.size > 0 && total > MOST ? html`<p class="caution">${o().tooMany(MOST)}</p>` : nothing}
        ${this.#chosen()}
        ${roster.size === 0
          ? html`<p class="quiet-text">${loaded === null ? d.cloud.noDevices : d.common.loading}</p>`
          : html`<m-grid .label=${o().sections.devices} .columns=${this.#columns()} .template=${"20px minmax(120px, 2fr) 84px minmax(60px, 1fr) 104px"} .narrow=${"20px minmax(0, 1fr) 84px"} .rows=${shown} .key=${nameOf} .cell=${this.#cell} .at=${open}></m-grid>
              ${shown.length === 0 ? html`<p class="quiet-text">${o().noneFound} <button type="button" class="btn tiny" @click=${() => operate.want(EVERYTHING)}>${o().all}</button></p>` : nothing}`}
        <details class="more"><summary>${o().states}</summary><dl class="meanings">${STATES.map((state) => {
          const word = STATE_WORDS[operate.platform][state];
          return html`<dt>${stateChip(state)}</dt><dd class="sans">${o().stateOf[operate.platform]?.[state]}${word === null ? nothing : html` <span class="quiet-text">${o().vendorWord}: <span lang=${operate.platform === "alibaba" ? "en" : "zh"}>${word}</span></span>`}</dd>`;
        })}</dl></details>
      </section>
      ${device === undefined ? nothing : this.#device(device)}
    </div>`;
  }

  // ---------- the list ----------

  #columns(): Column[] {
    const d = t();
    const sorted = (by: SortBy, text: string): TemplateResult => {
      const { sort, down } = operate.wanted;
      const on = sort === by;
      return html`<button type="button" class="sort" data-testid=${`sort-${by}`} aria-label=${o().sortBy(text)} aria-pressed=${on} @click=${() => operate.want(on ? { down: !down } : { sort: by, down: false })}>${text}${on ? icon(down ? "up" : "down") : nothing}</button>`;
    };
    return [
      { head: html`<input type="checkbox" data-testid="tick-all" aria-label=${o().tickAll} @change=${(event: Event) => operate.tick(operate.shown.map(nameOf), (event.target as HTMLInputElement).checked)} />` },
      { head: sorted("name", d.cloud.name) },
      { head: sorted("state", d.cloud.state) },
      { head: sorted("version", d.cloud.version), class: "wide-cell" },
      { head: sorted("seen", d.cloud.lastSeen), class: "wide-cell" },
    ];
  }

  readonly #cell = (device: DeviceView, first: boolean): Cell => {
    const d = t();
    const { name } = device;
    const on = operate.open === name;
    const tab = first ? 0 : -1;
    return {
      on,
      attributes: { testid: "device-row", name, state: device.state },
      cells: [
        html`<input type="checkbox" data-testid="tick" tabindex=${tab} aria-label=${d.cloud.select(name)} .checked=${operate.chosen.has(name)} @change=${(event: Event) => operate.tick([name], (event.target as HTMLInputElement).checked)} />`,
        html`<button type="button" class="open-row" data-go tabindex=${tab} aria-expanded=${on} data-testid="device-open" @click=${() => operate.look(on ? null : name)}><code>${name}</code></button>`,
        stateChip(device.state),
        device.version ?? "–",
        html`<time title=${device.last_active === null ? "" : dateText(device.last_active)}>${seenText(device.last_active, clock.now)}</time>`,
      ],
    };
  };

  #chosen(): TemplateResult | typeof nothing {
    const d = t();
    const { ticked } = operate;
    if (ticked.length === 0) return nothing;
    return html`<div class="op-filters chosen" role="group" aria-label=${o().chosen(ticked.length)}>
      <b data-testid="chosen-count">${o().chosen(ticked.length)}</b>
      <button type="button" class="btn" data-testid="bulk-disable" @click=${() => disable(ticked, true)}>${d.cloud.disable}</button>
      <button type="button" class="btn" data-testid="bulk-enable" @click=${() => disable(ticked, false)}>${d.cloud.enable}</button>
      <button type="button" class="btn" data-testid="bulk-reset" @click=${() => reset(ticked)}>${d.cloud.reset}</button>
      <button type="button" class="btn" data-testid="bulk-delete" @click=${() => remove(ticked)}>${d.cloud.delete}</button>
      ${operate.platform === "cmcc" ? nothing : html`<a class="btn" data-testid="bulk-push" href=${formatRoute("cloud", [operate.platform, "firmware"], { product: operate.product })}>${o().pushTo}</a>`}
      <button type="button" class="quiet" data-testid="bulk-none" @click=${() => operate.tick(operate.chosen, false)}>${o().unchoose}</button>
    </div>`;
  }

  // ---------- one of them ----------

  #device(device: DeviceView): TemplateResult {
    const d = t();
    const { platform, product } = operate;
    const { name } = device;
    const disabled = device.state === "disabled";
    const settable = platform === "ucloud" || platform === "alibaba";
    const update = operate.upgrades.find((upgrade) => upgrade.device === name);
    const percent = update === undefined ? null : percentOf(update);
    const lines = operate.log.of(platform, `${product}/${name}`, 30);
    const reports = operate.reports;
    const announced = device.more["announced"] === "true";
    return html`<section class="box device-pane" aria-labelledby="device-title" data-testid="device-more" data-name=${name}>
      <div class="box-head"><h2 id="device-title"><code>${name}</code></h2>${copyButton(name, d.cloud.name)}<span class="grow"></span>
        <button type="button" class="quiet square" data-testid="device-close" aria-label=${o().close} @click=${() => operate.look(null)}>${icon("close")}</button></div>
      <div class="buttons start">
        <button type="button" class="btn" data-testid="disable" @click=${() => disable([name], !disabled)}>${disabled ? d.cloud.enable : d.cloud.disable}</button>
        ${settable ? html`<button type="button" class="btn" data-testid="set-properties" ?disabled=${device.state !== "online"} @click=${() => setProperties(name)}>${o().properties}</button>` : nothing}
        ${platform === "cmcc" ? nothing : html`<a class="btn" data-testid="push-one" href=${formatRoute("cloud", [platform, "firmware"], { product })} @click=${() => this.#only(name)}>${o().pushTo}</a>`}
        ${platform === "alibaba" ? html`<button type="button" class="btn" data-testid="announce" @click=${() => announceDevice(name, !announced)}>${announced ? o().unannounce : o().announce}</button>${bindLink()}` : nothing}
        <button type="button" class="btn" data-testid="reset" @click=${() => reset([name])}>${d.cloud.reset}</button>
        <button type="button" class="btn" data-testid="delete" @click=${() => remove([name])}>${d.cloud.delete}</button>
      </div>
      <dl>
        <dt>${d.cloud.state}</dt><dd class="sans">${stateChip(device.state)} <span class="quiet-text">${o().stateOf[platform]?.[device.state]}</span></dd>
        <dt>${d.cloud.lastSeen}</dt><dd class="sans">${device.last_active === null ? d.cloud.never : `${dateText(device.last_active)} (${seenText(device.last_active, clock.now)})`}</dd>
        <dt>${o().versionOf}</dt><dd>${device.version ?? "–"}</dd>
        <dt>${d.cloud.secret}</dt><dd>${secretView(name, d.cloud.secret)}</dd>
        ${Object.entries(device.more).map(([key, value]) => html`<dt>${moreName(key)}</dt><dd>${moreValue(key, value)}</dd>`)}
        ${update === undefined ? nothing : html`<dt>${o().itsUpdates}</dt><dd class="sans" data-testid="device-update" data-state=${update.state}>${update.version}: ${o().firmware.stages[update.state] ?? update.state}${percent !== null ? ` ${percent} %` : update.state === "failed" ? ` (${causeText(update.detail)})` : ""}</dd>`}
      </dl>
      <div class="reports" data-testid="reports">
        <h3>${d.cloud.reports}</h3>
        ${reports === null
          ? html`<p class="quiet-text">${d.common.loading}</p>`
          : reports.length === 0
            ? html`<p class="quiet-text">${d.cloud.noReports}</p>`
            : reports.slice(0, 20).map((report, at) => html`<details class="more" ?open=${at === 0} data-testid="report"><summary><time>${clockText(report.at)}</time> <code>${firstLine(report.json)}</code></summary><div class="pre">${jsonView(report.json, false)}${copyButton(report.json, d.cloud.reports)}</div></details>`)}
      </div>
      <div class="reports">
        <h3>${o().itsLog}</h3>
        ${lines.length === 0 ? html`<p class="quiet-text">${o().noLines}</p>` : html`<ul class="said">${lines.map((line) => html`<li><time>${clockText(line.unix)}</time> <b class=${`what ${line.what}`}>${d.cloud.what[line.what] ?? line.what}</b> <span lang="en">${line.detail}</span></li>`)}</ul>`}
      </div>
    </section>`;
  }

  /** What follows is for this one alone. */
  #only(name: string): void {
    operate.tick(operate.chosen, false);
    operate.tick([name], true);
  }
}

/** To the owner's side of this page. */
export function bindLink(): TemplateResult {
  return html`<a class="btn" data-testid="bind-link" href=${formatRoute("bind")}>${o().bindIt}</a>`;
}

function nameOf(device: DeviceView): string {
  return device.name;
}

/** What a cloud says of a device besides: in words, or as its documents call it. */
function moreName(key: string): string | TemplateResult {
  const module = /^version (.+)$/.exec(key)?.[1];
  return module !== undefined ? html`${t().cloud.version} <code>${module}</code>` : (o().more[key] ?? html`<code>${key}</code>`);
}

function moreValue(key: string, value: string): string | TemplateResult {
  const text = isTime(key, value) ? dateText(Number(value)) : key === "orders_sent" ? value.replace(" of ", " / ") : o().moreValue[value];
  return text === undefined ? value : html`<span class="sans">${text}</span>`;
}

function isTime(key: string, value: string): boolean {
  return /^1\d{12}$/.test(value) && /report|activated/.test(key);
}

/** The beginning of a report, for its line. */
function firstLine(json: string): string {
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}

