// A device's script: an editor, examples, and what it says.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { clockText, i18n } from "../i18n";
import { panel as en } from "../i18n/en-script-panel";
import { panel as zh } from "../i18n/zh-script-panel";
import { EXAMPLES } from "../script/examples";
import type { Place } from "../script/protocol";
import type { Session } from "../state/devices";
import { LONGEST_SCRIPT } from "../state/profiles";
import { scriptOf, type Script } from "../state/script";
import { View, announce } from "./base";
import { ask } from "./dialogs";
import { icon } from "./icons";
import "../styles/script.css";

const say = () => (i18n.language === "zh" ? zh : en);
/** What is written is kept after so long a rest. */
const REST = 400;

@customElement("m-script")
export class ScriptView extends View {
  session!: Session;
  @state() private text = "";
  #script: Script | undefined;
  #shown: Session | undefined;
  #ends: (() => void) | undefined;
  #keep: ReturnType<typeof setTimeout> | undefined;
  #said = "";
  #frame = 0;

  static override properties = { session: { attribute: false } };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#save();
    this.#ends?.();
    this.#shown = undefined;
    cancelAnimationFrame(this.#frame);
  }

  protected override willUpdate(): void {
    if (this.#shown === this.session) return;
    this.#save();
    this.#ends?.();
    this.#shown = this.session;
    this.#script = scriptOf(this.session);
    this.text = this.session.plan.script ?? "";
    // Lines may come by the hundred.
    this.#ends = this.#script.subscribe(() => {
      cancelAnimationFrame(this.#frame);
      this.#frame = requestAnimationFrame(() => this.requestUpdate());
    });
  }

  protected override updated(): void {
    const script = this.#script;
    if (script === undefined) return;
    const said = script.running ? say().running : script.ended === null ? "" : say().ended[script.ended];
    if (said !== this.#said && this.#said !== "") announce(said);
    this.#said = said;
    const list = this.querySelector(".script-lines");
    if (list !== null && script.running) list.scrollTop = list.scrollHeight;
  }

  override render(): TemplateResult {
    const d = say();
    const script = this.#script;
    if (script === undefined) return html``;
    const { platform } = this.session.plan;
    const long = this.text.length > LONGEST_SCRIPT;
    return html`<div class="script">
      <p class="quiet-text">${d.lead}</p>
      <div class="script-bar">
        <select class="slim sans" data-testid="script-example" aria-label=${d.example} @change=${this.#example}>
          <option value="">${d.choose}</option>
          ${EXAMPLES.filter((example) => example.platforms.includes(platform)).map((example) => html`<option value=${example.id}>${d.examples[example.id]}</option>`)}
        </select>
        <span class="joined">
          <button type="button" class="btn pri" data-testid="script-run" ?disabled=${this.text.trim() === "" || long} @click=${() => this.#run()}>${icon("play")}${script.running ? d.again : d.run}</button>
          <button type="button" class="btn" data-testid="script-stop" ?disabled=${!script.running} @click=${() => script.stop()}>${d.stop}</button>
        </span>
        <span class="quiet-text" data-testid="script-state" data-state=${script.running ? "running" : (script.ended ?? "off")}>${script.running ? d.running : script.ended === null ? nothing : d.ended[script.ended]}</span>
      </div>
      ${long ? html`<p class="bad-text" role="alert">${d.tooLong}</p>` : nothing}
      <textarea class="script-text" rows="8" spellcheck="false" autocomplete="off" wrap="off" aria-label=${d.editor} data-testid="script-text" .value=${this.text} @input=${this.#input}></textarea>
      <section aria-labelledby="script-output">
        <div class="fault-head"><h4 id="script-output">${d.output}</h4>${script.lines.length === 0 ? nothing : html`<button type="button" class="btn" data-testid="script-clear" @click=${() => this.#clear()}>${d.clear}</button>`}</div>
        ${script.lines.length === 0
          ? html`<p class="quiet-text">${d.nothing}</p>`
          : html`<div class="script-lines" tabindex="0" role="log" aria-labelledby="script-output"><ol>${script.lines.map(
              ({ at, level, text, place }) => html`<li class=${level} data-testid="script-line" data-level=${level}><time>${clockText(at)}</time><span>${level === "note" ? (d.notes[text] ?? text) : text}${place === null ? nothing : html` <button type="button" class="quiet" data-testid="script-place" data-line=${place.line} @click=${() => this.#go(place)}>${d.at(place.line, place.column)}</button>`}</span></li>`,
            )}</ol></div>`}
      </section>
      <details class="more"><summary>${d.help}</summary><dl class="script-api">${d.api.map(([code, text]) => html`<dt><code>${code}</code></dt><dd class="sans">${text}</dd>`)}</dl></details>
    </div>`;
  }

  readonly #input = (event: Event) => {
    this.text = (event.target as HTMLTextAreaElement).value;
    clearTimeout(this.#keep);
    this.#keep = setTimeout(() => this.#save(), REST);
  };

  #save(): void {
    clearTimeout(this.#keep);
    const session = this.#shown;
    if (session !== undefined && this.text.length <= LONGEST_SCRIPT && (session.plan.script ?? "") !== this.text) session.setScript(this.text);
  }

  #run(): void {
    this.#save();
    this.#script?.run(this.text);
  }

  #clear(): void {
    const script = this.#script;
    if (script !== undefined) script.lines.length = 0;
    this.requestUpdate();
  }

  readonly #example = async (event: Event) => {
    const select = event.target as HTMLSelectElement;
    const example = EXAMPLES.find(({ id }) => id === select.value);
    select.value = "";
    if (example === undefined) return;
    const d = say();
    const own = this.text.trim() !== "" && !EXAMPLES.some(({ source }) => source === this.text);
    if (own && (await ask({ title: d.replaceTitle, text: d.replaceText, ok: d.replaceOk, danger: true })) === null) return;
    this.text = example.source;
    this.#save();
  };

  /** Puts the cursor where an error was. */
  #go({ line, column }: Place): void {
    const area = this.querySelector<HTMLTextAreaElement>(".script-text");
    if (area === null) return;
    const lines = this.text.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const end = before + (lines[line - 1]?.length ?? 0);
    area.focus();
    area.setSelectionRange(Math.min(end, before + Math.max(0, column - 1)), end);
    area.scrollTop = Math.max(0, (line - 4) * 20);
  }
}
