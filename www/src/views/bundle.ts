// The whole page as a file. Loaded when it is first asked for.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../i18n";
import { bundleParts } from "../state/bundle";
import { devices, type Session } from "../state/devices";
import { library } from "../state/library";
import { MOST, freeName, named, namedWithSecrets, nameFor, type NamedProfile } from "../state/named";
import { profilesText } from "../state/profile-file";
import { View, segments } from "./base";
import { icon } from "./icons";
import { saveFile } from "./save";

type Form = "page" | "profiles";
const FORMS: readonly Form[] = ["page", "profiles"];

export function openBundle(): void {
  document.body.append(new BundleDialog());
}

@customElement("m-bundle")
export class BundleDialog extends View {
  @state() private form: Form = "page";
  @state() private timelines = true;
  @state() private profiles = true;
  @state() private secrets = false;

  protected override stores() {
    return [library];
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (dialog !== null && !dialog.open) dialog.showModal();
  }

  get #sessions(): readonly Session[] {
    return devices.sessions.filter((session) => session.recording === null);
  }

  override render(): TemplateResult {
    const d = t().devs;
    const sessions = this.#sessions;
    const saved = library.profiles.length;
    const entries = sessions.reduce((sum, session) => sum + session.log.entries, 0);
    const box = (testid: string, text: string, on: boolean, set: (on: boolean) => void, described?: string) =>
      html`<label class="check"><input type="checkbox" data-testid=${testid} aria-describedby=${described ?? nothing} .checked=${on} @change=${(event: Event) => set((event.target as HTMLInputElement).checked)} />${text}</label>`;
    return html`<dialog class="large" aria-labelledby="bundle-title" data-testid="page-dialog" @close=${() => this.remove()}>
      <form method="dialog">
        <header><h2 id="bundle-title">${d.pageTitle}</h2><button class="quiet square" aria-label=${t().common.close} title="Esc" data-testid="page-close">${icon("close")}</button></header>
        <div class="scroll">
          <p class="lead">${d.pageLead}</p>
          ${segments(d.pageForm, FORMS.map((value) => ({ value, text: d.pageForms[value], testid: `page-form-${value}` })), this.form, (form) => (this.form = form))}
          <div class="part">
            <p>${d.pageDevices(sessions.length)}</p>
            ${this.form === "page" && sessions.some(({ plan }) => (plan.faults?.length ?? 0) > 0 || (plan.script ?? "") !== "") ? html`<p class="quiet-text" data-testid="page-faults">${d.pageFaults}</p>` : nothing}
            ${sessions.length < devices.sessions.length ? html`<p class="quiet-text">${d.pageRecordings}</p>` : nothing}
            ${this.form === "page" ? box("page-timelines", d.pageTimelines(entries), this.timelines, (on) => (this.timelines = on)) : nothing}
            ${saved === 0 ? nothing : box("page-profiles", d.pageProfiles(saved), this.profiles, (on) => (this.profiles = on))}
            ${box("page-secrets", d.pageSecrets, this.secrets, (on) => (this.secrets = on), "page-secrets-help")}
            <p id="page-secrets-help" class=${this.secrets ? "wrong" : "quiet-text"} role=${this.secrets ? "alert" : nothing}>${d.pageSecretsHelp}</p>
          </div>
        </div>
        <footer class="buttons">
          <button class="btn">${t().common.cancel}</button>
          <button type="button" class=${`btn ${this.secrets ? "danger" : "pri"}`} data-testid="page-download" @click=${() => this.#save()}>${icon("download")}${this.secrets ? d.pageSecretsDownload : d.pageDownload}</button>
        </footer>
      </form>
    </dialog>`;
  }

  #save(): void {
    const now = new Date();
    const { secrets, timelines } = this;
    const saved = this.profiles ? library.profiles : [];
    const stamp = now.toISOString().slice(0, 19).replace(/[-:]/g, "");
    const what = secrets ? "-with-secrets" : "";
    if (this.form === "page") saveFile(`muster-page${what}-${stamp}.json`, "application/json", [...bundleParts(this.#sessions, saved, { timelines, secrets }, now)]);
    else saveFile(`muster-profiles${what}-${stamp}.json`, "application/json", [profilesText(this.#named(saved), now, secrets)]);
    this.remove();
  }

  /** The devices as profiles behind the saved ones, each with a name of its own. */
  #named(saved: readonly NamedProfile[]): NamedProfile[] {
    const out = [...saved];
    const taken = new Set(saved.map(({ name }) => name));
    for (const session of this.#sessions) {
      const name = freeName(session.label === "" ? nameFor(session.plan) : session.label.slice(0, MOST.name), taken);
      taken.add(name);
      const profile = (this.secrets ? namedWithSecrets : named)(name, session.plan);
      out.push({ ...profile, missing: [...new Set([...profile.missing, ...session.missing])] });
    }
    return out;
  }
}
