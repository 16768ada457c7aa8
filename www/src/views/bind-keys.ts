// Keys and encrypted passwords: every value on the way, as it is computed here, beside what the cloud's call gives.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { t } from "../i18n";
import type { AppCall, CipherInput, CipherOutput, Error as CoreError, WifiOutput } from "../muster/types";
import type { Desk } from "../state/bind";
import { engine } from "../state/engine";
import type { Exchange } from "../state/exchange";
import { refusal } from "../state/failure";
import { compareHex, explainDifference, type Comparison, type Mistake } from "../state/keys-compare";
import { dots } from "../state/mask";
import { messageText, stepName } from "../state/messages";
import { errorText } from "../state/texts";
import { CIPHER } from "../state/tools";
import { say } from "../i18n";
import { copyButton } from "./base";
import { DeskView } from "./desk";
import { exchangesView } from "./exchange";

type Inputs = { type: string; product_key: string; device_name: string; product_id: string; mac: string; random: string; secret: string; ssid: string; password: string };
type Side = { cipher: CipherOutput | null; key: string; wifi: WifiOutput | null };
type Line = { name: string; own: string; cloud: string; secret: boolean };

const TYPES = CIPHER.find(({ name }) => name === "type")?.choices ?? [];
/** What gives a secret away. */
const OPEN = new Set(["parts", "length", "comma", "second comma", "MAC", "random", "IV = random"]);

@customElement("m-bind-keys")
export class BindKeys extends DeskView {
  @state() private inputs: Inputs = { type: "3", product_key: "", device_name: "", product_id: "", mac: "", random: "281f2e4eefbd12d3b9f7ee5a1740cc2b", secret: "", ssid: "", password: "" };
  @state() private own: Side | null = null;
  @state() private cloud: Side | null = null;
  @state() private comparison: Comparison | null = null;
  @state() private mistake: Mistake | null = null;
  @state() private wrongOwn: string | null = null;
  @state() private wrongCloud: string | null = null;
  @state() private shown = false;
  @state() private busy = false;
  @state() private noSecret = false;
  /** Why the secret could not be asked for. */
  @state() private failed: string | null = null;
  #from: Exchange | null = null;
  #asked = false;
  #of: Desk | undefined;

  protected override willUpdate(): void {
    super.willUpdate();
    const { desk } = this;
    if (this.#of !== desk) {
      this.#of = desk;
      this.#clear();
      this.inputs = { ...this.inputs, product_key: "", device_name: "", product_id: "", secret: "" };
    }
    const { chosen } = desk;
    if (this.inputs.product_key === "" && chosen !== null) this.inputs = { ...this.inputs, ...chosen };
    else if (this.inputs.product_key === "" && desk.inventory !== null) {
      const first = desk.inventory.find(({ devices }) => devices.length > 0);
      if (first !== undefined) this.inputs = { ...this.inputs, product_key: first.product.id, device_name: first.devices[0]?.name ?? "" };
    }
    const product = desk.inventory?.find(({ product }) => product.id === this.inputs.product_key)?.product;
    if (this.inputs.product_id === "" && product !== undefined) this.inputs = { ...this.inputs, product_id: product.switches["productId"] ?? "" };
  }

  #clear(): void {
    this.own = null;
    this.cloud = null;
    this.comparison = null;
    this.mistake = null;
    this.wrongOwn = null;
    this.wrongCloud = null;
    this.#asked = false;
  }

  get #ble(): boolean {
    return this.inputs.type === "6" || this.inputs.type === "7";
  }

  get #perDevice(): boolean {
    return this.inputs.type === "4" || this.inputs.type === "7";
  }

  override render(): TemplateResult {
    const d = t().bind;
    return html`<div class="columns even">${this.#form()}
      <section class="box" aria-label=${t().tools.result} aria-live="polite" data-testid="keys-result">
        <h2>${t().tools.result}</h2>
        ${this.wrongOwn === null ? nothing : html`<p class="wrong" role="alert" data-testid="keys-wrong">${this.wrongOwn}</p>`}
        ${this.wrongCloud === null ? nothing : html`<p class="wrong" role="alert" data-testid="keys-refused">${this.wrongCloud}</p>${this.own === null ? nothing : html`<p class="quiet-text">${d.onlyOwn}</p>`}`}
        ${this.#judgement()} ${this.#table()}
        ${this.#asked ? exchangesView(this.desk.since(this.#from, "/awss/cipher/get"), this.desk.owner, false) : nothing}
      </section>
    </div>`;
  }

  #form(): TemplateResult {
    const d = t().bind;
    const { inputs, desk } = this;
    const set = (name: keyof Inputs) => (event: Event) => {
      this.inputs = { ...this.inputs, [name]: (event.target as HTMLInputElement).value };
      this.noSecret = false;
      this.failed = null;
    };
    const field = (name: keyof Inputs, label: string, more: { secret?: boolean; help?: string } = {}) => html`<label>${label}<input type=${more.secret === true && !this.shown ? "password" : "text"} .value=${inputs[name]} autocomplete="off" spellcheck="false" data-testid=${`key-${name}`} @input=${set(name)} />${more.help === undefined ? nothing : html`<small>${more.help}</small>`}</label>`;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      void this.#compute();
    };
    return html`<form class="box stacked" @submit=${submit}>
      <h2>${d.part.keys}</h2>
      <p class="quiet-text">${d.keysLead}</p>
      <label>${d.keyType}<select data-testid="key-type" @change=${set("type")}>${TYPES.map(({ value, text }) => html`<option value=${value} .selected=${live(value === inputs.type)}>${say(text)}</option>`)}</select></label>
      ${field("product_key", d.productKey)} ${field("device_name", d.deviceName)}
      ${this.#ble ? html`${field("product_id", d.productId)} ${field("mac", d.mac)}` : nothing}
      ${field("random", d.random)}
      <div class="buttons start"><button type="button" class="btn tiny" data-testid="key-new-random" @click=${() => (this.inputs = { ...this.inputs, random: newRandom() })}>${d.newRandom}</button></div>
      ${field("secret", this.#perDevice ? d.secretOf.device : d.secretOf.product, { secret: true, help: d.secretHelp })}
      ${desk.operator === null ? nothing : html`<div class="buttons start"><button type="button" class="btn tiny" data-testid="key-take-secret" @click=${() => this.#take()}>${d.takeSecret}</button>${this.noSecret ? html`<span class="caution" role="alert">${d.noSecret}</span>` : nothing}${this.failed === null ? nothing : html`<span class="wrong" role="alert" data-testid="key-take-failed">${this.failed}</span>`}</div>`}
      <fieldset class="stacked two"><legend>${d.wifiPart}</legend>${field("ssid", d.ssid)} ${field("password", d.password, { secret: true })}</fieldset>
      <div class="buttons start">
        <button class="btn pri" data-testid="key-compute" ?disabled=${this.busy}>${d.compute}</button>
        <button type="button" class="btn" aria-pressed=${this.shown} data-testid="key-show" @click=${() => (this.shown = !this.shown)}>${this.shown ? d.hide : d.show}</button>
      </div>
    </form>`;
  }

  #judgement(): TemplateResult | typeof nothing {
    const d = t().bind;
    const { comparison, mistake } = this;
    if (comparison === null) return this.cloud !== null && this.own === null ? html`<p class="quiet-text">${d.onlyCloud}</p>` : nothing;
    if (comparison.same) return html`<p class="good" role="status" data-testid="keys-same" data-same="true">${d.same}</p>`;
    return html`<p class="wrong" role="status" data-testid="keys-same" data-same="false">${d.differ(comparison.at)} ${mistake === null ? d.differHelp : d.mistake[mistake]}</p>`;
  }

  #lines(): Line[] {
    const { own, cloud } = this;
    const steps = new Map<string, Line>();
    const add = (list: readonly { name: string; value: string }[], side: "own" | "cloud") => {
      for (const { name, value } of list) {
        const line = steps.get(name) ?? { name, own: "", cloud: "", secret: !OPEN.has(name) };
        line[side] = value;
        steps.set(name, line);
      }
    };
    add([...(own?.cipher?.steps ?? []), ...(own?.wifi?.steps ?? [])], "own");
    if (cloud !== null) add([{ name: "AES-128 key", value: cloud.key.toLowerCase() }, { name: "/awss/cipher/get", value: cloud.key }, ...(cloud.wifi?.steps ?? [])], "cloud");
    return [...steps.values()];
  }

  #table(): TemplateResult | typeof nothing {
    const d = t().bind;
    const lines = this.#lines();
    if (lines.length === 0) return nothing;
    const nameOf = (line: Line) => d.valueOf[line.name] ?? stepName(line.name);
    const cell = (line: Line, value: string, side: string) =>
      value === "" ? html`<span class="quiet-text">${d.ofCloud}</span>` : line.secret && !this.shown ? html`<span class="mask" data-testid="mask">${dots("*".repeat(16))}</span>` : html`<code>${value}</code>${copyButton(value, `${nameOf(line)}, ${side}`)}`;
    return html`<dl class="values-of" data-testid="keys-table">${lines.map((line) => {
      const differs = line.own !== "" && line.cloud !== "" && !compareHex(line.own, line.cloud).same;
      return html`<div data-testid="key-value" data-name=${line.name} class=${differs ? "differs" : ""}><dt>${nameOf(line)}</dt>
        <dd><small>${d.own}</small>${cell(line, line.own, d.own)}</dd>
        ${line.cloud === "" ? nothing : html`<dd><small>${d.cloud}</small>${cell(line, line.cloud, d.cloud)}</dd>`}</div>`;
    })}
    ${this.inputs.ssid === "" ? nothing : html`<div><dt>${d.ssid}</dt><dd><code>${this.inputs.ssid}</code></dd></div>`}</dl>`;
  }

  /** The cloud's operator knows the secrets; they come when a person asks, and stay in this form. */
  async #take(): Promise<void> {
    const { operator } = this.desk;
    const { product_key: product, device_name } = this.inputs;
    if (operator === null) return;
    let secret: string | null | undefined;
    this.noSecret = false;
    this.failed = null;
    try {
      if (this.#perDevice) secret = (await operator.some("alibaba", product, [device_name], true)).items[0]?.secret;
      else {
        const found = await operator.operate({ platform: "alibaba", action: "list_products", reveal: true });
        secret = found.result === "products" ? found.items.find(({ id }) => id === product)?.secret : null;
      }
    } catch (error) {
      this.failed = messageText(refusal(error).message);
      return;
    }
    this.noSecret = secret == null;
    if (secret != null) this.inputs = { ...this.inputs, secret };
  }

  async #compute(): Promise<void> {
    this.busy = true;
    try {
      await this.#both();
    } catch (error) {
      this.wrongOwn = messageText(refusal(error).message);
    } finally {
      this.busy = false;
    }
  }

  async #both(): Promise<void> {
    const { desk } = this;
    const inputs = Object.fromEntries(Object.entries(this.inputs).map(([name, value]) => [name, name === "password" ? value : value.trim()])) as Inputs;
    this.#clear();
    this.#from = desk.exchanges.at(-1) ?? null;
    this.#asked = true;
    const { tools } = await engine.get();
    const wifi = async (key: string) => (inputs.password === "" ? null : tools.wifi({ key: key.toLowerCase(), random: inputs.random, password: inputs.password }));
    const type = Number(inputs.type);
    const input: CipherInput = { type, secret: inputs.secret, random: inputs.random, ...(this.#ble && inputs.mac !== "" ? { mac: inputs.mac } : {}) };
    const own = async () => {
      if (inputs.secret === "") return;
      try {
        const cipher = await tools.cipher(input);
        this.own = { cipher, key: cipher.key, wifi: await wifi(cipher.key) };
      } catch (error) {
        this.wrongOwn = messageText(refusal(error).message);
      }
    };
    const cloud = async () => {
      try {
        const call: AppCall = { call: "cipher", type, random: inputs.random };
        if (inputs.device_name !== "") call.device_name = inputs.device_name;
        if (this.#ble) Object.assign(call, { product_id: inputs.product_id, mac: inputs.mac });
        else call.product_key = inputs.product_key;
        const reply = await desk.call(call);
        if (reply.reply === "key") this.cloud = { cipher: null, key: reply.key, wifi: await wifi(reply.key).catch(() => null) };
      } catch (error) {
        const core = (error as { data?: unknown }).data;
        this.wrongCloud = typeof core === "object" && core !== null && "blame" in core ? errorText(core as CoreError, "alibaba") : messageText(refusal(error).message);
      }
    };
    await Promise.all([own(), cloud()]);
    if (this.own !== null && this.cloud !== null) {
      const comparison = compareHex(this.cloud.key, this.own.key);
      if (!comparison.same) this.mistake = await explainDifference(this.cloud.key, input, (other) => tools.cipher(other)).catch(() => null);
      this.comparison = comparison;
    }
  }
}

function newRandom(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
