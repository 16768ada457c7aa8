// The dialog that writes a session to a file, or to a ticket. Loaded when it is first asked for.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../i18n";
import { clock } from "../state/clock";
import type { Session } from "../state/devices";
import { fileParts, redaction, type Source } from "../state/recording";
import { MOST_ENTRIES, reportText } from "../state/report";
import { messageText } from "../state/messages";
import { hostOf, wordText } from "../state/texts";
import type { Row } from "../state/timeline";
import { View, announce, copyText } from "./base";
import { icon } from "./icons";
import { saveFile } from "./save";

let dialog: ExportDialog | undefined;

/** `shown`: what a filter lets through; null: there is none. */
export function openExport(session: Session, shown: readonly Row[] | null): void {
  dialog ??= document.body.appendChild(document.createElement("m-export") as ExportDialog);
  dialog.open(session, shown);
}

@customElement("m-export")
export class ExportDialog extends View {
  @state() private session: Session | null = null;
  @state() private shown: readonly Row[] | null = null;
  @state() private scope: "all" | "shown" = "all";
  @state() private unnamed = false;
  @state() private report = "";
  @state() private copied = false;
  @state() private replayed = true;
  @state() private problem = "";
  @state() private making = false;
  #now = new Date();

  open(session: Session, shown: readonly Row[] | null): void {
    this.session = session;
    // What comes meanwhile is not in it: what is previewed is what is written.
    this.shown = shown === null ? null : [...shown];
    this.scope = shown === null ? "all" : "shown";
    this.#now = new Date();
    this.problem = "";
    this.#make();
  }

  protected override updated(): void {
    const element = this.querySelector("dialog");
    if (element !== null && !element.open) element.showModal();
  }

  #rows(session: Session): readonly Row[] {
    return this.scope === "shown" && this.shown !== null ? this.shown : session.log.rows;
  }

  #source(session: Session): { source: Source; cover: (text: string) => string } {
    const rows = this.#rows(session);
    const identity = session.facts.identity?.device;
    const cover = redaction(session.plan, session.log.rows, identity === undefined ? [] : [identity], this.unnamed);
    return { source: { plan: session.plan, rows, lives: [...session.lives, ...(session.owner?.lives ?? [])] }, cover };
  }

  #make(): void {
    const { session } = this;
    if (session === null) return;
    const { source, cover } = this.#source(session);
    const { settings, platform, world } = session.plan;
    const address = world === "tab" ? t().lanes.inTab : hostOf(settings["broker"] ?? settings["base_url"] ?? "");
    const state = session.recording !== null ? t().recording.word : wordText(session.facts, platform, session.failure !== null, clock.now);
    this.report = reportText({ ...source, phases: session.log.phases.slice(-40), state, names: session.names, address, browser: navigator.userAgent }, this.#now, !this.unnamed, cover);
    this.copied = false;
  }

  #name(end: string): string {
    const { session } = this;
    const device = this.unnamed || session === null ? "device-1" : session.names.device.replace(/[^\w.-]+/g, "_");
    return `muster-${session?.plan.platform ?? ""}-${device}-${this.#now.toISOString().slice(0, 19).replace(/[-:]/g, "")}.${end}`;
  }

  /** What is not all of it, or hides who it is, is nothing that can be replayed. */
  get #replayable(): boolean {
    return this.session !== null && this.session.recorded.length > 0 && this.scope === "all" && !this.unnamed;
  }

  async #json(): Promise<void> {
    const { session } = this;
    if (session === null || this.making) return;
    const { source, cover } = this.#source(session);
    // Without a wish for it not even what an opened file brought along.
    source.lives = source.lives.map((life) => ({ ...life, replay: null }));
    this.problem = "";
    if (this.replayed && this.#replayable) {
      this.making = true;
      try {
        const { lives, problem } = await session.covered();
        source.lives = [...lives, ...(session.owner?.lives ?? [])];
        if (problem !== null) this.problem = t().replay.exportFailed(messageText(problem.message));
      } catch (error) {
        this.problem = t().replay.exportFailed(error instanceof Error ? error.message : String(error));
      } finally {
        this.making = false;
      }
    }
    saveFile(this.#name("json"), "application/json", [...fileParts(source, this.#now, cover)]);
  }

  async #copy(): Promise<void> {
    this.copied = await copyText(this.report);
    if (this.copied) announce(t().common.copied);
  }

  override render(): TemplateResult | typeof nothing {
    const { session, shown } = this;
    if (session === null) return nothing;
    const d = t().exporting;
    const entries = (rows: readonly Row[]) => rows.reduce((sum, row) => sum + Number(row.type === "entry"), 0);
    const count = entries(this.#rows(session));
    const choose = (scope: "all" | "shown") => () => {
      this.scope = scope;
      this.#make();
    };
    return html`<dialog class="large" aria-labelledby="export-title" data-testid="export-dialog" @close=${() => (this.session = null)}>
      <form method="dialog">
        <header><h2 id="export-title">${d.title}</h2><button class="quiet square" aria-label=${t().common.close} title="Esc" data-testid="export-close">${icon("close")}</button></header>
        <div class="scroll">
          ${shown === null
            ? nothing
            : html`<fieldset class="stack"><legend class="hidden">${d.what}</legend>
                <label class="check"><input type="radio" name="scope" data-testid="export-shown" .checked=${this.scope === "shown"} @change=${choose("shown")} />${d.some(t().timeline.entries(entries(shown)))}</label>
                <label class="check"><input type="radio" name="scope" data-testid="export-all" .checked=${this.scope === "all"} @change=${choose("all")} />${d.all(t().timeline.entries(session.log.entries))}</label>
              </fieldset>`}
          <div>
            <label class="check"><input type="checkbox" data-testid="export-names" aria-describedby="export-names-help" .checked=${this.unnamed} @change=${this.#toggle} />${d.names}</label>
            <p class="quiet-text" id="export-names-help">${d.namesHelp}</p>
          </div>
          ${session.recorded.length === 0
            ? nothing
            : html`<div>
                <label class="check"><input type="checkbox" data-testid="export-replay" aria-describedby="export-replay-help" ?disabled=${!this.#replayable} .checked=${this.replayed && this.#replayable} @change=${(event: Event) => (this.replayed = (event.target as HTMLInputElement).checked)} />${t().replay.exportWith}</label>
                <p class="quiet-text" id="export-replay-help">${t().replay.exportHelp}</p>
              </div>`}
          <p class="quiet-text">${d.secrets}</p>
          ${this.problem === "" ? nothing : html`<p class="wrong" role="alert" data-testid="export-problem">${this.problem}</p>`}
          ${count > MOST_ENTRIES ? html`<p class="quiet-text">${d.cut(MOST_ENTRIES)}</p>` : nothing}
          <pre class="report" tabindex="0" aria-label=${d.preview} data-testid="report">${this.report}</pre>
        </div>
        <footer class="buttons">
          <button type="button" class="btn" data-testid="export-copy" @click=${() => this.#copy()}>${icon(this.copied ? "check" : "copy")}${this.copied ? t().common.copied : d.copy}</button>
          <button type="button" class="btn" data-testid="export-report" @click=${() => saveFile(this.#name("md"), "text/markdown", [this.report])}>${icon("download")}${d.report}</button>
          <button type="button" class="btn pri" data-testid="export-json" ?disabled=${this.making} @click=${() => this.#json()}>${icon("download")}${d.json}</button>
        </footer>
      </form>
    </dialog>`;
  }

  readonly #toggle = (event: Event) => {
    this.unnamed = (event.target as HTMLInputElement).checked;
    this.#make();
  };
}
