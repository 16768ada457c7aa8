// What a link or a file holds, before anything is done with it. Loaded when something comes.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { dateText, t } from "../i18n";
import { clouds } from "../state/clouds";
import { devices } from "../state/devices";
import { addDevices, fromFile, fromLink, lookAt, saveProfiles, type Incoming, type Item, type Refused } from "../state/incoming";
import { library } from "../state/library";
import { MOST, type Fault } from "../state/named";
import { notices } from "../state/notices";
import { MOST_DEVICES } from "../state/profiles";
import type { Place } from "../state/places";
import { router } from "../state/router";
import { nameKeys } from "../state/settings";
import { View } from "./base";
import { icon } from "./icons";

export function openLink(hash: string): void {
  show(fromLink(hash), "link");
}

/** Opens a file of any kind that the page writes. */
export async function openFile(file: File): Promise<void> {
  if (file.size > MOST.fileBytes) return show({ why: "too_large" }, "file");
  const found = fromFile(await file.text(), file.name);
  if ("format" in found) {
    try {
      devices.openRecording(found, file.name);
    } catch {
      notices.tell("unshown", () => t().devs.unshown(file.name), { bad: true });
      return;
    }
    router.go("devices");
    return;
  }
  show(found, "file");
}

function show(found: Incoming | Refused, by: "link" | "file"): void {
  const dialog = new IncomingDialog();
  dialog.found = found;
  dialog.by = by;
  document.body.append(dialog);
}

/** Why it cannot be opened. */
export function refusedText(refused: Refused): TemplateResult | string {
  const d = t().devs;
  switch (refused.why) {
    case "newer":
      return d.refusedNewer(String(refused.version));
    case "wrong_entry":
      return d.refusedEntry(refused.number);
    case "item":
      return html`${d.refusedItem(refused.number, refused.name)} ${faultsText(refused.faults)}${refused.faults.some(({ fault }) => fault === "secret") ? html` ${d.refusedSecret}` : nothing}`;
    default:
      return d.refused[refused.why];
  }
}

function faultsText(faults: readonly Fault[]): TemplateResult[] {
  const d = t().devs;
  return faults.map(({ key, fault }, at) => html`${at === 0 ? nothing : "; "}${key === "" ? nothing : html`<code>${key}</code> `}${d.fault[fault]}`);
}

@customElement("m-incoming")
export class IncomingDialog extends View {
  found!: Incoming | Refused;
  by: "link" | "file" = "file";
  @state() private without: ReadonlySet<Item> = new Set();
  @state() private noRoom = false;

  protected override stores() {
    return [devices, library];
  }

  protected override updated(): void {
    const dialog = this.querySelector("dialog");
    if (dialog !== null && !dialog.open) dialog.showModal();
  }

  override render(): TemplateResult {
    const d = t();
    const { found } = this;
    const refused = "why" in found;
    const title = refused ? d.devs.refusedTitle[this.by] : found.by === "link" ? d.devs.fromLink : d.devs.fromFile(found.file);
    return html`<dialog class="large" aria-labelledby="incoming-title" data-testid="incoming" @close=${() => this.remove()}>
      <form method="dialog">
        <header><h2 id="incoming-title">${title}</h2><button class="quiet square" aria-label=${d.common.close} title="Esc" data-testid="incoming-close">${icon("close")}</button></header>
        ${refused
          ? html`<div class="scroll"><p class="wrong" role="alert" data-testid="incoming-refused" data-why=${found.why}>${refusedText(found)}</p></div>
              <footer class="buttons"><button class="btn pri">${d.common.close}</button></footer>`
          : this.#body(found)}
      </form>
    </dialog>`;
  }

  #body(found: Incoming): TemplateResult {
    const d = t().devs;
    const exported = Date.parse(found.exported);
    const take = found.items.filter((item) => item.profile !== null && !this.without.has(item));
    const fresh = take.filter(({ profile }) => profile !== null && lookAt(profile, location).there === undefined);
    const save = take.filter(({ profile }) => profile !== null && lookAt(profile, location).save !== "same");
    return html`<div class="scroll">
        <div>
          <p><b>${d.previewLead}</b>${Number.isNaN(exported) ? nothing : html` ${d.exported(dateText(exported))}`}</p>
          ${found.by === "link" ? html`<p class="caution">${d.stranger}</p>` : nothing}
          ${found.unknown.length === 0 ? nothing : html`<p class="caution" data-testid="incoming-unknown">${d.unknown(found.unknown.join(", "))}</p>`}
          ${this.noRoom ? html`<p class="wrong" role="alert">${d.noRoom}</p>` : nothing}
        </div>
        <ul class="incoming-items">${found.items.map((item) => this.#item(item, found))}</ul>
      </div>
      <footer class="buttons">
        <button class="btn" data-testid="incoming-cancel">${t().common.cancel}</button>
        ${found.page
          ? html`<button type="button" class="btn pri" data-testid="incoming-add" ?disabled=${take.length === 0} @click=${() => this.#page(take)}>${d.addPage}</button>`
          : html`<button type="button" class="btn" data-testid="incoming-save" ?disabled=${save.length === 0} @click=${() => this.#save(save)}>${d.saveSome(save.length)}</button>
              <button type="button" class="btn pri" data-testid="incoming-add" ?disabled=${fresh.length === 0} @click=${() => this.#add(fresh)}>${d.addSome(fresh.length)}</button>`}
      </footer>`;
  }

  #item(item: Item, found: Incoming): TemplateResult {
    const d = t();
    const { profile } = item;
    const unknown = item.unknown.length === 0 ? nothing : html`<p class="caution" data-testid="incoming-unknown">${d.devs.unknown(item.unknown.join(", "))}</p>`;
    if (profile === null)
      return html`<li class="incoming-item bad" data-testid="incoming-item" data-name=${item.name} data-state="wrong">
        <h3>${item.name}</h3>
        <p class="wrong" data-testid="incoming-wrong">${d.devs.cannot} ${faultsText(item.faults)}</p>
        ${unknown}
      </li>`;
    const look = lookAt(profile, location);
    const { platform, world, settings } = profile;
    const names = nameKeys(platform);
    const rest = Object.entries(settings).filter(([key]) => key !== names.product && key !== names.device && !look.secrets.includes(key));
    const secret = look.secrets;
    const state = item.kind === "device" ? (look.there === undefined ? "add" : "there") : look.save;
    const entries = item.recording?.rows.length ?? 0;
    return html`<li class="incoming-item" data-testid="incoming-item" data-name=${item.name} data-kind=${item.kind} data-state=${state}>
      <label class="incoming-head"><input type="checkbox" aria-label=${d.devs.take(item.name)} data-testid="incoming-take" .checked=${!this.without.has(item)} @change=${() => this.#toggle(item)} />
        <h3>${item.label === "" ? item.name : item.label}</h3><span class="chip">${d.platform[platform].short}</span>${found.page ? html`<span class="chip">${d.devs.kind[item.kind]}</span>` : nothing}</label>
      <dl>
        <dt>${d.devs.connects}</dt><dd data-testid="incoming-places">${world === "local" ? html`<span class="sans">${d.devs.connectsLocal}</span>` : world === "tab" ? html`<span class="sans">${d.devs.connectsTab}</span>` : look.places.length === 0 ? html`<span class="sans">${d.devs.connectsNowhere}</span>` : look.places.map((place) => this.#place(place))}</dd>
        <dt>${d.devs.give}</dt><dd data-testid="incoming-give">${look.give.length === 0 ? html`<span class="sans">${d.devs.giveNothing}</span>` : look.give.join(", ")}</dd>
        <dt>${d.devs.product}</dt><dd>${settings[names.product] ?? "–"}</dd>
        <dt>${d.devs.device}</dt><dd>${settings[names.device] ?? "–"}</dd>
        <dt>${d.devs.settings}</dt><dd>${rest.length === 0 ? html`<span class="sans">${d.devs.settingsNone}</span>` : html`<ul class="pairs">${rest.map(([key, value]) => html`<li>${key} = ${value}</li>`)}</ul>`}</dd>
      </dl>
      <p class="quiet-text">${[look.there === undefined ? "" : `${d.devs.device} ${d.devs.isThere}`, found.page && item.kind === "device" ? "" : d.devs.will[look.save], item.rules.length === 0 ? "" : d.devs.armed(item.rules.length), item.script === "" ? "" : d.devs.scripted, item.recording === null ? "" : d.devs.timeline(entries)].filter((text) => text !== "").join(" · ")}</p>
      ${secret.length === 0 ? nothing : html`<p class="caution" data-testid="incoming-secrets">${d.devs.hasSecrets(secret.join(", "))}</p>`}
      ${item.unplayed === null ? nothing : html`<p class="caution">${d.devs.unplayed} ${refusedText(item.unplayed)}</p>`} ${unknown}
    </li>`;
  }

  #place(place: Place): TemplateResult {
    const d = t().devs;
    return html`<div class="place"><b data-testid="incoming-host" data-whose=${place.whose}>${place.host}</b> <span class=${`sans ${place.whose === "other" ? "caution" : "quiet-text"}`}>${d[place.whose]}</span>
      ${place.written === null ? nothing : html`<p class="sans caution" data-testid="incoming-written">${d.written(place.written)}</p>`}</div>`;
  }

  #toggle(item: Item): void {
    const without = new Set(this.without);
    if (!without.delete(item)) without.add(item);
    this.without = without;
  }

  #save(items: readonly Item[]): boolean {
    const done = saveProfiles(items);
    this.noRoom = !done;
    if (!done) return false;
    notices.tell("profile", () => t().devs.savedMany(items.length));
    this.remove();
    return true;
  }

  #add(items: readonly Item[]): void {
    const { added, last, left, unshown } = addDevices(items, location);
    this.remove();
    if (left > 0) notices.tell("full", () => t().devs.addedSome(added, left, MOST_DEVICES), { bad: true });
    if (unshown.length > 0) notices.tell("unshown", () => t().devs.unshown(unshown.join(", ")), { bad: true });
    if (last === null) return;
    clouds.choose(last.plan.world);
    devices.open(last);
    router.go("devices");
    if (left === 0) notices.tell("added", () => t().devs.added(added));
  }

  #page(items: readonly Item[]): void {
    const profiles = items.filter(({ kind }) => kind === "profile");
    if (profiles.length > 0 && !this.#save(profiles)) return;
    this.#add(items.filter(({ kind }) => kind === "device"));
    this.remove();
  }
}
