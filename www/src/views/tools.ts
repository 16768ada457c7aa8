// The calculators. Each begins with an example that is worked out, and computes as one types.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { say, t } from "../i18n";
import type { NvsPartition, PlatformName, Tools } from "../muster/types";
import { devices, type Session } from "../state/devices";
import { engine } from "../state/engine";
import { refusal } from "../state/failure";
import { messageText, problemText, stepName } from "../state/messages";
import { MOST_NUMBERS, listed, readNumbers, type Listed } from "../state/number-list";
import { router } from "../state/router";
import { nameKeys, type Both } from "../state/settings";
import { fillFrom } from "../state/tool-fill";
import { sourceOf } from "../state/tool-sources";
import { INPUTS, TOOLS, TOOL_TEXTS, calculate, covered, credentialExample, examples, isSecretInput, readResult, usedInputs, wrongInputs, type Input, type Result, type ToolName } from "../state/tools";
import { View, announce, copyButton, maskedText } from "./base";
import { PLATFORMS } from "./devices";
import { listView, numberView, nvsView, timeView, topicsView } from "./tool-extras";
import { icon } from "./icons";
import { saveFile } from "./save";
import "../styles/tools.css";

type Modes = Awaited<ReturnType<Tools["credentialModes"]>>;

/** A pause in typing. */
const PAUSE = 250;
/** MiB of a table that is chosen as a file. */
const MOST_CSV = 4;

@customElement("m-tools")
export class ToolsView extends View {
  @state() private values: Record<string, string> = {};
  @state() private result: Result | null = null;
  @state() private list: { rows: Listed[]; left: number } | null = null;
  @state() private partition: NvsPartition | null = null;
  /** What the core refused; `key`: which input. */
  @state() private wrong: { message: string; next: string | null; key: string | null } | null = null;
  @state() private modes: Modes | null = null;
  @state() private busy = false;
  /** Secrets that a person looks at: inputs, and the result. */
  @state() private shown: ReadonlySet<string> = new Set();
  @state() private revealed = false;
  @state() private filled = "";
  #tool: ToolName | null = null;
  #round = 0;
  #soon: ReturnType<typeof setTimeout> | undefined;

  protected override stores() {
    return [router, engine, devices];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#soon);
  }

  get tool(): ToolName {
    return TOOLS.find((name) => name === router.route.rest[0]) ?? "credentials";
  }

  protected override willUpdate(): void {
    if (this.#tool === this.tool) return;
    this.#tool = this.tool;
    this.#example();
  }

  #clear(): void {
    this.result = null;
    this.list = null;
    this.partition = null;
    this.wrong = null;
  }

  #example(): void {
    this.#clear();
    this.#round += 1;
    this.shown = new Set();
    this.revealed = false;
    this.filled = "";
    switch (this.tool) {
      case "credentials":
        void this.#credentials("alibaba", "static");
        return;
      case "time":
        this.values = { time: String(Date.now()) };
        return;
      case "topics":
        this.values = { platform: "ucloud", product: credentialExample("ucloud", "product_sn"), device: credentialExample("ucloud", "device_sn") };
        return;
      default:
        this.values = examples(INPUTS[this.tool] ?? []);
        void this.#run();
    }
  }

  /** The inputs of a login are what the core says it takes. */
  async #credentials(platform: PlatformName, mode: string): Promise<void> {
    this.values = { platform, mode };
    try {
      this.modes ??= await (await engine.get()).tools.credentialModes();
    } catch (error) {
      this.wrong = refusal(error);
      return;
    }
    const modes = this.modes[platform];
    const found = modes.find((m) => m.mode === mode) ?? modes[0];
    if (found === undefined || this.tool !== "credentials") return;
    const inputs = Object.fromEntries([...found.settings, ...found.optional].map((name) => [name, credentialExample(platform, name)]));
    this.values = { platform, mode: found.mode, ...inputs };
    await this.#run();
  }

  /** What is wrong, by the inputs' names: what the page sees at once, and what the core said. */
  #wrongs(): Map<string, string> {
    const { tool, values } = this;
    const found = new Map<string, string>();
    if (tool === "credentials") {
      const mode = this.modes?.[values["platform"] as PlatformName]?.find((m) => m.mode === values["mode"]);
      for (const name of mode?.settings ?? []) if ((values[name] ?? "").trim() === "") found.set(name, problemText("is missing"));
    } else for (const [name, problem] of wrongInputs(tool, INPUTS[tool] ?? [], values)) found.set(name, say(problem));
    const { wrong } = this;
    if (wrong?.key != null && !found.has(wrong.key)) found.set(wrong.key, messageText(wrong.message));
    return found;
  }

  async #run(): Promise<void> {
    const { tool, values } = this;
    clearTimeout(this.#soon);
    if (tool === "time" || tool === "topics") return;
    this.#round += 1;
    const round = this.#round;
    this.wrong = null;
    if (this.#wrongs().size > 0) {
      this.#clear();
      return;
    }
    this.busy = true;
    try {
      const { tools } = await engine.get();
      if (values["do"] === "list" && (tool === "cmei" || tool === "imei")) {
        const all = readNumbers(values["list"] ?? "");
        const some = all.slice(0, MOST_NUMBERS);
        const checks = await Promise.all(some.map(({ number }) => (tool === "cmei" ? tools.cmeiCheck(number) : tools.imeiCheck(number))));
        if (round !== this.#round) return;
        this.#clear();
        this.list = { rows: listed(some, checks), left: all.length - some.length };
        return;
      }
      const value = await calculate(tools, tool, values);
      if (round !== this.#round) return;
      this.#clear();
      if (tool === "nvs") this.partition = value as NvsPartition;
      else this.result = readResult(value);
    } catch (error) {
      if (round !== this.#round) return;
      this.#clear();
      this.wrong = this.#refused(error);
    } finally {
      if (round === this.#round) this.busy = false;
    }
  }

  /** The core names the input that it refuses. */
  #refused(error: unknown): { message: string; next: string | null; key: string | null } {
    const { message, next, key } = refusal(error);
    const [, name = "", problem = ""] = /^([\w.]+): (.+)$/s.exec(message) ?? [];
    return Object.hasOwn(this.values, name) ? { message: problem, next, key: name } : { message, next, key };
  }

  override render(): TemplateResult {
    const d = t().tools;
    const { tool } = this;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      void this.#run();
    };
    return html`<div class="tools">
      <nav class="tool-list" aria-label=${d.list}>
        ${TOOLS.map((name) => html`<a href=${`#/tools/${name}`} class=${name === tool ? "on" : ""} aria-current=${name === tool ? "page" : nothing} data-testid=${`tool-${name}`}>${say(TOOL_TEXTS[name].name)}</a>`)}
      </nav>
      <div class="page tool-page">
        <header><h2>${say(TOOL_TEXTS[tool].name)}</h2><p class="lead">${say(TOOL_TEXTS[tool].what)}</p></header>
        <div class="columns even">
          <form class="box stacked" autocomplete="off" @submit=${submit}>
            <h3>${d.input}</h3>
            ${this.#fill()}${this.#inputs()}
            <div class="buttons start">
              ${tool === "time" || tool === "topics" ? nothing : html`<button class="btn pri" data-testid="tool-run" ?disabled=${this.busy && engine.state === "loading"}>${d.run}</button>`}
              <button type="button" class="btn" data-testid="tool-example" @click=${() => this.#example()}>${d.example}</button>
            </div>
            <p class="quiet-text">${d.working}</p>
          </form>
          <section class="box" aria-label=${d.result} aria-live="polite">
            <h3>${d.result}</h3>
            ${this.#results()}
          </section>
        </div>
      </div>
    </div>`;
  }

  // ---------- inputs ----------

  #inputs(): TemplateResult | readonly TemplateResult[] {
    const { tool, values } = this;
    if (tool === "time") return timeView(values["time"] ?? "", Date.now(), (text) => (this.values = { time: text })).input;
    if (tool === "topics") return this.#topicInputs();
    const wrongs = this.#wrongs();
    if (tool === "credentials") return this.#credentialInputs(wrongs);
    return usedInputs(tool, INPUTS[tool] ?? [], values).map((input) => this.#input(input, wrongs.get(input.name)));
  }

  #set(name: string, value: string): void {
    this.values = { ...this.values, [name]: value };
    this.filled = "";
    // What the core said was about what stood there.
    if (this.wrong !== null) this.wrong = null;
    if (this.#wrongs().size > 0) this.#clear();
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => void this.#run(), PAUSE);
  }

  #input(input: Input, wrong: string | undefined): TemplateResult {
    const value = this.values[input.name] ?? "";
    if (input.choices !== undefined) {
      const choose = (event: Event) => {
        this.#set(input.name, (event.target as HTMLSelectElement).value);
        void this.#run();
      };
      return html`<label><span>${say(input.label)}</span><select data-testid=${`tool-input-${input.name}`} @change=${choose}>${input.choices.map((choice) => html`<option value=${choice.value} ?selected=${choice.value === value}>${say(choice.text)}</option>`)}</select></label>`;
    }
    return this.#field(input.name, html`${say(input.label)}`, say(input.label), input.secret === true, wrong, input.lines);
  }

  #field(name: string, label: TemplateResult, plain: string, secret: boolean, wrong: string | undefined, lines?: number): TemplateResult {
    const d = t().calculators;
    const id = `tool-${name}`;
    const value = this.values[name] ?? "";
    const set = (event: Event) => this.#set(name, (event.target as HTMLInputElement).value);
    const open = this.shown.has(name);
    const toggle = () => (this.shown = new Set(open ? [...this.shown].filter((other) => other !== name) : [...this.shown, name]));
    const common = { testid: `tool-input-${name}`, invalid: wrong !== undefined, wrong: `${id}-wrong` };
    return html`<div class="tool-field"><label for=${id}>${label}</label>
      ${lines !== undefined
        ? html`<textarea id=${id} rows=${lines} data-testid=${common.testid} spellcheck="false" autocomplete="off" aria-invalid=${common.invalid} aria-describedby=${common.wrong} .value=${value} @input=${set}></textarea>`
        : html`<span class="with-button"><input id=${id} class="mono" type=${secret && !open ? "password" : "text"} data-testid=${common.testid} autocomplete="off" spellcheck="false" aria-invalid=${common.invalid} aria-describedby=${common.wrong} .value=${value} @input=${set} />
            ${secret ? html`<button type="button" class="btn" data-testid=${`tool-show-${name}`} aria-pressed=${open} aria-label=${`${open ? d.secretHide : d.secretShow}: ${plain}`} @click=${toggle}>${open ? d.secretHide : d.secretShow}</button>` : nothing}</span>`}
      ${name === "csv" ? html`<label class="btn file">${icon("file")}${d.nvs.file}<input type="file" class="hidden" accept=".csv,text/csv" data-testid="tool-file" @change=${this.#file} /></label>` : nothing}
      <p class="wrong" id=${common.wrong} data-testid=${`tool-wrong-${name}`}>${wrong ?? ""}</p></div>`;
  }

  readonly #file = async (event: Event) => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    const { tool } = this;
    // The same file may be chosen again.
    input.value = "";
    if (file === undefined) return;
    if (file.size > MOST_CSV * 1024 * 1024) {
      this.wrong = { message: `has to be at most ${MOST_CSV} MiB`, next: null, key: "csv" };
      this.#clear();
      return;
    }
    const text = await file.text();
    if (this.tool === tool) this.#set("csv", text);
  };

  #credentialInputs(wrongs: Map<string, string>): TemplateResult {
    const d = t();
    const { platform = "alibaba", mode = "", ...settings } = this.values;
    const modes = this.modes?.[platform as PlatformName] ?? [];
    const optional = modes.find((m) => m.mode === mode)?.optional ?? [];
    return html`<label><span>${d.overview.platform}</span><select data-testid="tool-input-platform" @change=${(event: Event) => void this.#credentials((event.target as HTMLSelectElement).value as PlatformName, "")}>
        ${PLATFORMS.map((name) => html`<option value=${name} ?selected=${name === platform}>${d.platform[name].name}</option>`)}
      </select></label>
      <label><span>${d.calculators.mode}</span><select class="mono" data-testid="tool-input-mode" @change=${(event: Event) => void this.#credentials(platform as PlatformName, (event.target as HTMLSelectElement).value)}>
        ${modes.map((m) => html`<option value=${m.mode} ?selected=${m.mode === mode}>${m.mode}</option>`)}
      </select></label>
      ${Object.keys(settings).map((name) => this.#field(name, html`<code>${name}</code>${optional.includes(name) ? html` <small>${d.tools.optional}</small>` : nothing}`, name, isSecretInput(platform, name), wrongs.get(name)))}`;
  }

  #topicInputs(): TemplateResult {
    const d = t();
    const { platform = "ucloud" } = this.values;
    const choose = (event: Event) => {
      const chosen = (event.target as HTMLSelectElement).value as PlatformName;
      const { product, device } = nameKeys(chosen);
      this.values = { platform: chosen, product: credentialExample(chosen, product), device: credentialExample(chosen, device) };
    };
    return html`<label><span>${d.calculators.topics.platform}</span><select data-testid="tool-input-platform" @change=${choose}>${PLATFORMS.map((name) => html`<option value=${name} ?selected=${name === platform}>${d.platform[name].name}</option>`)}</select></label>
      ${this.#field("product", html`${d.calculators.topics.product}`, d.calculators.topics.product, false, undefined)}${this.#field("device", html`${d.calculators.topics.device}`, d.calculators.topics.device, false, undefined)}`;
  }

  // ---------- from a device of this page ----------

  #fill(): TemplateResult | typeof nothing {
    const d = t().calculators;
    const { tool } = this;
    const some = devices.sessions.filter((session) => session.recording === null && this.#fits(session));
    if (some.length === 0 || tool === "time" || tool === "nvs" || tool === "sign" || tool === "wifi") return nothing;
    const choose = async (event: Event) => {
      const select = event.target as HTMLSelectElement;
      const session = some.find(({ id }) => String(id) === select.value);
      select.value = "";
      if (session !== undefined) await this.#from(session);
    };
    return html`<div class="tool-field"><label for="tool-from">${d.from}</label>
      <select id="tool-from" data-testid="tool-from" aria-describedby="tool-from-help" @change=${choose}><option value="">${d.fromNone}</option>${some.map((session) => html`<option value=${session.id}>${t().platform[session.plan.platform].short} · ${session.names.device}</option>`)}</select>
      <p class="quiet-text" id="tool-from-help" data-testid="tool-filled">${this.filled === "" ? d.fromHelp : this.filled}</p></div>`;
  }

  #fits(session: Session): boolean {
    const { platform } = session.plan;
    if (this.tool === "cipher") return platform === "alibaba";
    if (this.tool === "imei" || this.tool === "cmei") return platform === "cmcc";
    return true;
  }

  async #from(session: Session): Promise<void> {
    const d = t().calculators;
    const { platform } = session.plan;
    const { tool } = this;
    const credential = await session.credential().catch(() => undefined);
    if (tool === "topics") {
      this.values = { platform, ...session.names };
    } else {
      if (tool === "credentials" && this.values["platform"] !== platform) await this.#credentials(platform, credential === undefined ? "dynamic" : "static");
      const values = fillFrom(tool, Object.keys(this.values), { platform, settings: session.plan.settings, credential }, this.values["type"]);
      if (Object.keys(values).length === 0) {
        this.filled = d.fromNothing;
        announce(this.filled);
        return;
      }
      // What was looked at was another secret.
      this.shown = new Set();
      this.revealed = false;
      this.values = { ...this.values, ...(tool === "imei" || tool === "cmei" ? { do: "check" } : {}), ...values };
    }
    this.filled = d.fromDone(session.names.device);
    announce(this.filled);
    await this.#run();
  }

  // ---------- results ----------

  #results(): TemplateResult {
    const { tool, values, wrong, result, list, partition } = this;
    const wrongs = this.#wrongs();
    const source = sourceOf(tool, values["platform"] ?? "");
    const done = tool === "time" ? timeView(values["time"] ?? "", Date.now(), () => {}).result : tool === "topics" ? topicsView((values["platform"] ?? "ucloud") as PlatformName, values["product"] ?? "", values["device"] ?? "") : null;
    return html`${wrong === null || wrong.key !== null ? nothing : html`<p class="wrong" role="alert" data-testid="tool-error">${messageText(wrong.message)}${wrong.next === null ? nothing : html` ${messageText(wrong.next)}`}</p>`}
      ${wrongs.size > 0 ? html`<p class="wrong" role="alert" data-testid="tool-error">${[...wrongs].map(([name, problem]) => `${this.#labelOf(name)}: ${problem}`).join(" ")}</p>` : nothing}
      ${done ?? nothing}
      ${list === null ? nothing : html`<div data-testid="tool-result">${listView(list.rows, list.left)}</div>`}
      ${partition === null ? nothing : html`<div data-testid="tool-result">${nvsView(partition)}</div>`}
      ${result === null ? nothing : this.#result(result)}
      ${done === null && result === null && list === null && partition === null && wrong === null && wrongs.size === 0 ? html`<p class="quiet-text">${t().common.loading}</p>` : nothing}
      ${source === null ? nothing : this.#source(source)}`;
  }

  #labelOf(name: string): string {
    const label = INPUTS[this.tool]?.find((input) => input.name === name)?.label;
    return label === undefined ? name : say(label);
  }

  #source(source: Both): TemplateResult {
    return html`<p class="quiet-text" data-testid="tool-source"><b>${t().calculators.document}</b>: ${say(source)}</p>`;
  }

  /** The secrets among the inputs, wherever a result shows them. What is computed to be read, such as a key, is shown. */
  #secrets(): string[] {
    const { tool, values } = this;
    const names = tool === "credentials" ? Object.keys(values).filter((name) => isSecretInput(values["platform"] ?? "", name)) : (INPUTS[tool] ?? []).filter((input) => input.secret).map(({ name }) => name);
    return names.map((name) => values[name] ?? "").filter((value) => value !== "");
  }

  #result(result: Result): TemplateResult {
    const d = t();
    const { tool, values } = this;
    const secrets = this.#secrets();
    const show = (text: string) => (this.revealed ? text : covered(text, secrets));
    const batch = result.list.length > 0;
    return html`<div data-testid="tool-result" class="stack">
      ${result.warning === null ? nothing : html`<p class="caution">${messageText(result.warning)}</p>`}
      ${secrets.length === 0
        ? nothing
        : html`<label class="check"><input type="checkbox" data-testid="tool-reveal" .checked=${this.revealed} @change=${() => (this.revealed = !this.revealed)} />${d.calculators.reveal}</label>
            ${this.revealed ? nothing : html`<p class="quiet-text">${d.calculators.masked}</p>`}`}
      <dl class="stack">${result.lines.map((line) => html`<dt><code>${line.name}</code></dt><dd data-name=${line.name}><span>${maskedText(show(line.name === "why" ? messageText(line.value) : line.value))}</span>${copyButton(line.value, line.name)}</dd>`)}</dl>
      ${result.text === null ? nothing : html`<h3>${d.detail.stringToSign}</h3><div class="pre"><ol class="lines" data-testid="tool-string">${result.text.split("\n").map((line) => html`<li>${line}</li>`)}</ol>${copyButton(result.text, d.detail.stringToSign)}</div>`}
      ${batch
        ? html`<div class="buttons start"><button type="button" class="btn" data-testid="tool-csv" @click=${() => saveFile(`${tool}.csv`, "text/csv", [`${tool}\n${result.list.join("\n")}\n`])}>${icon("download")}${d.calculators.list.csv}</button></div>
            <div class="pre"><pre tabindex="0">${result.list.slice(0, 1000).join("\n")}</pre>${copyButton(result.list.join("\n"), d.tools.result)}</div>
            ${result.list.length > 1000 ? html`<p class="quiet-text">${d.calculators.list.more(result.list.length - 1000)}</p>` : nothing}`
        : nothing}
      ${result.steps.length === 0
        ? nothing
        : html`<h3>${d.tools.steps}</h3><ol class="tool-steps" data-testid="tool-steps">${result.steps.map((step) => html`<li><span>${stepName(step.name)}</span>${step.name === "rule" ? html`<p>${messageText(step.value)}</p>` : html`<code>${maskedText(show(step.value))}</code>`}</li>`)}</ol>`}
      ${(tool === "imei" || tool === "cmei") && !batch ? numberView(tool, this.#number(result, values)) : nothing}
    </div>`;
  }

  #number(result: Result, values: Record<string, string>): string {
    return result.lines.find(({ name }) => name === this.tool)?.value ?? values[this.tool] ?? "";
  }
}
