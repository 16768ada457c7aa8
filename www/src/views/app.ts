import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { LANGUAGES, i18n, t, type Language } from "../i18n";
import { clouds, WORLDS, type World } from "../state/clouds";
import { devices, type Session } from "../state/devices";
import { engine } from "../state/engine";
import { VIEWS, formatRoute, router, type View as ViewName } from "../state/router";
import { shortcutFor, type ShortcutId } from "../state/shortcuts";
import { THEMES, theme, type Theme } from "../state/theme";
import { View, segments } from "./base";
import { icon } from "./icons";
import "./devices";
import "./dialogs";
import { openShortcuts } from "./dialogs";
import { restoreDraft } from "./draft";
import { notLoaded } from "./notices";

const lazy: Partial<Record<ViewName, () => Promise<unknown>>> = {
  cloud: () => import("./cloud"),
  bind: () => import("./bind"),
  fleet: () => import("./fleet"),
  tools: () => import("./tools"),
};

@customElement("m-app")
export class App extends View {
  protected override stores() {
    return [clouds, engine, router, theme];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("keydown", this.#key);
    router.subscribe(() => this.#load());
    clouds.subscribe(() => this.#fallBack());
    this.#load();
    void this.updateComplete.then(restoreDraft);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("keydown", this.#key);
  }

  #load(): void {
    lazy[router.route.view]?.().catch(notLoaded);
  }

  protected override updated(): void {
    document.title = `${t().nav[router.route.view]} · Muster`;
  }

  /** A page without `muster up` behind it offers what it has: the clouds in this tab. */
  #fellBack = false;
  #fallBack(): void {
    if (this.#fellBack || clouds.localThere !== false) return;
    this.#fellBack = true;
    if (clouds.world === "local") clouds.choose("tab");
  }

  readonly #key = (event: KeyboardEvent) => {
    const target = event.composedPath()[0];
    const typing = target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") !== null) return;
    const open = router.route.view === "devices" ? devices.current : null;
    const shortcut = shortcutFor(event, "page") ?? (open === null ? null : shortcutFor(event, "device"));
    if (shortcut === null || !this.#do(shortcut, event.key, open)) return;
    event.preventDefault();
  };

  #do(shortcut: ShortcutId, key: string, session: Session | null): boolean {
    switch (shortcut) {
      case "sheet":
        openShortcuts();
        return true;
      case "view":
        router.go(VIEWS[Number(key) - 1] ?? "devices");
        return true;
      case "new":
        devices.open(null);
        router.go("devices");
        return true;
      case "previousDevice":
        return devices.step(-1);
      case "nextDevice":
        return devices.step(1);
      case "follow":
        session?.update({ follow: !session.follow });
        return true;
      case "pause":
        session?.pause(session.frozen === null);
        return true;
      case "table":
        session?.update({ view: session.view === "table" ? "diagram" : "table" });
        return true;
      case "find":
        this.querySelector<HTMLElement>("[data-testid=search]")?.focus();
        return true;
      default:
        return false;
    }
  }

  override render(): TemplateResult {
    const d = t();
    const { view } = router.route;
    return html`
      <a class="skip" href="#main" @click=${this.#skip}>${d.skip}</a>
      <nav class="rail" aria-label=${d.nav.label}>
        <b class="logo" aria-hidden="true">M</b>
        ${VIEWS.map(
          (name) => html`<a
            href=${formatRoute(name)}
            class=${name === view ? "on" : ""}
            aria-current=${name === view ? "page" : nothing}
            data-testid=${`rail-${name}`}
          >${icon(name)}<span>${d.nav[name]}</span></a>`,
        )}
      </nav>
      <header class="top">
        <h1>${d.nav[view]}</h1>
        ${view === "tools" ? nothing : this.#worlds()}
        <span class="grow"></span>
        ${segments<Language>(
          d.language,
          LANGUAGES.map((value) => ({ value, text: value === "en" ? "EN" : "中文", testid: `lang-${value}` })),
          i18n.language,
          (language) => i18n.set(language),
        )}
        ${segments<Theme>(
          d.theme.label,
          THEMES.map((value) => ({ value, text: icon(value), title: d.theme[value], testid: `theme-${value}` })),
          theme.theme,
          (value) => theme.set(value),
        )}
        <button type="button" class="quiet square wide-only" title=${d.shortcuts.open} aria-label=${d.shortcuts.open} data-testid="shortcuts" @click=${openShortcuts}>${icon("keyboard")}</button>
      </header>
      <main id="main" tabindex="-1" class=${`view view-${view}`}>${this.#died()}${this.#view(view)}</main>
      <m-notices></m-notices>
      <m-dialogs></m-dialogs>
      <div id="announcer" class="hidden" role="status" aria-live="polite"></div>
    `;
  }

  #worlds(): TemplateResult {
    const d = t().world;
    const dot = html`<span class="dot"></span>`;
    return segments<World>(
      d.label,
      WORLDS.map((value) => ({
        value,
        text: html`${value === "local" && clouds.localThere === true ? dot : nothing}${d[value]}`,
        testid: `world-${value}`,
      })),
      clouds.world,
      (world) => {
        clouds.choose(world);
        if (router.route.view === "devices") devices.open(null);
      },
    );
  }

  #view(view: ViewName): TemplateResult {
    switch (view) {
      case "devices":
        return html`<m-devices></m-devices>`;
      case "cloud":
        return html`<m-cloud></m-cloud>`;
      case "fleet":
        return html`<m-fleet></m-fleet>`;
      case "bind":
        return html`<m-bind></m-bind>`;
      case "tools":
        return html`<m-tools></m-tools>`;
    }
  }

  #died(): TemplateResult | typeof nothing {
    const d = t().instance;
    if (engine.state !== "dead" && engine.state !== "failed") return nothing;
    const dead = engine.state === "dead";
    return html`<div class="banner bad" role="alert" data-testid="instance-died">
      ${icon("alert")}
      <div><strong>${dead ? d.died(engine.reason) : d.failed(engine.reason)}</strong>${dead ? html`<p>${d.diedText}</p>` : nothing}</div>
      <button type="button" class="btn" data-testid="instance-reload" @click=${() => void engine.again().catch(() => {})}>${d.reload}</button>
    </div>`;
  }

  #skip(event: Event): void {
    event.preventDefault();
    document.getElementById("main")?.focus();
  }
}
