// One device's settings as a profile: saved, as a file, as a link, for a terminal. Loaded when it is first asked for.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../i18n";
import { clouds } from "../state/clouds";
import { localFlag } from "../state/commands";
import { profileCommand, profileFileName, profileToml } from "../state/device-profile";
import type { Session } from "../state/devices";
import { library } from "../state/library";
import { linkOf } from "../state/link";
import { MOST, isDeceiving, lackingOf, named, nameFor, toGive, type NamedProfile } from "../state/named";
import { notices } from "../state/notices";
import { profilesText } from "../state/profile-file";
import { View, announce, command, copyText } from "./base";
import { icon } from "./icons";
import { fileName, saveFile } from "./save";

export function openShare(session: Session): void {
  const dialog = new ShareDialog();
  dialog.session = session;
  document.body.append(dialog);
}

@customElement("m-share")
export class ShareDialog extends View {
  session!: Session;
  @state() private name = "";
  @state() private copied = "";

  protected override stores() {
    return [library];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { session } = this;
    this.name = session.label === "" ? nameFor(session.plan) : session.label.slice(0, MOST.name);
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (dialog !== null && !dialog.open) dialog.showModal();
  }

  get #profile(): NamedProfile {
    const { session } = this;
    const profile = named(this.name.trim(), session.plan);
    return { ...profile, missing: lackingOf(profile.platform, profile.world, profile.settings, [...profile.missing, ...session.missing]) };
  }

  get #wrong(): boolean {
    const name = this.name.trim();
    return name === "" || name.length > MOST.name || isDeceiving(name);
  }

  override render(): TemplateResult {
    const d = t();
    const { session } = this;
    const profile = this.#profile;
    const wrong = this.#wrong;
    const there = library.find(profile.name) !== undefined;
    const secrets = toGive(profile);
    const file = () => saveFile(fileName(`muster-profile-${profile.name}`, "json"), "application/json", [profilesText([profile], new Date(), false)]);
    return html`<dialog class="large" aria-labelledby="share-title" data-testid="share-dialog" @close=${() => this.remove()}>
      <form method="dialog" @submit=${this.#submit}>
        <header><h2 id="share-title">${d.devs.shareTitle(session.title)}</h2><button class="quiet square" aria-label=${d.common.close} title="Esc" data-testid="share-close">${icon("close")}</button></header>
        <div class="scroll">
          <section class="part">
            <label for="share-name">${d.devs.name}</label>
            <input id="share-name" data-testid="share-name" maxlength=${MOST.name} autocomplete="off" spellcheck="false" aria-invalid=${wrong} aria-describedby="share-out" .value=${this.name} @input=${this.#named} />
            ${wrong ? html`<p class="wrong">${d.devs.nameLong(MOST.name)}</p>` : nothing}
            <p class="quiet-text" id="share-out" data-testid="share-out">${secrets.length === 0 ? d.devs.leftOutNothing : d.devs.leftOut(secrets.join(", "))} ${d.devs.identities}</p>
            <div class="buttons start">
              <button type="button" class="btn pri" data-testid="share-save" ?disabled=${wrong} @click=${() => this.#save(profile)}>${there ? d.devs.saveAgain : d.devs.save}</button>
              <button type="button" class="btn" data-testid="share-file" ?disabled=${wrong} @click=${file}>${icon("download")}${d.devs.download}</button>
            </div>
          </section>
          ${this.#link(profile, wrong)} ${this.#terminal(profile, wrong)}
        </div>
      </form>
    </dialog>`;
  }

  #link(profile: NamedProfile, wrong: boolean): TemplateResult {
    const d = t().devs;
    const link = wrong ? null : linkOf([profile], location.href);
    return html`<section class="part" aria-labelledby="share-link-title">
      <h3 id="share-link-title">${d.link}</h3>
      <p class="quiet-text">${d.linkLead} ${profile.world === "local" ? d.linkHere : nothing}</p>
      ${link === null
        ? html`<p class="caution">${wrong ? d.nameLong(MOST.name) : d.linkLong}</p>`
        : html`<div class="with-button"><input class="mono" readonly aria-label=${d.link} data-testid="share-link" .value=${link} @focus=${(event: Event) => (event.target as HTMLInputElement).select()} />
            ${this.#copyButton("link", link, d.copyLink)}</div>`}
    </section>`;
  }

  #terminal(profile: NamedProfile, wrong: boolean): TemplateResult {
    const d = t().devs;
    const { world } = profile;
    const line = profileCommand(profile, clouds.addresses === null ? "" : localFlag(clouds.addresses));
    const toml = profileToml(profile);
    return html`<section class="part" aria-labelledby="share-terminal-title">
      <h3 id="share-terminal-title">${d.terminal}</h3>
      <p class="quiet-text">${world === "tab" ? d.terminalTab : world === "local" ? d.terminalLocal : d.terminalReal}</p>
      ${line === null || toml === null || wrong
        ? nothing
        : html`${command(line)}
            ${world === "real"
              ? html`<pre data-testid="share-toml" tabindex="0" aria-label=${d.terminal}>${toml}</pre>
                  <div class="buttons start">
                    ${this.#copyButton("toml", toml, d.copyToml)}
                    <button type="button" class="btn" data-testid="share-toml-file" @click=${() => saveFile(profileFileName(profile), "application/toml", [toml])}>${icon("download")}${d.saveToml}</button>
                  </div>`
              : nothing}`}
    </section>`;
  }

  #copyButton(what: string, text: string, label: string): TemplateResult {
    const copy = async () => {
      if (!(await copyText(text))) return;
      this.copied = what;
      announce(t().common.copied);
    };
    const done = this.copied === what;
    return html`<button type="button" class="btn" data-testid=${`share-copy-${what}`} @click=${copy}>${icon(done ? "check" : "copy")}${done ? t().common.copied : label}</button>`;
  }

  /** Enter in the name saves; it closes nothing. */
  readonly #submit = (event: SubmitEvent) => {
    if (event.submitter?.dataset["testid"] === "share-close" && document.activeElement?.id !== "share-name") return;
    event.preventDefault();
    if (!this.#wrong) this.#save(this.#profile);
  };

  readonly #named = (event: Event) => {
    this.name = (event.target as HTMLInputElement).value;
    this.copied = "";
  };

  #save(profile: NamedProfile): void {
    const done = library.save(profile);
    if (done) this.remove();
    notices.tell("profile", () => (done ? t().devs.saved(profile.name) : t().devs.noRoom), { bad: !done });
  }
}
