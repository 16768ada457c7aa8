// The saved profiles. Loaded when they are first asked for.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../i18n";
import { clouds } from "../state/clouds";
import { devices } from "../state/devices";
import { library } from "../state/library";
import { linkOf } from "../state/link";
import { MOST, isDeceiving, planOf, type NamedProfile } from "../state/named";
import { notices } from "../state/notices";
import { profilesText } from "../state/profile-file";
import { router } from "../state/router";
import { nameKeys } from "../state/settings";
import { View, announce, copyText } from "./base";
import { icon } from "./icons";
import { openFile } from "./incoming";
import { fileName, saveFile } from "./save";

export function openLibrary(): void {
  document.body.append(new LibraryDialog());
}

@customElement("m-library")
export class LibraryDialog extends View {
  @state() private copied = "";
  @state() private renaming: { name: string; to: string } | null = null;

  protected override stores() {
    return [library];
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (dialog !== null && !dialog.open) dialog.showModal();
    if (this.renaming !== null) {
      const input = this.querySelector<HTMLInputElement>("[data-testid=profile-name]");
      if (input !== null && document.activeElement !== input) input.select();
    }
  }

  override render(): TemplateResult {
    const d = t();
    const { profiles } = library;
    const all = () => saveFile("muster-profiles.json", "application/json", [profilesText(profiles, new Date(), false)]);
    return html`<dialog class="large" aria-labelledby="library-title" data-testid="profiles-dialog" @close=${() => this.remove()}>
      <form method="dialog" @submit=${this.#submit}>
        <header><h2 id="library-title">${d.devs.profilesTitle}</h2><button type="button" class="quiet square" aria-label=${d.common.close} title="Esc" data-testid="profiles-close" @click=${() => this.remove()}>${icon("close")}</button></header>
        <div class="scroll">
          <p class="lead">${d.devs.profilesLead}</p>
          ${profiles.length === 0 ? html`<p>${d.devs.noProfiles}</p>` : html`<ul class="profile-rows">${profiles.map((profile) => this.#row(profile))}</ul>`}
        </div>
        <footer class="buttons">
          <span class="quiet-text grow">${d.devs.openHelp}</span>
          <label class="btn file">${icon("file")}${d.devs.openFile}<input type="file" class="hidden" accept=".json,.toml,application/json" data-testid="profiles-open" @change=${this.#open} /></label>
          <button type="button" class="btn" data-testid="profiles-export" ?disabled=${profiles.length === 0} @click=${all}>${icon("download")}${d.devs.exportAll}</button>
        </footer>
      </form>
    </dialog>`;
  }

  #row(profile: NamedProfile): TemplateResult {
    const d = t();
    const { name, platform, world, settings } = profile;
    const names = nameKeys(platform);
    const link = linkOf([profile], location.href);
    const copied = this.copied === name;
    const one = () => saveFile(fileName(`muster-profile-${name}`, "json"), "application/json", [profilesText([profile], new Date(), false)]);
    return html`<li class="profile-row" data-testid="profile-row" data-name=${name}>
      <div class="profile-what">
        ${this.renaming?.name === name ? this.#rename(this.renaming) : html`<b>${name}</b>`}
        <small>${d.platform[platform].short} · ${d.world[world]} · <code>${settings[names.product] ?? "–"} ${settings[names.device] ?? ""}</code></small>
      </div>
      <div class="buttons">
        <button type="button" class="btn pri" data-testid="profile-use" @click=${() => this.#use(profile)}>${icon("plus")}${d.devs.use}</button>
        ${link === null ? nothing : html`<button type="button" class="btn" data-testid="profile-link" @click=${() => this.#copy(name, link)}>${icon(copied ? "check" : "copy")}${copied ? d.common.copied : d.devs.copyLink}</button>`}
        <button type="button" class="btn" data-testid="profile-export" @click=${one}>${icon("download")}${d.devs.exportOne}</button>
        <button type="button" class="btn" data-testid="profile-rename" @click=${() => (this.renaming = { name, to: name })}>${d.devs.rename}</button>
        <button type="button" class="quiet square" data-testid="profile-remove" aria-label=${`${d.devs.remove}: ${name}`} title=${d.devs.remove} @click=${() => this.#remove(name)}>${icon("trash")}</button>
      </div>
    </li>`;
  }

  #rename(renaming: { name: string; to: string }): TemplateResult {
    const d = t().devs;
    const wrong = this.#wrong(renaming);
    const typed = (event: Event) => (this.renaming = { ...renaming, to: (event.target as HTMLInputElement).value });
    const key = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this.renaming = null;
    };
    return html`<span class="with-button"><input data-testid="profile-name" maxlength=${MOST.name} aria-label=${d.name} aria-invalid=${wrong !== null} .value=${renaming.to} @input=${typed} @keydown=${key} /><button class="btn pri" data-testid="profile-rename-ok">${d.renameOk}</button></span>
      ${wrong === null ? nothing : html`<p class="wrong" role="alert">${wrong}</p>`}`;
  }

  #wrong({ name, to }: { name: string; to: string }): string | null {
    const d = t().devs;
    const text = to.trim();
    if (text === "" || isDeceiving(text)) return d.nameLong(MOST.name);
    return text !== name && library.find(text) !== undefined ? d.nameTaken(text) : null;
  }

  /** Enter renames; the dialog stays. */
  readonly #submit = (event: SubmitEvent) => {
    event.preventDefault();
    const { renaming } = this;
    if (renaming === null || this.#wrong(renaming) !== null) return;
    library.rename(renaming.name, renaming.to.trim());
    this.renaming = null;
  };

  #use(profile: NamedProfile): void {
    const plan = planOf(profile, location);
    if (!devices.fits(plan)) return;
    const { session, added } = devices.add(plan, { label: profile.name, missing: profile.missing });
    this.remove();
    clouds.choose(session.plan.world);
    devices.open(session);
    router.go("devices");
    notices.tell("added", () => (added ? t().devs.added(1) : t().devs.there(session.title)));
  }

  async #copy(name: string, link: string): Promise<void> {
    if (!(await copyText(link))) return;
    this.copied = name;
    announce(t().common.copied);
  }

  #remove(name: string): void {
    const undo = library.remove(name);
    notices.tell("profile", () => t().devs.removed(name), { action: { text: () => t().devs.undo, work: undo } });
  }

  readonly #open = (event: Event) => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file === undefined) return;
    this.remove();
    void openFile(file);
  };
}
