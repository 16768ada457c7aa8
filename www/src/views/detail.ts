// The detail pane: the selected entry, or the device if none is selected.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { clockText, dateText, say, t, waitText } from "../i18n";
import type { Entry, MqttPacket, PacketLook } from "../muster/types";
import { hexLines, hexText, latencyText, stopwatch } from "../state/bytes";
import { clock } from "../state/clock";
import type { Session } from "../state/devices";
import { explain } from "../state/explain";
import { prettyTokens } from "../state/json";
import { maskedOf, struckBy } from "../state/entry";
import { dots } from "../state/mask";
import { messageText } from "../state/messages";
import { entryText, eventText, faultText, appEventText, hostOf, phaseText } from "../state/texts";
import { signedBy, type Signed } from "../state/signing";
import { stepTimes } from "../state/steps";
import type { EntryRow } from "../state/timeline";
import { View, announce, copyButton, copyText, maskedText, segments } from "./base";
import { ask } from "./dialogs";
import { icon } from "./icons";
import { notLoaded } from "./notices";

type Tab = "decoded" | "bytes" | "both" | "sign" | "compare";

@customElement("m-detail")
export class Detail extends View {
  session!: Session;
  row: EntryRow | undefined;
  @state() private tab: Tab = "decoded";
  /** The packet with its secrets, while the person wants to see them. */
  @state() private revealed: Entry | null = null;
  @state() private bytes: Uint8Array | "gone" | null = null;
  /** Key of what it is compared with, if that is not the marked one. */
  @state() private against: string | null = null;
  @state() private nothingBefore = false;
  #of: string | undefined;
  #shown: Session | undefined;
  #ends: (() => void) | undefined;
  #mark: string | null = null;

  static override properties = { session: { attribute: false }, row: { attribute: false } };

  protected override stores() {
    return [clock];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener("keydown", this.#key);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.removeEventListener("keydown", this.#key);
    this.#ends?.();
    this.#shown = undefined;
  }

  readonly #key = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || this.row === undefined) return;
    const { key } = this.row;
    this.session.update({ selected: null });
    // In a sheet the packet cannot take the focus before the sheet is gone, which then sees to it.
    document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
  };

  protected override willUpdate(): void {
    if (this.#shown !== this.session) {
      const { session } = this;
      this.#ends?.();
      this.#shown = session;
      // An entry does not change; what is known of the device does.
      this.#ends = session.subscribe(() => {
        if (this.row === undefined || session.mark !== this.#mark) this.requestUpdate();
      });
    }
    this.#mark = this.session.mark;
    if (this.#of === this.row?.key) return;
    // Another packet: what was shown of the last one is hidden again.
    this.#of = this.row?.key;
    this.revealed = null;
    this.bytes = null;
    this.against = null;
    this.nothingBefore = false;
    if ((this.tab === "sign" && this.#signed() === null) || (this.tab === "compare" && this.#other() === undefined)) this.tab = "decoded";
    if (this.tab === "bytes" || this.tab === "both") void this.#load(false);
  }

  protected override updated(): void {
    const wide = this.row !== undefined && this.tab === "both" && isPacket(this.row.entry);
    this.closest("m-session")?.classList.toggle("wide", wide);
  }

  override render(): TemplateResult {
    return html`<aside class="detail-body" aria-label=${t().detail.label} data-testid="detail">${this.row === undefined ? this.#overview() : this.#entry(this.row)}</aside>`;
  }

  // ---------- the device ----------

  #overview(): TemplateResult {
    const { session } = this;
    const d = t();
    const { platform, world, settings, storage } = session.plan;
    const { facts } = session;
    const { heartbeat, bindToken } = facts;
    const line = (name: string, value: unknown) => html`<dt>${name}</dt><dd>${value}</dd>`;
    const address = world === "tab" ? d.lanes.inTab : hostOf(settings["broker"] ?? settings["base_url"] ?? "");
    return html`<h2>${d.overview.title}</h2>
      <dl>
        ${line(d.overview.platform, html`<span class="sans">${d.platform[platform].name}</span>`)}
        ${line(d.overview.world, html`<span class="sans">${d.world[world]}</span>`)} ${line(d.overview.product, session.names.product)}
        ${line(d.overview.device, facts.identity?.device ?? session.names.device)} ${line(d.overview.address, address)}
        ${line(d.overview.secretAt, html`<span class="sans">${d.storage[storage]}</span>`)}
        ${facts.update !== null && facts.update.phase === "reported" ? line(d.overview.firmware, facts.update.to) : nothing}
        ${heartbeat === null
          ? nothing
          : line(
              d.overview.heartbeat,
              html`<span class="sans lines-of">${heartbeat.acceptedUnix === null ? nothing : html`<span>${d.overview.accepted(clockText(heartbeat.acceptedUnix))}</span>`}${heartbeat.nextUnix === null || heartbeat.why === "keep_alive"
                ? nothing
                : html`<span>${d.next.heartbeatAt(clockText(heartbeat.nextUnix), waitText(heartbeat.nextUnix - clock.now))}</span>`}<span class="quiet-text">${d.due[heartbeat.why]}</span></span>`,
            )}
        ${bindToken === null || bindToken.until < clock.now ? nothing : line(d.overview.token, html`${bindToken.token} <span class="sans nowrap">${waitText(bindToken.until - clock.now)}</span>`)}
      </dl>
      <p class="tip">${d.overview.hint}</p>
      ${this.#steps()}
      ${session.recording === null ? html`<p class="quiet-text">${storage === "memory" ? d.storage.memoryHelp : d.storage.browserHelp}</p>` : nothing}
      ${session.recording === null && storage === "browser" && !session.running ? html`<button type="button" class="btn" data-testid="forget" @click=${() => this.#forget()}>${d.storage.forget}</button>` : nothing}`;
  }

  /** How long each step of this life took. */
  #steps(): TemplateResult | typeof nothing {
    const { session } = this;
    const d = t();
    const steps = stepTimes(session.log.phases);
    if (steps.length === 0) return nothing;
    const longest = Math.max(1, ...steps.map((step) => step.took ?? 0));
    return html`<section aria-labelledby="steps-title" data-testid="steps"><h3 id="steps-title">${d.timeline.steps}</h3>
      <ol class="step-times">${steps.map(({ phase, took }) => {
        const [title = ""] = phaseText(phase.phase, session.plan.platform, session.plan.settings["registration"] ?? "http");
        return html`<li><span>${title}</span><meter min="0" max=${longest} .value=${took ?? 0} aria-hidden="true"></meter><small>${took === null ? d.phaseState[phase.state] : latencyText(took)}</small></li>`;
      })}</ol>
    </section>`;
  }

  async #forget(): Promise<void> {
    const d = t().storage;
    const answer = await ask({ title: d.forgetTitle, text: d.forgetText, ok: d.forgetOk, danger: true });
    if (answer !== null) await this.session.forget();
  }

  // ---------- an entry ----------

  #entry(row: EntryRow): TemplateResult {
    const d = t().detail;
    const { session } = this;
    const platform = row.side === "app" ? "alibaba" : session.plan.platform;
    const seen = (seq: number) => session.find(`${row.side}:${row.life}:${seq}`)?.entry;
    const about = explain(row.entry, platform, seen);
    const entry = this.revealed ?? row.entry;
    const text = entryText(row.entry, platform);
    const packet = isPacket(row.entry);
    const masked = session.recording === null ? maskedOf(row.entry) : 0;
    const other = this.#other();
    const signed = this.#signed();
    const tab = this.tab === "compare" && other === undefined ? "decoded" : packet || this.tab === "compare" ? this.tab : "decoded";
    const tabs = [
      { value: "decoded" as const, text: d.decoded, testid: "detail-tab-decoded" },
      ...(packet ? [{ value: "bytes" as const, text: d.bytes, testid: "detail-tab-bytes" }, { value: "both" as const, text: d.beside, testid: "detail-tab-both" }] : []),
      ...(signed === null ? [] : [{ value: "sign" as const, text: d.sign, testid: "detail-tab-sign" }]),
      ...(other === undefined ? [] : [{ value: "compare" as const, text: t().compare.tab, testid: "detail-tab-compare" }]),
    ];
    const title = row.entry.kind === "event" || row.entry.kind === "app_event" || row.entry.kind === "store" ? text.strong : say(about.title);
    return html`<header class="detail-head">
        <h2>${title}</h2>
        <span class="detail-nav"><button type="button" class="quiet square" data-testid="detail-prev" aria-label=${t().detail.prev} title=${t().detail.prev} @click=${() => this.#walk(-1)}>${icon("up")}</button><button type="button" class="quiet square" data-testid="detail-next" aria-label=${t().detail.nextEntry} title=${t().detail.nextEntry} @click=${() => this.#walk(1)}>${icon("down")}</button>
        <button type="button" class="quiet square" data-testid="detail-close" aria-label=${t().common.close} title="Esc" @click=${() => session.update({ selected: null })}>${icon("close")}</button></span>
      </header>
      ${tab === "both" ? nothing : this.#facts(entry)}
      ${tabs.length > 1 || masked > 0
        ? html`<div class="detail-bar">
            ${tabs.length > 1 ? segments<Tab>(d.label, tabs, tab, (to) => this.#turn(to)) : nothing}
            ${masked > 0
              ? html`<button type="button" class="btn reveal" aria-pressed=${this.revealed !== null} data-testid="show-secret" @click=${() => this.#toggle()}>${this.revealed === null ? d.showSecrets(masked) : d.hideSecrets}</button>`
              : nothing}
          </div>`
        : nothing}
      ${this.#pane(tab, row, entry, other, signed)} ${this.#acts(row, packet)}
      <div class="tip">${say(about.text)}</div>
      <dl>
        <dt>${d.source}</dt><dd class="sans">${say(about.source)}</dd>
        ${about.assumed === undefined ? nothing : html`<dt>${d.assumed}</dt><dd class="sans">${say(about.assumed)}</dd>`}
      </dl>`;
  }

  #walk(step: 1 | -1): void {
    this.dispatchEvent(new CustomEvent("walk", { detail: step }));
  }

  #signed(): Signed | null {
    const { row, session } = this;
    if (row === undefined) return null;
    return signedBy(row.entry, row.side === "app" ? "alibaba" : session.plan.platform, session.log.answer(row)?.entry);
  }

  /** What it is compared with. */
  #other(): EntryRow | undefined {
    const key = this.against ?? this.session.mark;
    return key === this.row?.key ? undefined : this.session.find(key);
  }

  #turn(tab: Tab): void {
    this.tab = tab;
    if ((tab === "bytes" || tab === "both") && this.bytes === null) void this.#load(this.revealed !== null);
    if (tab === "compare") import("./compare").catch(notLoaded);
  }

  #pane(tab: Tab, row: EntryRow, entry: Entry, other: EntryRow | undefined, signed: Signed | null): unknown {
    switch (tab) {
      case "compare":
        // Of both, what is covered stays covered.
        return other === undefined ? nothing : html`<m-compare .session=${this.session} .there=${other} .here=${row}></m-compare>`;
      case "bytes":
        return this.#bytes();
      case "both":
        return html`<div class="beside"><div>${this.#facts(entry)}${this.#decoded(entry)}</div><div>${this.#bytes()}</div></div>`;
      case "sign":
        return signed === null ? nothing : signView(signed, entry);
      case "decoded":
        return isPacket(row.entry) ? this.#decoded(entry) : this.#plain(entry);
    }
  }

  /** What can be done with an entry. */
  #acts(row: EntryRow, packet: boolean): TemplateResult {
    const d = t();
    const { session } = this;
    const marked = session.mark === row.key;
    return html`<div class="detail-acts">
      <button type="button" class="btn tiny" data-testid="copy-json" @click=${(event: Event) => this.#copy(event, JSON.stringify(row.entry, null, 2))}>${d.detail.copyJson}</button>
      ${packet && session.recording === null ? html`<button type="button" class="btn tiny" data-testid="copy-hex" @click=${this.#copyHex}>${d.detail.copyHex}</button>` : nothing}
      <button type="button" class="btn tiny" data-testid="mark" aria-pressed=${marked} @click=${() => session.update({ mark: marked ? null : row.key })}>${marked ? d.compare.unmark : d.compare.mark}</button>
      <button type="button" class="btn tiny" data-testid="compare-before" title=${d.compare.beforeHelp} @click=${() => this.#compareBefore(row)}>${d.compare.before}</button>
    </div>
    ${marked ? html`<p class="quiet-text" role="status">${d.compare.marked}</p>` : nothing}${this.nothingBefore ? html`<p class="quiet-text" role="status">${d.compare.nothingBefore}</p>` : nothing}`;
  }

  #compareBefore(row: EntryRow): void {
    const before = this.session.log.before(row);
    this.nothingBefore = before === undefined;
    if (before === undefined) return;
    this.against = before.key;
    this.#turn("compare");
  }

  async #copy(event: Event, text: string): Promise<void> {
    const button = event.currentTarget as HTMLElement;
    if (!(await copyText(text))) return;
    announce(t().common.copied);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1_500);
  }

  readonly #copyHex = async (event: Event) => {
    const button = event.currentTarget as HTMLElement;
    if (this.bytes === null) await this.#load(this.revealed !== null);
    if (this.bytes === null || this.bytes === "gone") return;
    await this.#copy({ currentTarget: button } as unknown as Event, hexText(this.bytes));
  };

  async #toggle(): Promise<void> {
    if (this.revealed !== null) {
      this.revealed = null;
      this.bytes = null;
      if (this.tab === "bytes" || this.tab === "both") await this.#load(false);
      return;
    }
    const look = await this.#load(true);
    if (look !== undefined) this.revealed = look.entry;
  }

  async #load(reveal: boolean): Promise<PacketLook | undefined> {
    const { row } = this;
    if (row === undefined) return undefined;
    const look = await this.session.packet(row, reveal).catch(() => undefined);
    if (this.row?.key !== row.key) return undefined;
    this.bytes = look?.bytes ?? "gone";
    return look;
  }

  #facts(whole: Entry): TemplateResult {
    if (whole.kind === "fault") {
      const { rule, detail, done } = whole;
      const struck = struckBy(whole);
      return html`<dl><dt>${t().faults.entry}</dt><dd>${faultText(done)}</dd><dt>${t().faults.rule}</dt><dd>${rule}</dd>${detail === undefined ? nothing : html`<dt>${t().faults.change}</dt><dd>${detail}</dd>`}</dl>${struck.kind === "fault" ? nothing : this.#facts(struck)}`;
    }
    const entry = whole;
    const d = t().detail;
    const line = (name: string, value: unknown) => html`<dt>${name}</dt><dd>${value}</dd>`;
    const when = line(d.at, html`${stopwatch(entry.at)} <span class="sans">· ${clockText(entry.unix)}</span>`);
    switch (entry.kind) {
      case "mqtt": {
        const p = entry.packet;
        return html`<dl>
          ${line(d.packet, packetLine(p))} ${p.topic === undefined ? nothing : line(d.topic, html`${p.topic}${copyButton(p.topic, d.topic)}`)}
          ${p.client_id === undefined ? nothing : line(d.clientId, maskedText(p.client_id))} ${p.username === undefined ? nothing : line(d.username, maskedText(p.username))}
          ${p.password === undefined ? nothing : line(d.password, this.#secret(p.password))} ${p.keep_alive === undefined ? nothing : line(d.keepAlive, `${p.keep_alive} s`)}
          ${p.return_code === undefined ? nothing : line(d.returnCode, String(p.return_code))} ${this.#latency(p.latency)} ${line(d.size, d.bytesOf(p.size))} ${when}
        </dl>`;
      }
      case "http": {
        const m = entry.message;
        return html`<dl>
          ${m.url === undefined ? nothing : line(d.request, html`${m.method ?? ""} ${maskedText(m.url)}`)} ${m.relay === true ? line(t().relay.road, t().relay.roadText) : nothing} ${m.status === undefined ? nothing : line(d.status, String(m.status))}
          ${this.#latency(entry.latency)} ${line(d.size, d.bytesOf(m.size))} ${when}
        </dl>`;
      }
      case "store":
        return html`<dl>
          ${line(d.key, entry.key)} ${line(d.outcome, entry.outcome === "done" ? d.done : d.failed)} ${entry.reason === undefined ? nothing : line(d.reason, entry.reason)}
          ${entry.action === "put" ? line(d.size, d.bytesOf(entry.size)) : nothing} ${line(d.latency, latencyText(entry.latency))} ${when}
        </dl>`;
      case "install":
        return html`<dl>${line(d.version, entry.version)} ${line(d.size, d.bytesOf(entry.size))} ${line(d.sha256, entry.sha256)} ${entry.reason === undefined ? nothing : line(d.reason, entry.reason)} ${when}</dl>`;
      case "link":
        return html`<dl>${line(d.url, entry.url)} ${entry.relay === true ? line(t().relay.road, t().relay.roadText) : nothing} ${entry.trouble?.detail === undefined ? nothing : line(d.reason, entry.trouble.detail)} ${when}</dl>`;
      default:
        return html`<dl>${when}</dl>`;
    }
  }

  #latency(ms: number | undefined): TemplateResult | typeof nothing {
    if (ms === undefined) return nothing;
    const d = t().detail;
    return html`<dt>${d.latency}</dt><dd class="sans">${d.after(latencyText(ms))}</dd>`;
  }

  #secret(text: string): TemplateResult {
    return maskedText(text);
  }

  #decoded(whole: Entry): TemplateResult {
    const entry = struckBy(whole);
    const d = t().detail;
    const message = entry.kind === "mqtt" ? entry.packet : entry.kind === "http" ? entry.message : undefined;
    const headers = entry.kind === "http" ? entry.message.headers : [];
    const payload = message?.payload;
    return html`${headers.length === 0
      ? nothing
      : html`<details class="more"><summary>${d.headers} (${headers.length})</summary><dl class="stack">${headers.map(([name, value]) => html`<dt>${name}</dt><dd>${maskedText(value)}</dd>`)}</dl></details>`}
    ${entry.kind === "http" && entry.message.trouble !== undefined ? html`<p>${t().trouble.reason[entry.message.trouble.reason][0]}${entry.message.trouble.detail === undefined ? nothing : html` <code>${entry.message.trouble.detail}</code>`}</p>` : nothing}
    ${payload === undefined
      ? nothing
      : payload.text === undefined
        ? html`<p class="quiet-text">${d.binary(payload.size)}</p>`
        : html`<div class="pre">${jsonView(payload.text, this.revealed !== null)}${copyButton(payload.text, d.payload)}</div>`}`;
  }

  #plain(entry: Entry): TemplateResult | typeof nothing {
    if (entry.kind === "event") {
      const text = entry.event.event === "properties_set" ? entry.event.json : JSON.stringify(entry.event);
      return html`<p>${eventText(entry.event, this.session.plan.platform)}</p><div class="pre">${jsonView(text, false)}</div>`;
    }
    if (entry.kind === "app_event") return html`<p>${appEventText(entry.event)}</p><div class="pre">${jsonView(JSON.stringify(entry.event), false)}</div>`;
    if (entry.kind === "reply") return html`<div class="pre">${jsonView(JSON.stringify(entry.result), false)}</div>`;
    if (entry.kind === "link" && entry.trouble !== undefined) return html`<p>${t().trouble.reason[entry.trouble.reason][0]}</p>`;
    if (entry.kind === "misuse") return html`<p>${messageText(entry.message)}</p>`;
    return nothing;
  }

  #bytes(): TemplateResult {
    const d = t().detail;
    const { bytes } = this;
    if (bytes === null) return html`<p class="quiet-text">${t().common.loading}</p>`;
    if (bytes === "gone") return html`<p class="quiet-text">${this.session.recording === null ? d.gone : t().recording.noBytes}</p>`;
    const lines = hexLines(bytes);
    return html`<pre class="hex" tabindex="0" aria-label=${d.bytes}>${lines.map((line) => html`<span class="off">${line.offset}</span>  ${line.hex}  <span class="asc">${line.text}</span>\n`)}</pre>
      ${bytes.length > 8192 ? html`<p class="quiet-text">${d.cut(bytes.length)}</p>` : nothing}`;
  }
}

function isPacket(struck: Entry): boolean {
  const entry = struckBy(struck);
  return entry.kind === "mqtt" || entry.kind === "http";
}

/** What was signed, with which secret, and by which clock. */
export function signView(signed: Signed, entry: Entry): TemplateResult {
  const d = t().signed;
  const line = (name: string, value: unknown) => html`<dt>${name}</dt><dd class="sans">${value}</dd>`;
  const { clock, server } = signed;
  const apart = server === null ? "" : Math.abs(server) <= 1_000 ? d.serverSame : (server > 0 ? d.serverAhead : d.serverDrift)(waitText(Math.abs(server)));
  return html`<dl data-testid="signed" data-clock=${clock.kind}>
      ${line(d.by, d.key[signed.key])} ${line(d.method, signed.method)}
      ${line(d.clock, clock.kind === "wall" ? html`${d.wall(momentText(clock.unix))}<br /><span class="quiet-text">${clock.drift === 0 ? d.atOnce : (clock.drift > 0 ? d.drift : d.ahead)(latencyText(Math.abs(clock.drift)))}</span>` : d[clock.kind])}
      ${clock.kind === "wall" ? line(d.where, d.fields[clock.field]) : nothing} ${server === null ? nothing : line(d.server, apart)}
      ${signed.nonce === null ? nothing : line(d.nonce, html`<code>${signed.nonce}</code>`)}
    </dl>
    <div class="pre"><ol class="lines" aria-label=${t().detail.sign}>${signed.string.split("\n").map((text) => html`<li><span>${maskedText(text)}</span></li>`)}</ol>${copyButton(signed.string, t().detail.sign)}</div>
    ${entry.kind === "http" && entry.message.string_to_sign !== undefined ? nothing : html`<p class="quiet-text">${d.rebuilt}</p>`}`;
}

/** Date and time of day to the millisecond. */
function momentText(unix: number): string {
  return `${dateText(unix)}.${String(unix % 1_000).padStart(3, "0")}`;
}

function packetLine(p: MqttPacket): string {
  const d = t().detail;
  const parts = [p.type as string];
  if (p.qos !== undefined) parts.push(`${d.qos} ${p.qos}`);
  if (p.packet_id !== undefined) parts.push(`id ${p.packet_id}`);
  if (p.retain === true) parts.push(d.retain);
  if (p.dup === true) parts.push(d.dup);
  return parts.join(", ");
}

/** Pretty JSON with its secrets as dots; any other text as it is. */
export function jsonView(text: string, revealed: boolean): TemplateResult {
  const tokens = prettyTokens(text);
  if (tokens === undefined) return html`<pre tabindex="0">${revealed ? text : maskedText(text)}</pre>`;
  return html`<pre tabindex="0">${tokens.map((token) => {
    switch (token.kind) {
      case "mask":
        return html`<span class="mask" data-testid="mask">${dots(token.text.slice(1, -1))}</span>`;
      case "space":
      case "punct":
        return token.text;
      default:
        return html`<span class=${`j-${token.kind}`}>${token.text}</span>`;
    }
  })}</pre>`;
}
