import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { repeat } from "lit/directives/repeat.js";
import { t } from "../i18n";
import type { DemoDevice, PlatformName, Storage } from "../muster/types";
import { clouds, type World } from "../state/clouds";
import { SEARCHED_FROM, SORTS, arranged } from "../state/device-list";
import { devices, type Session } from "../state/devices";
import { engine } from "../state/engine";
import { refusal, type Refusal } from "../state/failure";
import { notices } from "../state/notices";
import { messageText } from "../state/messages";
import { atOrigin, nameKeys, withDevice } from "../state/settings";
import { library } from "../state/library";
import { kept } from "../state/store";
import { hostOf } from "../state/texts";
import { View } from "./base";
import { Overlay } from "./isolate";
import { openSettings } from "./dialogs";
import { icon } from "./icons";
import { withPart } from "./notices";
import "./chip";
import { goOn, startOne } from "./session";

export const PLATFORMS: readonly PlatformName[] = ["ucloud", "cmcc", "krtyun", "alibaba"];

@customElement("m-devices")
export class DevicesView extends View {
  @state() private drawer = false;
  readonly #narrow = matchMedia("(max-width: 860px)");
  readonly #overlay = new Overlay();

  protected override stores() {
    return [devices, clouds];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#narrow.addEventListener("change", this.#close);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#narrow.removeEventListener("change", this.#close);
    this.#overlay.release();
  }

  readonly #close = () => {
    this.drawer = false;
  };

  readonly #key = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !this.drawer) return;
    event.preventDefault();
    this.drawer = false;
  };

  protected override updated(): void {
    const list = this.querySelector<HTMLElement>(".list");
    const open = this.drawer && this.#narrow.matches && list !== null;
    // A class, not :has(): that one makes each row that goes cost more than the last.
    this.classList.toggle("listed", devices.sessions.length > 0);
    const first = () => list?.querySelector<HTMLElement>("[aria-current], .add") ?? null;
    this.#overlay.sync(open, list, first, () => this.querySelector<HTMLElement>(".drawer-open"));
  }

  override render(): TemplateResult {
    const { sessions, current } = devices;
    return html`
      ${sessions.length === 0 ? nothing : this.#list()}
      ${current === null ? html`<m-first class="flow"></m-first>` : html`<m-session class="flow" .session=${current}></m-session>`}
    `;
  }

  #list(): TemplateResult {
    const d = t();
    const { sessions, current, look } = devices;
    const open = (session: Session | null) => {
      this.drawer = false;
      devices.open(session);
    };
    const groups = arranged(sessions, look);
    const shown = groups.flatMap((group) => group.sessions);
    const searched = sessions.length >= SEARCHED_FROM || look.search !== "";
    const typed = (event: Event) => devices.lookAt({ search: (event.target as HTMLInputElement).value });
    const sorted = (event: Event) => devices.lookAt({ sort: SORTS.find((sort) => sort === (event.target as HTMLSelectElement).value) ?? "added" });
    return html`<button type="button" class="btn drawer-open" aria-expanded=${this.drawer} aria-controls="device-list" @click=${() => (this.drawer = !this.drawer)}>${icon("list")}${d.list.title(sessions.length)}</button>
      <aside class=${`list${this.drawer ? " open" : ""}`} id="device-list" role=${this.drawer ? "dialog" : nothing} aria-modal=${this.drawer ? "true" : nothing} aria-label=${d.list.open} @keydown=${this.#key}>
        <div class="cap list-cap"><span data-testid="list-count">${shown.length === sessions.length ? d.list.title(sessions.length) : d.common.of(shown.length, sessions.length)}</span>
          ${sessions.length < 2 ? nothing : html`<select class="slim sans" aria-label=${d.devs.sort} data-testid="list-sort" @change=${sorted}>${SORTS.map((sort) => html`<option value=${sort} ?selected=${sort === look.sort}>${d.devs.sorts[sort]}</option>`)}</select>`}</div>
        ${searched ? html`<div class="tl-search list-search">${icon("search")}<input type="search" aria-label=${d.devs.search} placeholder=${d.devs.search} data-testid="list-search" autocomplete="off" spellcheck="false" .value=${look.search} @input=${typed} /></div>` : nothing}
        ${shown.length === 0 ? html`<p class="quiet-text" data-testid="list-empty">${d.devs.noneFound}</p>` : nothing}
        <div data-testid="device-list">
          ${groups.map(
            (group) => html`${group.platform === null ? nothing : html`<h3 class="cap">${d.platform[group.platform].short}</h3>`}<ul aria-label=${group.platform === null ? d.list.open : d.platform[group.platform].short}>
              ${repeat(
                group.sessions,
                (session) => session.id,
                (session) => html`<li><m-device-item .session=${session} .on=${session === current} .open=${() => open(session)}></m-device-item></li>`,
              )}
            </ul>`,
          )}
        </div>
        <button type="button" class=${`add${current === null ? " on" : ""}`} data-testid="new-device" @click=${() => open(null)}>${icon("plus")}${d.list.new}</button>
        <div class="buttons start list-acts">
          ${sessions.length < 2
            ? nothing
            : html`<button type="button" class="btn" data-testid="list-start" ?disabled=${!shown.some((session) => session.recording === null && !session.running)} @click=${() => this.#startSome(shown)}>${d.devs.startSome(shown.length)}</button>
                <button type="button" class="btn" data-testid="list-stop" ?disabled=${!shown.some((session) => session.running || session.busy || session.back !== null)} @click=${() => void devices.stopSome(shown)}>${d.devs.stopSome(shown.length)}</button>`}
          <button type="button" class="btn" data-testid="page-save" @click=${this.#savePage}>${icon("save")}${d.devs.page}</button>
        </div>
      </aside>
      ${this.drawer ? html`<div class="scrim" @click=${() => (this.drawer = false)}></div>` : nothing}`;
  }

  async #startSome(sessions: readonly Session[]): Promise<void> {
    const left = await devices.startSome(sessions);
    if (left.length > 0) notices.tell("left", () => t().devs.notStarted(left.length, left.slice(0, 3).map((session) => session.title).join(", ")), { bad: true });
  }

  readonly #savePage = () => withPart(import("./bundle"), ({ openBundle }) => openBundle());
}

@customElement("m-device-item")
export class DeviceItem extends View {
  session!: Session;
  on = false;
  open: () => void = () => {};

  static override properties = { session: { attribute: false }, on: { attribute: false }, open: { attribute: false } };

  protected override stores() {
    return [devices];
  }

  override render(): TemplateResult {
    const { session } = this;
    const { platform } = session.plan;
    const d = t();
    const { product, device } = session.names;
    return html`<div class=${`item${this.on ? " on" : ""}`}>
      <button
        type="button"
        class="item-open"
        data-testid="device-item"
        data-platform=${platform}
        data-state=${session.facts.word}
        aria-current=${this.on ? "true" : nothing}
        @click=${this.open}
      >
        <strong><span>${session.label === "" ? d.platform[platform].short : session.label}</span><m-chip .session=${session}></m-chip></strong>
        <small>${device}</small>
        <small>${product} <span class="sans">· ${session.label === "" ? nothing : html`${d.platform[platform].short} · `}${d.world[session.plan.world]}</span></small>
      </button>
      <button type="button" class="quiet square item-remove" data-testid="device-remove" title=${d.list.remove} aria-label=${`${d.list.remove}: ${device}`} @click=${this.#remove}>${icon("close")}</button>
    </div>`;
  }

  #remove(): void {
    const { session } = this;
    const undo = devices.remove(session);
    const { title } = session;
    notices.tell("removed", () => t().devs.removed(title), { action: { text: () => t().devs.undo, work: undo } });
  }
}

/** The first page: one card for each platform. */
@customElement("m-first")
export class First extends View {
  @state() private chosen: Partial<Record<PlatformName, string>> = {};
  @state() private failed: Refusal | null = null;
  /** Of which clouds the demo was asked: not again until others are chosen, or a person says so. */
  #asked: World | null = null;

  protected override stores() {
    return [clouds, devices, engine, library];
  }

  protected override willUpdate(): void {
    const { world } = clouds;
    if (world === "real" || (world === "local" && clouds.localThere !== true)) {
      this.#asked = null;
      this.failed = null;
    } else if (this.#asked !== world) this.#ask();
  }

  readonly #ask = () => {
    const { world } = clouds;
    this.#asked = world;
    this.failed = null;
    clouds.demo(world).catch((error: unknown) => {
      if (this.#asked === world) this.failed = refusal(error);
    });
  };

  override render(): TemplateResult {
    const d = t();
    const { world } = clouds;
    return html`<div class="first">
      <header><h2>${d.first.title}</h2><p class="lead">${d.first.lead[world]}</p>
        ${world === "tab" ? html`<label class="check"><input type="checkbox" data-testid="keep-tab" aria-describedby="keep-tab-help" .checked=${clouds.tabKept} @change=${this.#keepTab} />${d.storage.keepTab}</label>
              <p class="quiet-text" id="keep-tab-help">${d.storage.keepTabHelp}</p>` : nothing}</header>
      ${this.#before()}
      ${world === "local" && clouds.localThere === false ? this.#noLocal() : html`<div class="cards">${PLATFORMS.map((platform) => this.#card(platform))}</div>`}
      ${this.failed === null || clouds.known(world) !== undefined ? nothing : html`<div class="banner bad flat" role="alert" data-testid="first-failed">${icon("alert")}<div><strong>${d.first.failed}</strong><p>${messageText(this.failed.message)}${this.failed.next === null ? nothing : html` ${messageText(this.failed.next)}`}</p>
              <div class="buttons start"><button type="button" class="btn" data-testid="first-again" @click=${this.#ask}>${d.run.tryAgain}</button></div></div></div>`}
      <footer class="buttons start">
        <label class="btn file">${icon("file")}${d.devs.openFile}<input type="file" class="hidden" accept=".json,.toml,application/json" data-testid="open-recording" @change=${this.#openFile} /></label>
        <button type="button" class="btn" data-testid="profiles" @click=${this.#profiles}>${d.devs.profilesOf(library.profiles.length)}</button>
        <span class="quiet-text">${d.devs.openHelp}</span>
      </footer>
    </div>`;
  }

  readonly #openFile = async (event: Event) => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file === undefined) return;
    await withPart(import("./incoming"), ({ openFile }) => openFile(file));
    input.value = "";
  };

  readonly #profiles = () => withPart(import("./library"), ({ openLibrary }) => openLibrary());

  /** Devices from before a reload: one click, and they go on. */
  #before(): TemplateResult | typeof nothing {
    const d = t();
    const before = devices.sessions.filter((session) => session.remembered && session.plan.world === clouds.world);
    if (before.length === 0) return nothing;
    return html`<section class="before" aria-labelledby="before-title" data-testid="before">
      <h3 id="before-title">${d.before.title}</h3>
      <ul>
        ${before.map((session) => {
          const browser = session.plan.storage === "browser";
          return html`<li>
            <span><b>${d.platform[session.plan.platform].short}</b> <code>${session.names.device}</code><small>${browser ? d.before.browser : d.before.memory}</small></span>
            <button type="button" class=${`btn${browser ? " pri" : ""}`} data-testid="go-on" data-platform=${session.plan.platform} @click=${() => this.#goOn(session)}>${browser ? d.before.goOn : d.before.anew}</button>
          </li>`;
        })}
      </ul>
    </section>`;
  }

  #goOn(session: Session): void {
    devices.open(session);
    void goOn(session);
  }

  #noLocal(): TemplateResult {
    const d = t().first;
    return html`<div class="empty">
      <p>${d.noLocal}</p>
      <div class="buttons start">
        <button type="button" class="btn pri" @click=${() => clouds.choose("tab")}>${d.useTab}</button>
        <button type="button" class="btn" @click=${() => void clouds.look()}>${d.lookAgain}</button>
      </div>
    </div>`;
  }

  #card(platform: PlatformName): TemplateResult {
    const d = t();
    const { world } = clouds;
    const demo = clouds.known(world);
    const device = world === "real" ? null : demo?.[platform];
    const loading = world !== "real" && demo === undefined && this.failed === null;
    const unknown = world !== "real" && demo === undefined && this.failed !== null;
    const settings = device == null ? {} : this.#settings(platform, device);
    const { product: productKey } = nameKeys(platform);
    const where = world === "tab" ? d.lanes.inTab : hostOf(settings["broker"] ?? settings["base_url"] ?? "");
    return html`<section class="pcard" data-testid=${`card-${platform}`} aria-labelledby=${`card-${platform}`}>
      <h3 id=${`card-${platform}`}>${d.platform[platform].name}</h3>
      <p>${d.platform[platform].what}</p>
      <div class="pcard-body">
        ${world === "real" || unknown
          ? nothing
          : loading
            ? html`<p class="quiet-text">${d.common.loading}</p>`
            : device == null
              ? html`<p class="quiet-text">${d.first.noDemo}</p>`
              : html`<dl>
                  <dt>${d.first.product}</dt><dd>${settings[productKey]}</dd>
                  <dt>${d.first.device}</dt><dd>${this.#choice(platform, device)}</dd>
                  <dt>${d.first.address}</dt><dd>${where}</dd>
                  <dt>${d.first.secrets}</dt><dd>${this.#storageChoice(platform)}</dd>
                </dl>`}
      </div>
      <div class="pcard-foot">
        ${device == null
          ? html`<button type="button" class="btn pri" data-testid=${`start-${platform}`} ?disabled=${loading} @click=${() => this.#edit(platform, platform === "cmcc" ? { cmei: "" } : {})}>${d.first.enter}</button>`
          : html`<button type="button" class="btn pri" data-testid=${`start-${platform}`} @click=${() => this.#start(platform, settings, this.#storage())}>${icon("play")}${d.first.start}</button>
              <button type="button" class="btn" data-testid=${`settings-${platform}`} @click=${() => this.#edit(platform, settings)}>${d.first.settings}</button>`}
      </div>
    </section>`;
  }

  #choice(platform: PlatformName, device: DemoDevice): TemplateResult {
    const names = this.#names(platform, device);
    const chosen = this.#chosen(platform, device);
    return html`<select
      class="slim"
      data-testid=${`device-choice-${platform}`}
      aria-label=${t().first.deviceOf(t().platform[platform].short)}
      @change=${(event: Event) => (this.chosen = { ...this.chosen, [platform]: (event.target as HTMLSelectElement).value })}
    >${names.map((name) => html`<option value=${name} ?selected=${name === chosen}>${name}</option>`)}</select>`;
  }

  readonly #keepTab = (event: Event) => {
    const on = (event.target as HTMLInputElement).checked;
    devices
      .stopAll("tab")
      .then(() => clouds.keepTab(on))
      .catch((error: unknown) => (this.failed = refusal(error)));
  };

  /** Where secrets go, unless the settings say otherwise: as last chosen; for kept clouds in this tab beside them. */
  #storage(): Storage {
    if (clouds.world === "tab") return clouds.tabKept ? "browser" : "memory";
    return kept.get("storage") === "browser" ? "browser" : "memory";
  }

  #storageChoice(platform: PlatformName): TemplateResult {
    const d = t().storage;
    const text = { memory: d.memory, browser: d.browser };
    const chosen = this.#storage();
    if (clouds.world === "tab") return html`<span class="sans">${text[chosen]}</span>`;
    return html`<select class="slim sans" data-testid=${`storage-choice-${platform}`} aria-label=${d.label} title=${chosen === "memory" ? d.memoryHelp : d.browserHelp} @change=${this.#chooseStorage}>
      ${(["memory", "browser"] as const).map((value) => html`<option value=${value} ?selected=${value === chosen}>${text[value]}</option>`)}
    </select>`;
  }

  readonly #chooseStorage = (event: Event) => {
    kept.set("storage", (event.target as HTMLSelectElement).value);
    this.requestUpdate();
  };

  /** The demo's devices; a platform that makes devices by itself gets a few names to choose from. */
  #names(platform: PlatformName, device: DemoDevice): readonly string[] {
    const own = device.settings[nameKeys(platform).device] ?? "";
    if (/^\d+$/.test(own) && platform === "krtyun") {
      const first = Number(own);
      const more = Array.from({ length: 5 }, (_, i) => String(first + i));
      return [...new Set([...more, ...device.devices])].slice(0, 20);
    }
    return [...new Set([own, ...device.devices])].filter((name) => name !== "");
  }

  #chosen(platform: PlatformName, device: DemoDevice): string {
    const names = this.#names(platform, device);
    const wanted = this.chosen[platform];
    const taken = devices.taken(platform, clouds.world);
    if (wanted !== undefined && names.includes(wanted) && !taken.has(wanted)) return wanted;
    return names.find((name) => !taken.has(name)) ?? names[0] ?? "";
  }

  #settings(platform: PlatformName, device: DemoDevice): Record<string, string> {
    const named = withDevice(platform, device.settings, this.#chosen(platform, device));
    return clouds.world === "local" ? atOrigin(platform, named, location) : named;
  }

  #start(platform: PlatformName, settings: Record<string, string>, storage: Storage): void {
    startOne({ platform, world: clouds.world, settings, storage });
  }

  #edit(platform: PlatformName, settings: Record<string, string>): void {
    const { world } = clouds;
    const done = (edited: Record<string, string>, storage: Storage, relay: boolean) => {
      startOne({ platform, world, settings: edited, storage, relay });
    };
    openSettings({ platform, world, settings, storage: this.#storage(), restart: false, refusal: null, done });
  }
}
