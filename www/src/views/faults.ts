// The faults of a device: a catalogue to arm from, what is armed and how far it is, and all of it as JSON.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { i18n } from "../i18n";
import { panel as en, ready as enReady, type ReadyText } from "../i18n/en-fault-panel";
import { panel as zh, ready as zhReady } from "../i18n/zh-fault-panel";
import type { ArmedFault, FaultRule } from "../muster/types";
import type { Session } from "../state/devices";
import { GROUPS, offered, outOfLimits, readyFor, type FaultGroup, type Param, type Ready, type Values } from "../state/fault-catalogue";
import { isSpent, isWrong, parseRules, plain, type Wrong } from "../state/fault-rules";
import { faultText } from "../state/texts";
import { View, announce, copyText, segments } from "./base";
import { icon } from "./icons";
import "../styles/faults.css";

const say = () => (i18n.language === "zh" ? { d: zh, ready: zhReady } : { d: en, ready: enReady });

@customElement("m-faults")
export class FaultsView extends View {
  session!: Session;
  @state() private group: FaultGroup = "replies";
  /** What was typed into a fault's fields. */
  @state() private values: Record<string, Values> = {};
  @state() private text = "";
  @state() private wrong: Wrong | null = null;
  @state() private said = "";
  #shown: Session | undefined;
  #ends: (() => void) | undefined;

  static override properties = { session: { attribute: false } };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#ends?.();
    this.#shown = undefined;
  }

  protected override willUpdate(): void {
    if (this.#shown === this.session) return;
    this.#ends?.();
    this.#shown = this.session;
    let [armed, running] = [this.session.faults, this.session.running];
    this.#ends = this.session.subscribe(() => {
      // Of all that a device tells only this is shown here.
      if (armed === this.session.faults && running === this.session.running) return;
      [armed, running] = [this.session.faults, this.session.running];
      this.requestUpdate();
    });
    this.text = "";
    this.wrong = null;
    this.said = "";
  }

  override render(): TemplateResult {
    const { session } = this;
    const { d } = say();
    const all = readyFor(session.plan);
    const groups = GROUPS.filter((group) => all.some((ready) => ready.group === group));
    const group = groups.includes(this.group) ? this.group : (groups[0] ?? "replies");
    return html`<div class="faults">
      <p class="quiet-text">${d.lead}</p>
      ${this.#armed()}
      <div class="fault-groups">${segments(d.groups, groups.map((value) => ({ value, text: d.group[value], testid: `fault-group-${value}` })), group, (to) => (this.group = to))}</div>
      <ul class="fault-list">${all.filter((ready) => ready.group === group).map((ready) => this.#ready(ready))}</ul>
      ${this.#json()}
    </div>`;
  }

  // ---------- what is armed ----------

  #armed(): TemplateResult {
    const { session } = this;
    const { d } = say();
    const { faults } = session;
    return html`<section aria-labelledby="faults-armed">
      <div class="fault-head"><h4 id="faults-armed">${d.armed}</h4>
        ${faults.length === 0 ? nothing : html`<button type="button" class="btn" data-testid="faults-clear" @click=${() => void session.setFaults([])}>${icon("trash")}${d.clear}</button>`}
      </div>
      ${faults.length === 0 ? html`<p class="quiet-text" data-testid="faults-none">${d.none}</p>` : html`<ul class="fault-armed">${faults.map((armed) => this.#row(armed))}</ul>`}
      ${faults.length > 0 && !session.running ? html`<p class="quiet-text">${d.off}</p>` : nothing}
    </section>`;
  }

  #row(armed: ArmedFault): TemplateResult {
    const { session } = this;
    const { d, ready } = say();
    const spent = isSpent(armed);
    const known = readyFor(session.plan).find(({ id }) => isOf(armed.id, id));
    const count = armed.times === "always" ? d.always : String(armed.times);
    return html`<li data-testid="fault-armed" data-id=${armed.id} data-struck=${armed.struck} data-spent=${spent}>
      <div>
        <strong>${known === undefined ? armed.id : ready[known.id].title}</strong>
        <span class="quiet-text">${known === undefined ? nothing : html`<code>${armed.id}</code> · `}${faultText(armed)} · ${d.struck(armed.struck, count)} · ${armed.seen > armed.struck ? d.seen(armed.seen) : spent ? d.spent : d.waiting}</span>
        ${known === undefined ? nothing : html`<p><b>${d.expect}</b> ${ready[known.id].expect}</p>`}
      </div>
      <span class="joined">
        ${spent ? html`<button type="button" class="btn" data-testid="fault-again" @click=${() => void session.arm([{ ...plain(armed), id: armed.id }])}>${d.again}</button>` : nothing}
        <button type="button" class="btn" data-testid="fault-remove" aria-label=${`${d.remove}: ${known === undefined ? armed.id : ready[known.id].title}`} @click=${() => void session.disarm([armed.id])}>${d.remove}</button>
      </span>
    </li>`;
  }

  // ---------- the catalogue ----------

  #ready(item: Ready): TemplateResult {
    const { session } = this;
    const { d, ready } = say();
    const text: ReadyText = ready[item.id];
    const params = item.params(session.plan);
    const values = { ...offered(params), ...this.values[item.id] };
    const wrong = outOfLimits(params, values);
    const hint = this.#hint(item);
    return html`<li class="fault-ready" data-testid=${`fault-${item.id}`}>
      <h4>${text.title}</h4>
      <p>${text.shows}</p>
      <p class="expect"><b>${d.expect}</b> ${text.expect}</p>
      ${hint === "" ? nothing : html`<p class="quiet-text">${hint}</p>`}
      <div class="fault-fields">
        ${params.map((param) => this.#field(item, param, values, wrong === param))}
        ${item.repeats ? this.#repeats(item, values) : nothing}
        <button type="button" class="btn pri" data-testid=${`arm-${item.id}`} ?disabled=${wrong !== undefined} @click=${() => void this.#arm(item, values)}>${d.arm}</button>
      </div>
    </li>`;
  }

  #hint(item: Ready): string {
    const { session } = this;
    const { d } = say();
    if (item.group === "firmware" || item.id === "cut_in_update" || item.id === "cut_at_install") return d.nextUpdate;
    if (!session.facts.ready) return "";
    if (item.id === "refused_login" || item.id === "silent_login" || item.id === "expired_token") return d.nextLogin;
    const registration: readonly string[] = ["lost_secret", "late_secret", "twice_secret", "wrong_id", "vendor_code", "lost_after_request", "cut_before_store", "cut_after_store", "store_fail"];
    return registration.includes(item.id) ? d.nextRegistration : "";
  }

  #field(item: Ready, param: Param, values: Values, wrong: boolean): TemplateResult {
    const { d } = say();
    const name = `${item.id}-${param.key}`;
    const label = d.param[param.key as keyof typeof d.param] ?? param.key;
    const set = (value: string | number) => (this.values = { ...this.values, [item.id]: { ...this.values[item.id], [param.key]: value } });
    if ("options" in param)
      return html`<label>${label} <select data-testid=${`fault-field-${name}`} @change=${(event: Event) => set((event.target as HTMLSelectElement).value)}>${param.options.map((option) => html`<option value=${option} ?selected=${option === values[param.key]}>${d.option[option] ?? option}</option>`)}</select></label>`;
    const limits = d.limits(param.min.toLocaleString("en-GB"), param.max.toLocaleString("en-GB"));
    return html`<label>${label} <input type="number" data-testid=${`fault-field-${name}`} title=${limits} min=${param.min} max=${param.max} step="1" aria-invalid=${wrong} aria-describedby=${wrong ? `limits-${name}` : nothing} .value=${String(values[param.key])} @input=${(event: Event) => set((event.target as HTMLInputElement).valueAsNumber)} />${d.unit[param.unit] === "" ? nothing : html` ${d.unit[param.unit]}`}${wrong ? html` <small class="bad-text" id=${`limits-${name}`}>${limits}</small>` : nothing}</label>`;
  }

  #repeats(item: Ready, values: Values): TemplateResult {
    const { d } = say();
    const set = (key: string) => (event: Event) => (this.values = { ...this.values, [item.id]: { ...this.values[item.id], [key]: (event.target as HTMLSelectElement).value } });
    const nth = ["1", "2", "3", "4", "5"];
    const times = ["1", "2", "3", "5", "always"];
    const word = (count: string) => (count === "always" ? d.untilRemoved : count === "1" ? d.once : d.times(Number(count)));
    return html`<label>${d.param.nth} <select data-testid=${`fault-field-${item.id}-nth`} @change=${set("nth")}>${nth.map((value) => html`<option value=${value} ?selected=${value === (values["nth"] ?? "1")}>${d.nth(Number(value))}</option>`)}</select></label>
      <label>${d.param.times} <select data-testid=${`fault-field-${item.id}-times`} @change=${set("times")}>${times.map((value) => html`<option value=${value} ?selected=${value === (values["times"] ?? "1")}>${word(value)}</option>`)}</select></label>`;
  }

  async #arm(item: Ready, values: Values): Promise<void> {
    const { session } = this;
    const nth = Number(values["nth"] ?? 1);
    const times = values["times"] === "always" ? "always" : Number(values["times"] ?? 1);
    const rule = item.rule(session.plan, values);
    const more = item.repeats ? { ...(nth === 1 ? {} : { nth }), ...(times === 1 ? {} : { times }) } : {};
    const taken = new Set(session.faults.map(({ id }) => id));
    let id: string = item.id;
    for (let n = 2; taken.has(id); n += 1) id = `${item.id}-${n}`;
    await session.arm([{ ...rule, ...more, id } as FaultRule]);
    announce(`${say().d.armed}: ${say().ready[item.id].title}`);
  }

  // ---------- as JSON ----------

  #json(): TemplateResult {
    const { session } = this;
    const { d } = say();
    return html`<details class="more" data-testid="faults-json"><summary>${d.json}</summary>
      <p class="quiet-text">${d.jsonHelp}</p>
      <label class="fault-text">${d.paste}<textarea rows="8" spellcheck="false" data-testid="faults-text" aria-invalid=${this.wrong !== null} aria-describedby="faults-said" .value=${this.text} @input=${(event: Event) => {
        this.text = (event.target as HTMLTextAreaElement).value;
        this.wrong = null;
        this.said = "";
      }}></textarea></label>
      <p id="faults-said" role="status" class=${this.wrong === null ? "quiet-text" : "bad-text"} data-testid="faults-said">${this.wrong === null ? this.said : wrongText(this.wrong)}</p>
      <div class="buttons start">
        <button type="button" class="btn pri" data-testid="faults-use" ?disabled=${this.text.trim() === ""} @click=${() => void this.#use()}>${d.use}</button>
        <button type="button" class="btn" data-testid="faults-copy" ?disabled=${session.faults.length === 0} @click=${() => void this.#copy()}>${icon("copy")}${d.copy}</button>
      </div>
    </details>`;
  }

  async #use(): Promise<void> {
    const { session } = this;
    const { d } = say();
    const rules = parseRules(this.text, session.plan.platform);
    if (isWrong(rules)) {
      this.wrong = rules;
      return;
    }
    this.wrong = null;
    await session.setFaults(rules);
    this.said = session.misuse === null ? d.used(rules.length) : "";
  }

  async #copy(): Promise<void> {
    const text = JSON.stringify(this.session.faults.map(plain), null, 1);
    // Where the browser gives no clipboard it is there to be copied by hand.
    this.text = text;
    this.wrong = null;
    this.said = (await copyText(text)) ? say().d.copied : "";
  }
}

/** Whether a rule was armed from this ready fault: `slow`, `slow-2`. */
function isOf(id: string, ready: string): boolean {
  return id === ready || new RegExp(`^${ready}-\\d+$`).test(id);
}

function wrongText(wrong: Wrong): string {
  const d = say().d.problem;
  const number = (value: number) => value.toLocaleString("en-GB");
  const what = wrong.problem === "range" ? d.range(number(wrong.min), number(wrong.max), wrong.whole, wrong.always) : wrong.problem === "one_of" ? d.one_of(wrong.of.join(", ")) : d[wrong.problem];
  return wrong.field === "" ? what : `${wrong.field}: ${what}`;
}
