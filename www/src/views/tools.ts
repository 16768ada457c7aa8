// The calculators. Each begins with an example that is worked out.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { say, t } from "../i18n";
import type { PlatformName, Tools } from "../muster/types";
import { engine } from "../state/engine";
import { refusal } from "../state/failure";
import { messageText, stepName } from "../state/messages";
import { router } from "../state/router";
import { CIPHER, CMEI, IMEI, SIGN, TOOLS, TOOL_TEXTS, calculate, credentialExample, examples, readResult, usedInputs, type Input, type Result, type ToolName } from "../state/tools";
import { View, copyButton } from "./base";
import { PLATFORMS } from "./devices";

type Modes = Awaited<ReturnType<Tools["credentialModes"]>>;

const FIXED: Partial<Record<ToolName, readonly Input[]>> = { cipher: CIPHER, sign: SIGN, cmei: CMEI, imei: IMEI };

@customElement("m-tools")
export class ToolsView extends View {
  @state() private values: Record<string, string> = {};
  @state() private result: Result | null = null;
  @state() private wrong: { message: string; next: string | null } | null = null;
  @state() private modes: Modes | null = null;
  @state() private busy = false;
  #tool: ToolName | null = null;
  #round = 0;

  protected override stores() {
    return [router, engine];
  }

  get tool(): ToolName {
    return TOOLS.find((name) => name === router.route.rest[0]) ?? "cipher";
  }

  protected override willUpdate(): void {
    if (this.#tool === this.tool) return;
    this.#tool = this.tool;
    this.#example();
  }

  #example(): void {
    this.result = null;
    this.wrong = null;
    if (this.tool === "credentials") {
      void this.#credentials("alibaba", "static");
      return;
    }
    this.values = examples(FIXED[this.tool] ?? []);
    void this.#run();
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

  async #run(): Promise<void> {
    const { tool, values } = this;
    this.#round += 1;
    const round = this.#round;
    this.busy = true;
    try {
      const { tools } = await engine.get();
      const result = readResult(await calculate(tools, tool, values));
      if (round !== this.#round) return;
      this.result = result;
      this.wrong = null;
    } catch (error) {
      if (round !== this.#round) return;
      this.result = null;
      this.wrong = refusal(error);
    } finally {
      if (round === this.#round) this.busy = false;
    }
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
          <form class="box stacked" @submit=${submit}>
            <h3>${d.input}</h3>
            ${tool === "credentials" ? this.#credentialInputs() : usedInputs(tool, FIXED[tool] ?? [], this.values).map((input) => this.#input(input))}
            <div class="buttons start">
              <button class="btn pri" data-testid="tool-run" ?disabled=${this.busy && engine.state === "loading"}>${d.run}</button>
              <button type="button" class="btn" @click=${() => this.#example()}>${d.example}</button>
            </div>
            <p class="quiet-text">${d.working}</p>
          </form>
          <section class="box" aria-label=${d.result} aria-live="polite">
            <h3>${d.result}</h3>
            ${this.wrong === null ? nothing : html`<p class="wrong" role="alert" data-testid="tool-error">${messageText(this.wrong.message)}${this.wrong.next === null ? nothing : html` ${messageText(this.wrong.next)}`}</p>`}
            ${this.result === null ? (this.wrong === null ? html`<p class="quiet-text">${t().common.loading}</p>` : nothing) : this.#result(this.result)}
          </section>
        </div>
      </div>
    </div>`;
  }

  #set(name: string, value: string): void {
    this.values = { ...this.values, [name]: value };
  }

  #input(input: Input): TemplateResult {
    const value = this.values[input.name] ?? "";
    const set = (event: Event) => this.#set(input.name, (event.target as HTMLInputElement).value);
    const testid = `tool-input-${input.name}`;
    if (input.choices !== undefined) {
      const choose = (event: Event) => {
        set(event);
        void this.#run();
      };
      return html`<label><span>${say(input.label)}</span><select data-testid=${testid} @change=${choose}>${input.choices.map((choice) => html`<option value=${choice.value} ?selected=${choice.value === value}>${say(choice.text)}</option>`)}</select></label>`;
    }
    if (input.lines !== undefined) return html`<label><span>${say(input.label)}</span><textarea rows=${input.lines} data-testid=${testid} spellcheck="false" .value=${value} @input=${set}></textarea></label>`;
    return html`<label><span>${say(input.label)}</span><input class="mono" data-testid=${testid} autocomplete="off" spellcheck="false" .value=${value} @input=${set} /></label>`;
  }

  #credentialInputs(): TemplateResult {
    const d = t();
    const { platform = "alibaba", mode = "", ...settings } = this.values;
    const modes = this.modes?.[platform as PlatformName] ?? [];
    const optional = modes.find((m) => m.mode === mode)?.optional ?? [];
    return html`<label><span>${d.overview.platform}</span><select data-testid="tool-input-platform" @change=${(event: Event) => void this.#credentials((event.target as HTMLSelectElement).value as PlatformName, "")}>
        ${PLATFORMS.map((name) => html`<option value=${name} ?selected=${name === platform}>${d.platform[name].name}</option>`)}
      </select></label>
      <label><span>mode</span><select data-testid="tool-input-mode" @change=${(event: Event) => void this.#credentials(platform as PlatformName, (event.target as HTMLSelectElement).value)}>
        ${modes.map((m) => html`<option value=${m.mode} ?selected=${m.mode === mode}>${m.mode}</option>`)}
      </select></label>
      ${Object.keys(settings).map(
        (name) => html`<label><span><code>${name}</code>${optional.includes(name) ? html` <small>${d.tools.optional}</small>` : nothing}</span><input class="mono" data-testid=${`tool-input-${name}`} autocomplete="off" spellcheck="false" .value=${settings[name] ?? ""} @input=${(event: Event) => this.#set(name, (event.target as HTMLInputElement).value)} /></label>`,
      )}`;
  }

  #result(result: Result): TemplateResult {
    const d = t().tools;
    return html`<div data-testid="tool-result" class="stack">
      ${result.warning === null ? nothing : html`<p class="caution">${messageText(result.warning)}</p>`}
      <dl class="stack">${result.lines.map((line) => html`<dt><code>${line.name}</code></dt><dd data-name=${line.name}>${line.value}${copyButton(line.value, line.name)}</dd>`)}</dl>
      ${result.text === null ? nothing : html`<h3>${t().detail.stringToSign}</h3><div class="pre"><ol class="lines">${result.text.split("\n").map((line) => html`<li>${line}</li>`)}</ol>${copyButton(result.text, t().detail.stringToSign)}</div>`}
      ${result.list.length === 0 ? nothing : html`<div class="pre"><pre tabindex="0">${result.list.join("\n")}</pre>${copyButton(result.list.join("\n"), d.result)}</div>`}
      ${result.steps.length === 0
        ? nothing
        : html`<h3>${d.steps}</h3><ol class="tool-steps" data-testid="tool-steps">${result.steps.map((step) => html`<li><span>${stepName(step.name)}</span>${step.name === "rule" ? html`<p>${messageText(step.value)}</p>` : html`<code>${step.value}</code>`}</li>`)}</ol>`}
    </div>`;
  }
}
