// Dialogs of the whole page: confirmations, the sheet of shortcuts, the settings of a device.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { say, t } from "../i18n";
import type { PlatformName, Storage } from "../muster/types";
import { clouds, type World } from "../state/clouds";
import { dropDraft, keepDraft } from "../state/draft";
import type { Refusal } from "../state/failure";
import { GROUPS, SETTINGS, cleaned, isSecret, problems, type Group, type Problem, type Setting } from "../state/settings";
import { messageText } from "../state/messages";
import { singleKeys } from "../state/keys";
import { CONTEXTS, SHORTCUTS, keyCap } from "../state/shortcuts";
import { filledIn } from "../state/presets";
import { relay } from "../state/relay";
import { kept } from "../state/store";
import { TEMPLATES, follows, withTemplate } from "../state/templates";
import { View } from "./base";
import { icon } from "./icons";
import { environments, way } from "./way";

export type Question = {
  title: string;
  text: string;
  ok: string;
  danger?: boolean;
  /** A box to tick, such as a new secret. */
  check?: string;
  /** A text to enter, and what says why it cannot be used. */
  input?: { value: string; wrong: (text: string) => string | null; line?: boolean };
};
export type Answer = { checked: boolean; text: string };

export type SettingsRequest = {
  platform: PlatformName;
  world: World;
  settings: Record<string, string>;
  storage: Storage;
  restart: boolean;
  refusal: Refusal | null;
  /** Secrets that went with a reload. */
  missing?: readonly string[];
  /** Whose settings they are; null: of a device that is yet to be. */
  device?: string | null;
  /** They stood in the dialog when the page was left. */
  restored?: boolean;
  /** The template that was chosen. */
  template?: string;
  /** Not a device's: the app's, without storage and presets. */
  list?: readonly Setting[];
  /** By the relay, on real clouds. */
  relay?: boolean;
  done: (settings: Record<string, string>, storage: Storage, relay: boolean) => void;
};

let host: Dialogs | undefined;

/** Resolves with null if the person changed their mind. */
export function ask(question: Question): Promise<Answer | null> {
  return host?.ask(question) ?? Promise.resolve(null);
}

export function openShortcuts(): void {
  host?.openShortcuts();
}

export function openSettings(request: SettingsRequest): void {
  host?.openSettings(request);
}

@customElement("m-dialogs")
export class Dialogs extends View {
  @state() private question: Question | null = null;
  @state() private shortcuts = false;
  @state() private request: SettingsRequest | null = null;
  @state() private draft: Record<string, string> = {};
  @state() private storage: Storage = "memory";
  @state() private template = "";
  @state() private relay = false;
  @state() private shown: ReadonlySet<string> = new Set();
  @state() private wrong: readonly Problem[] = [];
  @state() private inputWrong: string | null = null;
  #answer: ((answer: Answer | null) => void) | undefined;

  protected override stores() {
    return [relay];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    host = this;
  }

  ask(question: Question): Promise<Answer | null> {
    this.#answer?.(null);
    this.question = question;
    this.inputWrong = null;
    return new Promise((done) => {
      this.#answer = done;
    });
  }

  openShortcuts(): void {
    this.shortcuts = true;
  }

  openSettings(request: SettingsRequest): void {
    this.request = request;
    this.draft = { ...request.settings };
    this.storage = request.storage;
    this.relay = request.relay === true;
    this.shown = new Set();
    this.wrong = [];
    this.template = request.template ?? "";
    this.#drafted = request.restored === true;
  }

  /** What is typed survives a reload, without its secrets; once something was. */
  #drafted = false;
  #keepDraft(): void {
    const { request } = this;
    if (request === null || request.list !== undefined) return;
    keepDraft({ platform: request.platform, world: request.world, storage: this.storage, settings: this.draft, device: request.device ?? null, template: this.template, relay: this.relay });
  }

  protected override updated(changed: PropertyValues): void {
    if ((changed.has("draft") || changed.has("storage") || changed.has("template") || changed.has("relay")) && this.#drafted) this.#keepDraft();
    for (const dialog of this.querySelectorAll("dialog")) if (!dialog.open) dialog.showModal();
    if (this.request?.refusal?.key != null) {
      const input = this.querySelector<HTMLElement>(`[name="${CSS.escape(this.request.refusal.key)}"]`);
      if (input !== null && !this.contains(document.activeElement)) input.focus();
    }
  }

  override render(): TemplateResult {
    return html`${this.question === null ? nothing : this.#question(this.question)} ${this.shortcuts ? this.#sheet() : nothing}
    ${this.request === null ? nothing : this.#settings(this.request)}`;
  }

  // ---------- confirmations ----------

  #question(question: Question): TemplateResult {
    const d = t();
    const close = (answer: Answer | null) => {
      this.question = null;
      this.#answer?.(answer);
      this.#answer = undefined;
    };
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const form = event.target as HTMLFormElement;
      const text = form.querySelector<HTMLInputElement | HTMLTextAreaElement>("[data-testid=confirm-input]")?.value ?? "";
      const wrong = question.input?.wrong(text) ?? null;
      if (wrong !== null) {
        this.inputWrong = wrong;
        return;
      }
      close({ checked: form.querySelector<HTMLInputElement>("input[type=checkbox]")?.checked ?? false, text });
    };
    return html`<dialog class="small" aria-labelledby="question-title" data-testid="confirm" @close=${() => close(null)}>
      <form @submit=${submit}>
        <h2 id="question-title">${question.title}</h2>
        <p>${question.text}</p>
        ${question.input === undefined
          ? nothing
          : html`${question.input.line === true
                ? html`<input aria-label=${question.title} .value=${question.input.value} data-testid="confirm-input" autocomplete="off" spellcheck="false" />`
                : html`<textarea class="mono" rows="5" aria-label=${question.title} .value=${question.input.value} data-testid="confirm-input" spellcheck="false"></textarea>`}
              ${this.inputWrong === null ? nothing : html`<p class="wrong" role="alert">${this.inputWrong}</p>`}`}
        ${question.check === undefined ? nothing : html`<label class="check"><input type="checkbox" data-testid="confirm-check" />${question.check}</label>`}
        <div class="buttons">
          <button type="button" class="btn" data-testid="confirm-cancel" @click=${() => close(null)}>${d.common.cancel}</button>
          <button type="submit" class=${`btn ${question.danger === true ? "danger" : "pri"}`} data-testid="confirm-ok">${question.ok}</button>
        </div>
      </form>
    </dialog>`;
  }

  // ---------- shortcuts ----------

  #sheet(): TemplateResult {
    const d = t().shortcuts;
    const toggle = (event: Event) => kept.set("keys", (event.target as HTMLInputElement).checked ? "on" : "off");
    return html`<dialog class="large" aria-labelledby="shortcuts-title" data-testid="shortcuts-sheet" @close=${() => (this.shortcuts = false)}>
      <form method="dialog">
        <header><h2 id="shortcuts-title">${d.title}</h2><button class="quiet square" aria-label=${t().common.close} title="Esc">${icon("close")}</button></header>
        <div class="scroll sheet" tabindex="0" role="group" aria-labelledby="shortcuts-title">
        ${CONTEXTS.map(
          (context) => html`<section><h3>${d.contexts[context]}</h3>
            <dl class="keys">${SHORTCUTS.filter((shortcut) => shortcut.context === context).map(({ id, keys }) => html`<dt>${keys.map((key) => html`<kbd data-testid="shortcut-key" data-context=${context} data-key=${key}>${keyCap(key)}</kbd>`)}</dt><dd>${d.what[id]}</dd>`)}</dl></section>`,
        )}
        </div>
        <footer class="buttons">
        <label class="check"><input type="checkbox" .checked=${singleKeys()} @change=${toggle} />${d.single}</label>
          <span class="grow"></span><button class="btn pri">${t().common.close}</button>
        </footer>
      </form>
    </dialog>`;
  }

  // ---------- settings ----------

  #settings(request: SettingsRequest): TemplateResult {
    const d = t();
    const { platform } = request;
    const list = request.list ?? SETTINGS[platform];
    const close = () => {
      this.request = null;
      this.#drafted = false;
      dropDraft();
    };
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      this.wrong = problems(list, this.draft);
      const first = this.wrong[0];
      if (first !== undefined) {
        const input = this.querySelector<HTMLElement>(`[name="${CSS.escape(first.key)}"]`);
        input?.closest("details")?.setAttribute("open", "");
        input?.focus();
        return;
      }
      const { done } = request;
      const settings = request.list === undefined ? cleaned(platform, filledIn(this.draft)) : Object.fromEntries(Object.entries(this.draft).filter(([, value]) => value.trim() !== ""));
      close();
      done(settings, this.storage, this.relay && request.world === "real");
    };
    const name = request.list === undefined ? d.platform[platform].name : d.owner.settings;
    const basic: readonly Group[] = ["who", "where"];
    const groups = GROUPS.filter((group) => list.some((setting) => setting.group === group));
    const rest = groups.filter((group) => !basic.includes(group));
    const open = rest.some((group) => list.some((s) => s.group === group && (request.refusal?.key === s.key || this.wrong.some((w) => w.key === s.key))));
    return html`<dialog class="large" aria-labelledby="settings-title" data-testid="settings-dialog" @close=${close}>
      <form @submit=${submit} novalidate>
        <header>
          <h2 id="settings-title">${request.list === undefined ? d.settings.title(name) : name}</h2>
          <button type="button" class="quiet square" aria-label=${d.common.close} @click=${close}>${icon("close")}</button>
        </header>
        <div class="scroll">
          ${request.restored === true ? html`<p class="tip" role="status" data-testid="draft-restored">${d.devs.draftRestored}</p>` : nothing}
          <p class="lead">${d.settings.lead}</p>
          ${request.missing === undefined || request.missing.length === 0 ? nothing : html`<p class="caution" role="status" data-testid="settings-missing">${d.before.missing(request.missing.join(", "))}</p>`}
          ${request.refusal === null ? nothing : html`<p class="wrong" role="alert">${messageText(request.refusal.message)}</p>`}
          ${request.list === undefined ? this.#templates(request) : nothing}
          ${request.list === undefined && request.world === "real" ? environments(platform, this.draft, (settings) => (this.draft = { ...this.draft, ...settings })) : nothing}
          ${groups.filter((group) => basic.includes(group)).map((group) => this.#group(group, list, request))}
          ${request.list === undefined && request.world === "real" ? way(platform, this.draft, this.relay, this.#byRelay) : nothing}
          ${request.list === undefined ? this.#storage() : nothing}
          ${rest.length === 0
            ? nothing
            : html`<details class="more" ?open=${open}><summary>${d.settings.advanced}</summary>${rest.map((group) => this.#group(group, list, request))}</details>`}
        </div>
        <footer class="buttons">
          <button type="button" class="btn" data-testid="settings-cancel" @click=${close}>${d.common.cancel}</button>
          <button type="submit" class="btn pri" data-testid="settings-start">${request.restart ? d.settings.restart : d.settings.start}</button>
        </footer>
      </form>
    </dialog>`;
  }

  /** Ways to begin: each with when to use it. What a person chose holds until the settings are of another way. */
  #templates({ platform, settings }: SettingsRequest): TemplateResult {
    const d = t();
    const list = TEMPLATES[platform];
    const fitting = list.filter((template) => follows(platform, template, this.draft));
    const given = (key: string) => (this.draft[key] ?? "").trim() !== "";
    const chosen = fitting.find(({ id }) => id === this.template) ?? fitting.find(({ needs }) => needs.every(given)) ?? fitting[0];
    const choose = (event: Event) => {
      const id = (event.target as HTMLSelectElement).value;
      const template = list.find((one) => one.id === id);
      if (template === undefined) return;
      this.template = id;
      this.#drafted = true;
      this.draft = withTemplate(platform, template, this.draft, settings);
    };
    return html`<section class="template">
      <div class="field">
        <label for="template">${d.devs.template}</label>
        <select id="template" data-testid="template" aria-describedby="template-when" @change=${choose}>
          ${chosen === undefined ? html`<option value="" selected>${d.devs.templateOwn}</option>` : nothing}
          ${list.map((template) => html`<option value=${template.id} .selected=${template === chosen}>${say(template.name)}</option>`)}
        </select>
        ${chosen === undefined ? nothing : html`<small id="template-when" data-testid="template-when">${say(chosen.when)}${chosen.needs.length === 0 ? nothing : html` ${d.devs.templateNeeds(chosen.needs.join(", "))}`}</small>`}
      </div>
    </section>`;
  }

  #group(group: Group, list: readonly Setting[], request: SettingsRequest): TemplateResult {
    return html`<fieldset>
      <legend>${t().settings.group[group]}</legend>
      ${list.filter((setting) => setting.group === group).map((setting) => this.#field(setting, request))}
    </fieldset>`;
  }

  #field(setting: Setting, request: SettingsRequest): TemplateResult {
    const d = t();
    const { key, kind } = setting;
    const id = `setting-${key}`;
    const value = this.draft[key] ?? "";
    const set = (event: Event) => {
      this.#drafted = true;
      this.draft = { ...this.draft, [key]: (event.target as HTMLInputElement).value };
    };
    const wrong = this.#wrong(setting, request);
    const secret = kind.type === "secret" || isSecret(request.platform, key);
    const shown = this.shown.has(key);
    const described = `${id}-help`;
    const input = ((): TemplateResult => {
      if (kind.type === "choice" || kind.type === "flag") {
        const values = kind.type === "flag" ? ["true", "false"] : kind.values;
        const text = (v: string) => (kind.type === "flag" ? (v === "true" ? d.common.yes : d.common.no) : v);
        return html`<select id=${id} name=${key} data-testid=${id} aria-describedby=${described} @change=${set}>
          ${setting.default === undefined ? html`<option value="" ?selected=${value === ""}>–</option>` : nothing}
          ${values.map((v) => html`<option value=${v} ?selected=${(value === "" ? setting.default : value) === v}>${text(v)}${v === setting.default ? ` ${d.settings.byDefault}` : ""}</option>`)}
        </select>`;
      }
      return html`<span class="with-button"><input
          id=${id}
          name=${key}
          data-testid=${id}
          type=${secret && !shown ? "password" : "text"}
          inputmode=${kind.type === "number" ? "numeric" : kind.type === "url" ? "url" : "text"}
          autocomplete="off"
          spellcheck="false"
          placeholder=${setting.default === undefined ? "" : d.settings.default(setting.default)}
          aria-describedby=${described}
          aria-invalid=${wrong !== null}
          aria-required=${setting.required === true}
          .value=${value}
          @input=${set}
        />${secret
          ? html`<button type="button" class="quiet" aria-pressed=${shown} @click=${() => this.#show(key)}>${shown ? d.common.hide : d.common.show}</button>`
          : nothing}</span>`;
    })();
    return html`<div class=${`field${wrong === null ? "" : " bad"}`}>
      <label for=${id}><code>${key}</code>${setting.vendor === "–" || setting.vendor === key ? nothing : html` <span translate="no">${setting.vendor}</span>`}${setting.required === true ? html`<span class="needed" aria-hidden="true">*</span>` : nothing}</label>
      ${input}
      <small id=${described}>${wrong === null ? nothing : html`<span class="wrong">${wrong}</span> · `}${say(setting.help)}${this.#warn(setting, value)}</small>
    </div>`;
  }

  #warn(setting: Setting, value: string): TemplateResult | typeof nothing {
    const d = t().settings;
    if (setting.kind.type !== "url") return nothing;
    if (this.relay && this.request?.world === "real") return nothing;
    if (/^mqtts?:/i.test(value)) return html` <span class="caution">${d.plainTcp}</span>`;
    const open = /^(ws|http):\/\/(?!127\.|localhost|\[::1\])/i.test(value);
    if (open && location.protocol === "https:") return html` <span class="caution">${d.mixed}</span>`;
    return nothing;
  }

  #wrong(setting: Setting, request: SettingsRequest): string | null {
    const d = t().settings;
    const found = this.wrong.find((problem) => problem.key === setting.key);
    if (found === undefined) return request.refusal?.key === setting.key && this.draft[setting.key] === request.settings[setting.key] ? messageText(request.refusal.message) : null;
    const { kind } = setting;
    if (found.problem === "number" && kind.type === "number") return d.number(kind.min, kind.max);
    if (found.problem === "scheme" && kind.type === "url") return d.scheme(kind.schemes.map((s) => `${s}://`).join(", "));
    return found.problem === "url" ? d.url : d.required;
  }

  #show(key: string): void {
    const shown = new Set(this.shown);
    if (!shown.delete(key)) shown.add(key);
    this.shown = shown;
  }

  readonly #byRelay = (on: boolean) => {
    this.#drafted = true;
    this.relay = on;
  };

  #store(value: Storage): void {
    this.#drafted = true;
    this.storage = value;
  }

  #storage(): TemplateResult {
    const d = t().storage;
    const option = (value: Storage, text: string, help: string) => html`<label class=${`option${this.storage === value ? " on" : ""}`}>
      <input type="radio" name="storage" value=${value} data-testid=${`storage-${value}`} .checked=${this.storage === value} @change=${() => this.#store(value)} />
      <span><b>${text}</b><small>${help}</small></span>
    </label>`;
    return html`<fieldset>
      <legend>${d.label}</legend>
      <div class="options">${option("memory", d.memory, d.memoryHelp)}${option("browser", d.browser, d.browserHelp)}</div>
      ${this.request?.world === "tab" && this.storage === "browser" && !clouds.tabKept ? html`<p class="caution">${d.mismatch}</p>` : nothing}
    </fieldset>`;
  }
}
