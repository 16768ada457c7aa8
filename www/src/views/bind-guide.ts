// Which device, and its bind step by step: what was asked, what came back, and what the device did meanwhile.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { clockText, t, waitText } from "../i18n";
import type { DeviceNameOf } from "../muster/types";
import { MOST_PASTED, type Desk, type Left, type WifiForm } from "../state/bind";
import { failedStep, nextOf, type Run, type RunStep } from "../state/bindrun";
import { latencyText } from "../state/bytes";
import { clock } from "../state/clock";
import { devices, type Session } from "../state/devices";
import { nameOf, sameDevice, type Enrollee, type Verdict } from "../state/enrollees";
import { groupOf } from "../state/entry";
import { rowUnix } from "../state/log";
import { router } from "../state/router";
import { bindFailureText, entryText, errorText } from "../state/texts";
import type { EntryRow } from "../state/timeline";
import { announce, copyButton, segments } from "./base";
import { DeskView } from "./desk";
import { exchangesView } from "./exchange";
import { jsonView } from "./detail";
import { icon } from "./icons";

/** Of what the device did in a step. */
const MEANWHILE = 8;
const SIZES = ["5", "10", "20", "50", "99"];

@customElement("m-bind-guide")
export class BindGuide extends DeskView {
  @state() private size = 10;
  @state() private revealed = false;
  #countdowns = new Map<string, Left["state"]>();
  #word: string | null = null;

  protected override stores() {
    return [clock];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { product, device } = router.route.query;
    if (product !== undefined && device !== undefined && product !== "" && device !== "") {
      const named = { product_key: product, device_name: device };
      if (!this.desk.rows.some((row) => sameDevice(row.device, named))) this.desk.paste(`${product}/${device}`);
      this.desk.set("chosen", named);
    }
  }

  protected override willUpdate(): void {
    super.willUpdate();
    const { desk } = this;
    // The only device there is needs no choosing.
    const [only, ...others] = desk.rows;
    if (desk.chosen === null && only !== undefined && others.length === 0) desk.chosen = only.device;
  }

  protected override updated(): void {
    const { desk } = this;
    const d = t().bind;
    this.#tell("token", desk.tokenLeft(clock.now).state, d.tokenOver);
    this.#tell("cloud", desk.cloudTokenLeft(clock.now).state, d.cloudTokenOver);
    this.#tell("window", desk.windowLeft(clock.now).state, d.windowOver);
    const word = desk.run?.word ?? null;
    if (word !== this.#word && this.#word !== null && word !== null) announce(d.word[word]);
    this.#word = word;
  }

  /** What runs out is said, once. */
  #tell(what: string, now: Left["state"], text: string): void {
    if (this.#countdowns.get(what) === "running" && now === "over") announce(text);
    this.#countdowns.set(what, now);
  }

  override render(): TemplateResult {
    return html`<div class="columns even">${this.#devices()}<div class="column">${this.#bind()}${this.#steps()}</div></div>`;
  }

  // ---------- devices ----------

  #devices(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const { page, rows } = desk;
    const pages = page === null ? 1 : Math.max(1, Math.ceil(page.total / page.size));
    const busy = desk.busy !== null || desk.binding;
    return html`<section class="box" aria-labelledby="enrollees-title">
      <h2 id="enrollees-title">${d.devices}</h2>
      <p class="quiet-text">${d.devicesLead}</p>
      <div class="buttons start">
        <button type="button" class="btn" data-testid="list-ask" ?disabled=${busy} @click=${() => desk.list(this.size, 1)}>${d.list}</button>
        <label class="inline"><select class="slim" data-testid="list-size" @change=${(event: Event) => (this.size = Number((event.target as HTMLSelectElement).value))}>${SIZES.map((size) => html`<option value=${size} .selected=${live(Number(size) === this.size)}>${size}</option>`)}</select>${d.pageSize}</label>
        ${page === null
          ? nothing
          : html`<span class="inline"><button type="button" class="quiet square" aria-label=${d.before} title=${d.before} data-testid="list-before" ?disabled=${busy || page.num <= 1} @click=${() => desk.list(page.size, page.num - 1)}>${icon("up")}</button><span data-testid="list-page">${d.pageOf(page.num, pages, page.total)}</span><button type="button" class="quiet square" aria-label=${d.after} title=${d.after} data-testid="list-after" ?disabled=${busy || page.num >= pages} @click=${() => desk.list(page.size, page.num + 1)}>${icon("down")}</button></span>`}
      </div>
      ${this.#paste()}
      ${rows.length === 0
        ? html`<p class="quiet-text">${d.none}</p><div class="buttons start"><a class="btn" href="#/devices">${d.startOne}</a></div>`
        : html`<ul class="enrollees" data-testid="enrollees">${rows.map((row) => this.#row(row))}</ul>
            <div class="buttons start">
              <button type="button" class="btn" data-testid="filter-ask" aria-describedby="filter-help" ?disabled=${busy} @click=${() => desk.filter()}>${d.filter}</button>
              ${desk.busy === "filter" ? html`<button type="button" class="btn" data-testid="filter-stop" @click=${() => desk.stopFilter()}>${d.stop}</button>` : nothing}
              <label class="check"><input type="checkbox" data-testid="scope-all" .checked=${live(desk.scopeAll)} ?disabled=${busy} @change=${(event: Event) => desk.set("scopeAll", (event.target as HTMLInputElement).checked)} />${d.scopeAll}</label>
            </div>
            <p class="quiet-text" id="filter-help">${d.filterHelp}</p>`}
    </section>`;
  }

  #paste(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const area = (event.target as HTMLFormElement).querySelector("textarea");
      if (area !== null && desk.paste(area.value)) area.value = "";
    };
    return html`<details class="more"><summary data-testid="paste">${d.paste}</summary>
      <form class="stacked" @submit=${submit}>
        <textarea rows="3" spellcheck="false" data-testid="paste-text" aria-label=${d.paste} aria-describedby="paste-help"></textarea>
        <p class="quiet-text" id="paste-help">${d.pasteHelp}</p>
        ${desk.unreadable.map((line) => html`<p class="wrong" role="alert" data-testid="paste-wrong">${d.pasteWrong(line)}</p>`)}
        ${desk.tooMany ? html`<p class="wrong" role="alert" data-testid="paste-most">${d.pasteMost(MOST_PASTED)}</p>` : nothing}
        <div class="buttons start"><button class="btn" data-testid="paste-add">${d.pasteAdd}</button></div>
      </form></details>`;
  }

  #row({ device, from, item }: Enrollee): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const on = desk.chosen !== null && sameDevice(desk.chosen, device);
    const verdict = desk.verdicts.get(nameOf(device));
    return html`<li class=${`enrollee${on ? " on" : ""}`} data-testid="enrollee" data-name=${nameOf(device)} data-verdict=${verdict === undefined ? "unasked" : verdict.ok ? "yes" : verdict.why}>
      <label><input type="radio" name="enrollee" data-testid="enrollee-choose" .checked=${on} ?disabled=${desk.binding} @change=${() => desk.set("chosen", device)} />
        <span><code>${device.product_key}/<b>${device.device_name}</b></code>
          <small>${desk.waiting.get(nameOf(device))?.announced === true ? html`<span class="chip quiet">${d.announced}</span>` : nothing}${standing(desk, device) ? html`<span class="chip run">${d.announces}</span>` : nothing}${from.map((one) => html`<span class="chip quiet">${d.from[one]}</span>`)}
          ${item === null ? nothing : html`${item.status === null ? nothing : html`<span class="chip quiet">${item.status === 1 ? d.status.provisioning : d.status.initial}</span>`}${item.registrar === null ? nothing : d.foundBy(nameOf(item.registrar))}`}</small></span></label>
      ${this.#verdict(verdict)}
    </li>`;
  }

  #verdict(verdict: Verdict | undefined): TemplateResult | typeof nothing {
    const d = t().bind;
    if (verdict === undefined) return nothing;
    if (verdict.ok) {
      const { product_name, net_type, node_type } = verdict.info;
      const about = [product_name, net_type === null ? null : d.netType[String(net_type)], node_type === null ? null : d.nodeType[String(node_type)]].filter((text) => text != null && text !== "");
      return html`<p class="good"><span class="chip ok">${d.verdict}: ${d.yes}</span> <small>${about.join(" · ")}</small></p>`;
    }
    return html`<p data-testid="why-not"><span class="chip bad">${verdict.code !== null ? (verdict.asked ? d.code(verdict.code) : d.codeAtBind(verdict.code)) : `${d.verdict}: ${d.no}`}</span> ${d.why[verdict.why]}</p>`;
  }

  // ---------- what to do ----------

  #bind(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const { chosen, run } = desk;
    const again = run !== null && chosen !== null && sameDevice(run.device, chosen) ? failedStep(run) : null;
    return html`<section class="box" aria-labelledby="guide-title">
      <h2 id="guide-title">${d.guide} ${chosen === null ? nothing : html`<code>${nameOf(chosen)}</code>`}</h2>
      ${chosen === null
        ? html`<p class="quiet-text">${d.chooseFirst}</p>`
        : html`${segments<"token" | "window">(
              d.by,
              [
                { value: "token", text: d.byToken, testid: "by-token", disabled: desk.binding },
                { value: "window", text: d.byWindow, testid: "by-window", disabled: desk.binding },
              ],
              desk.by,
              (by) => !desk.binding && desk.set("by", by),
            )}
            ${desk.by === "token" ? this.#token() : this.#window()} ${this.#wifi()}
            <div class="buttons start">
              ${desk.binding
                ? html`<button type="button" class="btn" data-testid="guide-stop" @click=${() => desk.stop()}>${d.stop}</button>`
                : html`${again === null ? nothing : html`<button type="button" class="btn pri" data-testid="guide-resume" data-step=${again} @click=${() => desk.resume()}>${d.resume(d.step[again]?.[0] ?? again)}</button>`}
                    <button type="button" class=${`btn${again === null ? " pri" : ""}`} data-testid="guide-start" @click=${() => this.#start()}>${run === null ? d.start : d.startAgain}</button>`}
            </div>`}
      <details class="more"><summary>${d.both}</summary><ol class="halves">${d.halves.map((text) => html`<li>${text}</li>`)}</ol></details>
    </section>`;
  }

  #start(): void {
    this.revealed = false;
    void this.desk.bind();
  }

  #token(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const session = desk.session(desk.chosen);
    const left = desk.tokenLeft(clock.now);
    const cloud = desk.cloudTokenLeft(clock.now);
    const text = session === undefined ? d.tokenElsewhere : left.state === "none" ? d.tokenNone : left.state === "over" ? d.tokenOver : d.tokenLeft(`${left.token.slice(0, 8)}…`, waitText(left.until - clock.now));
    return html`<p class="quiet-text">${d.tokenRule}</p>
      ${this.#countdown("token-left", left, null, text)}
      ${cloud.state === "none" ? nothing : this.#countdown("cloud-token-left", cloud, null, cloud.state === "over" ? d.cloudTokenOver : d.cloudTokenLeft(waitText(cloud.until - clock.now)))}
      ${session?.running === true ? html`<div class="buttons start"><button type="button" class="btn tiny" data-testid="guide-new-token" @click=${() => session.intend({ intent: "new_bind_token" })}>${d.newToken}</button></div>` : nothing}`;
  }

  #window(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const session = desk.session(desk.chosen);
    const left = desk.windowLeft(clock.now);
    const text = session === undefined && left.state === "none" ? d.windowElsewhere : left.state === "none" ? d.windowNone : left.state === "over" ? d.windowOver : d.windowLeft(waitText(left.until - clock.now));
    const set = (event: Event) => {
      const seconds = Number((event.target as HTMLInputElement).value);
      if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 86_400) desk.set("windowSeconds", seconds);
    };
    return html`<p class="quiet-text">${d.windowRule}</p>
      ${desk.windowKnown ? nothing : html`<label class="inline">${d.windowLength}<input class="short" inputmode="numeric" data-testid="window-seconds" .value=${String(desk.windowSeconds)} @change=${set} /><small>${d.windowLengthHelp}</small></label>`}
      ${this.#countdown("window-left", left, desk.windowKnown ? null : desk.windowSeconds * 1_000, text)}
      ${session === undefined ? nothing : html`<div class="buttons start"><button type="button" class="btn tiny" data-testid="power-on" @click=${() => void session.cutPower().then(() => session.start())}>${d.powerOn}</button></div>`}`;
  }

  #countdown(testid: string, left: Left, whole: number | null, text: string): TemplateResult {
    const running = left.state === "running";
    return html`<div class="countdown" data-testid=${testid} data-state=${left.state}>
      ${running && whole !== null ? html`<meter min="0" max=${whole} .value=${Math.max(0, left.until - clock.now)} aria-hidden="true"></meter>` : nothing}
      <p class=${left.state === "over" ? "caution" : ""}>${text}</p>
    </div>`;
  }

  #wifi(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const { wifi } = desk;
    const set = (name: keyof WifiForm) => (event: Event) => desk.set("wifi", { ...desk.wifi, [name]: (event.target as HTMLInputElement).value });
    const field = (name: "random" | "mac" | "product_id" | "ssid" | "password", label: string, help = "") => html`<label>${label}<input type=${name === "password" ? "password" : "text"} .value=${wifi[name]} autocomplete="off" spellcheck="false" data-testid=${`wifi-${name}`} @input=${set(name)} />${help === "" ? nothing : html`<small>${help}</small>`}</label>`;
    const ble = wifi.type === "6" || wifi.type === "7";
    return html`<label class="check"><input type="checkbox" data-testid="wifi-on" .checked=${wifi.on} ?disabled=${desk.binding} @change=${(event: Event) => desk.set("wifi", { ...wifi, on: (event.target as HTMLInputElement).checked })} />${d.wifi}</label>
      ${!wifi.on
        ? nothing
        : html`<fieldset class="stacked two" ?disabled=${desk.binding}>
            <label>${d.wifiType}<select data-testid="wifi-type" @change=${set("type")}>${["3", "4", "6", "7"].map((type) => html`<option value=${type} .selected=${live(type === wifi.type)}>${type}</option>`)}</select></label>
            ${field("random", d.wifiRandom, d.wifiRandomHelp)} ${ble ? html`${field("mac", d.wifiMac)} ${field("product_id", d.wifiProduct)}` : nothing} ${field("ssid", d.ssid)} ${field("password", d.password)}
          </fieldset><p class="quiet-text">${d.wifiHelp}</p>`}`;
  }

  // ---------- the steps ----------

  #steps(): TemplateResult | typeof nothing {
    const d = t().bind;
    const { desk } = this;
    const { run } = desk;
    if (run === null) return nothing;
    const tone = { running: "run", bound: "ok", failed: "bad", stopped: "warn" }[run.word];
    return html`<section class="box" aria-labelledby="steps-of-bind" data-testid="run" data-state=${run.word}>
      <h2 id="steps-of-bind">${d.steps} <span class=${`chip ${tone}`}>${d.word[run.word]}</span></h2>
      ${run.word === "bound" ? html`<p class="good" role="status" data-testid="run-bound">${d.bound(nameOf(run.device), run.iotId ?? "")}</p>` : nothing}
      <ol class="bind-steps">${run.steps.map((step) => this.#step(run, step))}</ol>
    </section>`;
  }

  #step(run: Run, step: RunStep): TemplateResult {
    const d = t().bind;
    const [title = "", about = ""] = d.step[step.step] ?? [];
    const tone = { todo: "quiet", now: "run", done: "ok", failed: "bad", stopped: "warn" }[step.state];
    const took = step.begun !== null && step.ended !== null ? d.took(latencyText(step.ended - step.begun)) : "";
    return html`<li class=${step.state} data-testid="bind-step" data-step=${step.step} data-state=${step.state}>
      <div class="step-head"><h3>${title}</h3><span class=${`chip ${tone}`}>${d.state[step.state]}</span>${step.begun === null ? nothing : html`<small><time>${clockText(step.begun)}</time> ${took}</small>`}</div>
      <p class="quiet-text">${about}</p>
      ${exchangesView(step.exchanges, this.desk.owner, step.state === "failed")}
      ${step.step === "token" && step.state === "now" ? this.#waiting(run) : nothing}
      ${step.state === "now" && run.retrying !== null ? html`<p class="caution">${d.retrying(errorText(run.retrying.error, "alibaba"), waitText(run.retrying.in_ms))}</p>` : nothing}
      ${step.step === "cipher" && run.handedOver ? this.#handOver() : nothing}
      ${step.state === "failed" && run.failure !== null ? html`<p class="wrong" role="alert" data-testid="step-failed">${d.failed(bindFailureText(run.failure.failure))}</p><p><b>${t().common.nextMove}</b> <span data-testid="step-next">${d.next[nextOf(run)]}</span></p>` : nothing}
      ${step.begun === null ? nothing : this.#meanwhile(run.device, step)}
    </li>`;
  }

  #waiting(run: Run): TemplateResult {
    const d = t().bind;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const input = (event.target as HTMLFormElement).querySelector("input");
      const token = input?.value.trim() ?? "";
      if (token !== "") void this.desk.hear(token);
    };
    return html`${run.waitingUntil === null ? nothing : html`<p data-testid="run-waiting">${d.waiting(waitText(run.waitingUntil - clock.now))}</p>`}
      ${this.desk.session(run.device) !== undefined ? nothing : html`<form class="row" @submit=${submit}><input aria-label=${d.enterToken} placeholder=${d.enterToken} autocomplete="off" spellcheck="false" data-testid="run-token" /><button class="btn" data-testid="run-token-send">${d.enterTokenOk}</button></form>`}`;
  }

  /** Key and encrypted password: covered until somebody wants to see them. */
  #handOver(): TemplateResult | typeof nothing {
    const d = t().bind;
    const { handedOver } = this.desk;
    if (handedOver === null) return nothing;
    const cover = (name: string, value: unknown) => (!this.revealed && (name === "key" || name === "passwd") && typeof value === "string" ? "*".repeat(value.length) : value);
    return html`<div class="hand-over" data-testid="hand-over"><h4>${d.handOver}</h4><p class="quiet-text">${d.handOverText}</p>
      <div class="pre">${jsonView(JSON.stringify(handedOver, cover), this.revealed)}${this.revealed ? copyButton(JSON.stringify(handedOver, null, 2), d.handOver) : nothing}</div>
      <button type="button" class="btn reveal" aria-pressed=${this.revealed} data-testid="hand-over-reveal" @click=${() => (this.revealed = !this.revealed)}>${this.revealed ? t().detail.hideSecrets : t().detail.showSecrets(handedOver.passwd === undefined ? 1 : 2)}</button></div>`;
  }

  /** What this page's device did while the step lasted. */
  #meanwhile(device: DeviceNameOf, step: RunStep): TemplateResult | typeof nothing {
    const session = this.desk.session(device);
    if (session === undefined || step.begun === null) return nothing;
    const d = t().bind;
    const rows = rowsBetween(session, step.begun, step.ended ?? Infinity);
    return html`<details class="more meanwhile" data-testid="meanwhile"><summary>${d.meanwhile} ${rows.length === 0 ? d.meanwhileNone : `(${rows.length})`}</summary>
      <ul>${rows.slice(-MEANWHILE).map((row) => {
        const { strong, code, rest } = entryText(row.entry, "alibaba");
        return html`<li><button type="button" class="quiet link" data-testid="meanwhile-row" @click=${() => openRow(session, row)}><time>${clockText(row.entry.unix)}</time> <b>${strong}</b> ${code === "" ? nothing : html`<code>${code}</code>`} ${rest}</button></li>`;
      })}</ul>
      <button type="button" class="btn tiny" data-testid="open-timeline" @click=${() => openRow(session, null)}>${d.openTimeline}</button></details>`;
  }
}

/** Whether the page's device stands by a token. */
function standing(desk: Desk, device: DeviceNameOf): boolean {
  return (desk.session(device)?.facts.bindToken?.until ?? 0) > clock.now;
}

/** The latest ones, from the end: a log may be long. */
function rowsBetween(session: Session, from: number, until: number): EntryRow[] {
  const out: EntryRow[] = [];
  const { rows } = session.log;
  for (let i = rows.length - 1; i >= 0 && out.length < 100; i -= 1) {
    const row = rows[i];
    if (row === undefined || rowUnix(row) < from) break;
    if (row.type === "entry" && row.side === "device" && row.entry.unix <= until && groupOf(row.entry) !== "ping") out.push(row);
  }
  return out.reverse();
}

function openRow(session: Session, row: EntryRow | null): void {
  devices.open(session);
  session.update({ selected: row?.key ?? null });
  router.go("devices");
}
