// One device: its controls, what it is at, and its timeline.

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { clockText, dateText, t, waitText } from "../i18n";
import { clock } from "../state/clock";
import { clouds } from "../state/clouds";
import { devices, type Plan, type Session } from "../state/devices";
import type { Draft } from "../state/draft";
import { messageText } from "../state/messages";
import { MOST, isDeceiving } from "../state/named";
import { notices } from "../state/notices";
import { relay } from "../state/relay";
import { router } from "../state/router";
import { sizeText } from "../state/bytes";
import { errorText, updateFailureText } from "../state/texts";
import { guessReason, percent, type TroubleCard, type UpdateCard } from "../state/timeline";
import { View, announce } from "./base";
import { ask, openSettings } from "./dialogs";
import "./chip";
import { icon, type IconName } from "./icons";
import { Overlay } from "./isolate";
import { withPart } from "./notices";
import { relayCommand, relayOffer } from "./way";
import { openPanel, panelButtons } from "./panels";
import "./detail";
import "./owner";
import "./timeline";
import type { TimelineElement } from "./timeline";

/** Reasons that are a browser's own: a device in the field would be let through. */
const BROWSERS: ReadonlySet<string> = new Set(["plain_tcp", "mixed_content", "cors", "refused_by_policy"]);

@customElement("m-session")
export class SessionView extends View {
  session!: Session;
  #shown: Session | undefined;
  #ends: (() => void) | undefined;
  #said = "";
  /** Below this width the detail is a sheet over the page. */
  readonly #narrow = matchMedia("(max-width: 1180px)");
  readonly #overlay = new Overlay();
  #last: string | null = null;
  readonly #resized = () => this.requestUpdate();

  static override properties = { session: { attribute: false } };

  protected override stores() {
    return [clouds, relay];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#narrow.addEventListener("change", this.#resized);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#narrow.removeEventListener("change", this.#resized);
    this.#overlay.release();
    this.#ends?.();
    this.#shown = undefined;
  }

  protected override willUpdate(): void {
    if (this.#shown === this.session) return;
    this.#ends?.();
    this.#shown = this.session;
    this.#ends = this.session.subscribe(() => this.requestUpdate());
  }

  protected override updated(): void {
    const { session } = this;
    const { word } = session.facts;
    const said = `${session.id} ${word}`;
    if (this.#said !== said && this.#said.startsWith(`${session.id} `)) announce(`${t().platform[session.plan.platform].short}: ${t().word[word]}`);
    this.#said = said;
    this.#sheet();
  }

  /** The sheet takes the focus, and gives it back to the packet that it was about. */
  #sheet(): void {
    const { selected } = this.session;
    const sheet = this.querySelector<HTMLElement>("m-detail");
    const open = selected !== null && this.#narrow.matches;
    this.#overlay.sync(
      open,
      sheet,
      () => sheet?.querySelector<HTMLElement>("[data-testid=detail-close]") ?? sheet,
      () => (selected === null && this.#last !== null ? this.querySelector<HTMLElement>(`[data-key="${CSS.escape(this.#last)}"]`) : null),
    );
    this.#last = selected;
  }

  override render(): TemplateResult {
    const { session } = this;
    const selected = session.find(session.selected);
    const sheet = selected !== undefined && this.#narrow.matches;
    return html`<section class="work" aria-label=${session.names.device}>
        ${this.#bar()}
        <div class="status">
          ${this.#recorded()}${this.#before()}${this.#failure()}${session.facts.trouble === null ? nothing : this.#trouble(session.facts.trouble)}
          ${session.misuse === null ? nothing : html`<div class="banner warn" role="alert">${icon("alert")}<div>${messageText(session.misuse)}</div></div>`}
          ${session.facts.update === null ? nothing : this.#update(session.facts.update)}
          ${openPanel(session)}
          ${session.plan.platform === "alibaba" && session.recording === null ? html`<m-owner .session=${session}></m-owner>` : nothing}
        </div>
        <m-timeline .session=${session}></m-timeline>
      </section>
      <m-detail class=${`detail${selected === undefined ? "" : " open"}`} role=${sheet ? "dialog" : nothing} aria-modal=${sheet ? "true" : nothing} aria-label=${sheet ? t().detail.label : nothing} tabindex=${sheet ? -1 : nothing} .session=${session} .row=${selected} @walk=${this.#walk}></m-detail>
      ${selected === undefined ? nothing : html`<div class="scrim detail-scrim" @click=${() => session.update({ selected: null })}></div>`}`;
  }

  // ---------- controls ----------

  #bar(): TemplateResult {
    const { session } = this;
    const d = t();
    const { platform } = session.plan;
    const on = session.running;
    const button = (testid: string, text: string, work: () => unknown, more: { pri?: boolean; title?: string } = {}) =>
      html`<button type="button" class=${`btn${more.pri === true ? " pri" : ""}`} data-testid=${testid} title=${more.title ?? nothing} @click=${work}>${text}</button>`;
    const stopped = session.facts.word === "stopped";
    return html`<div class="bar">
      <div class="bar-head">
        <div class="bar-name">
          <h2>${session.label === "" ? d.platform[platform].short : session.label} <small>${session.names.device}</small></h2>
          <m-chip .session=${session} testid="device-state"></m-chip>
        </div>
        ${session.recording === null ? html`<m-next .session=${session}></m-next>` : nothing}
        ${on ? html`<button type="button" class="quiet square" data-testid="device-credentials" aria-label=${d.handover.open} title=${d.handover.open} @click=${() => this.#credentials()}>${icon("key")}</button>` : nothing}
        ${session.recording === null ? this.#manage(session) : nothing}
        ${session.recording === null ? html`<button type="button" class="quiet square" data-testid="device-settings" aria-label=${d.run.settings} title=${d.run.settings} @click=${() => this.#settings()}>${icon("gear")}</button>` : nothing}
      </div>
      ${session.recording !== null ? html`<div class="bar-tools">${panelButtons(session)}</div>` : html`<div class="bar-tools" role="toolbar" aria-label=${d.run.label}>
        ${stopped && on ? button("try-again", d.run.tryAgain, () => session.intend({ intent: "try_again" }), { pri: true }) : nothing}
        ${on
          ? html`<span class="joined">${button("restart", d.run.restart, () => session.restart())}${button("stop", d.run.stop, () => session.stop())}</span>
            <span class="joined">${button("cut-power", d.run.cutPower, () => session.cutPower(), { title: d.run.cutPowerHelp })}${button("drop-network", d.run.dropNetwork, () => session.dropNetwork(), { title: d.run.dropNetworkHelp })}</span>
            <span class="joined">${button("report-now", d.run.report, () => session.intend({ intent: "report" }))}
            ${platform === "cmcc" && session.plan.settings["strategy"] === "daily" ? button("use-today", d.run.use, () => session.intend({ intent: "use", date: today() })) : nothing}
            ${platform === "ucloud" ? button("request-firmware", d.run.requestFirmware, () => session.intend({ intent: "request_firmware" })) : nothing}
            ${platform === "ucloud" || platform === "alibaba" ? button("post-properties", d.run.postProperties, () => this.#postProperties()) : nothing}
            ${platform === "alibaba" ? button("new-bind-token", d.run.newToken, () => session.intend({ intent: "new_bind_token" })) : nothing}</span>
            ${button("register-again", d.run.registerAgain, () => this.#registerAgain())}`
          : html`<button type="button" class="btn pri" data-testid="restart" ?disabled=${session.busy} @click=${() => goOn(session)}>${icon("play")}${session.busy ? d.first.starting : session.remembered ? (session.plan.storage === "browser" ? d.before.goOn : d.before.anew) : d.run.start}</button>
            ${session.busy || session.back !== null ? button("stop", session.busy ? d.run.stop : d.run.stayOff, () => session.stop()) : nothing}`}
        ${panelButtons(session)}
      </div>`}
    </div>`;
  }

  /** What can be done with a device as an entry of the list. */
  #manage(session: Session): TemplateResult {
    const d = t().devs;
    const button = (testid: string, name: IconName, text: string, work: () => unknown) =>
      html`<button type="button" class="quiet square" data-testid=${testid} aria-label=${text} title=${text} @click=${work}>${icon(name)}</button>`;
    return html`${button("device-share", "share", d.share, () => withPart(import("./share"), ({ openShare }) => openShare(session)))}
      ${button("device-duplicate", "twin", d.duplicate, () => {
        const made = devices.duplicate(session);
        if (made !== null) notices.tell("added", () => t().devs.duplicated(made.title));
      })}
      ${button("device-rename", "edit", d.rename, () => this.#rename(session))}`;
  }

  async #rename(session: Session): Promise<void> {
    const d = t().devs;
    const wrong = (text: string) => (text.trim().length > MOST.name || isDeceiving(text.trim()) ? d.nameLong(MOST.name) : null);
    const answer = await ask({ title: d.renameTitle, text: d.renameText, ok: d.renameOk, input: { value: session.label, wrong, line: true } });
    if (answer !== null) devices.rename(session, answer.text.trim());
  }

  async #registerAgain(): Promise<void> {
    const { session } = this;
    const d = t().confirm;
    const answer = await ask({ title: d.registerTitle, text: d.registerText[session.plan.platform], ok: d.registerOk, danger: true });
    if (answer !== null) await session.intend({ intent: "register_again" });
  }

  async #postProperties(): Promise<void> {
    const d = t().confirm;
    const wrong = (text: string) => {
      try {
        const value: unknown = JSON.parse(text);
        return typeof value === "object" && value !== null && !Array.isArray(value) ? null : d.notObject;
      } catch {
        return d.notObject;
      }
    };
    const answer = await ask({ title: d.propertiesTitle, text: d.propertiesText, ok: d.propertiesOk, input: { value: '{"temperature":21.5}', wrong } });
    if (answer !== null) await this.session.intend({ intent: "post_properties", json: answer.text });
  }

  /** Most people never ask: it is loaded when somebody does. */
  #credentials(): Promise<void> {
    return withPart(import("./handover"), ({ openHandover }) => {
      if (this.session !== null) openHandover(this.session);
    });
  }

  #settings(): void {
    editSettings(this.session);
  }

  #recorded(): TemplateResult | typeof nothing {
    const { recording } = this.session;
    if (recording === null) return nothing;
    const d = t().recording;
    const exported = Date.parse(recording.exported);
    return html`<div class="banner info" role="status" data-testid="recording">${icon("file")}<div><strong>${d.title(recording.file)}</strong><p>${d.text(Number.isNaN(exported) ? recording.exported : dateText(exported))}</p></div></div>`;
  }

  // ---------- from before a reload ----------

  #before(): TemplateResult | typeof nothing {
    const { session } = this;
    if (!session.remembered) return nothing;
    const d = t();
    const memory = session.plan.storage === "memory";
    return html`<div class="banner ${memory ? "warn" : "info"}" role="status" data-testid="remembered" data-storage=${session.plan.storage}>
      ${icon("retry")}
      <div>
        <strong>${d.before.title}</strong>
        <p>${memory ? d.before.memory : d.before.browser}</p>
        ${memory && session.plan.world !== "real" ? html`<div class="buttons start"><button type="button" class="btn" @click=${() => this.#toCloud("reset")}>${d.trouble.openCloudReset}</button></div>` : nothing}
      </div>
    </div>`;
  }

  // ---------- what is wrong ----------

  #failure(): TemplateResult | typeof nothing {
    const { failure } = this.session;
    if (failure === null) return nothing;
    const d = t();
    return html`<div class="banner bad" role="alert" data-testid="trouble" data-blame="settings">
      ${icon("alert")}
      <div>
        <strong>${d.trouble.notStarted}</strong>
        <p>${messageText(failure.message)}</p>
        ${failure.next === null ? nothing : html`<p><b>${d.common.nextMove}</b> ${messageText(failure.next)}</p>`}
        <div class="buttons start"><button type="button" class="btn" data-testid="advice" data-advice="settings" @click=${() => this.#settings()}>${d.trouble.settings}</button></div>
      </div>
    </div>`;
  }

  #trouble(trouble: TroubleCard): TemplateResult {
    const { session } = this;
    const d = t();
    const { platform, world } = session.plan;
    const { advice, link } = trouble;
    const network = trouble.error.blame === "network" || trouble.error.blame === "no_reply";
    const { settings } = session.plan;
    const found = link?.reason ?? guessReason(trouble.error, settings["base_url"] ?? settings["auth_url"] ?? settings["broker"] ?? "", location.protocol);
    const reason = found === "bad_url" && /^mqtts?:/i.test(link?.url ?? settings["broker"] ?? "") ? "plain_tcp" : found;
    const [what = "", todo = ""] = network && reason !== null ? d.trouble.reason[reason] : [];
    const blame = !network || reason === null ? d.trouble.blame[trouble.error.blame] : BROWSERS.has(reason) ? d.trouble.blameBrowser : reason === "not_websocket" || reason === "bad_url" ? d.trouble.blameAddress : d.trouble.blame[trouble.error.blame];
    const operated = world !== "real";
    const toCloud = (text: string, focus: string) =>
      html`<button type="button" class="btn" data-testid="advice" data-advice=${focus} @click=${() => this.#toCloud(focus)}>${text}</button>`;
    return html`<div class=${`banner ${advice === null ? "warn" : "bad"}`} role=${advice === null ? "status" : "alert"} data-testid="trouble" data-blame=${trouble.error.blame}>
      ${icon(advice === null ? "retry" : "alert")}
      <div>
        <strong>${errorText(trouble.error, platform)}</strong>
        <p class="quiet-text">${d.trouble.both(blame, advice === null ? d.trouble.retrying(trouble.failures) : d.trouble.stopped)}</p>
        ${what !== "" ? html`<p data-testid="trouble-reason" data-reason=${reason}>${what}${link?.detail === undefined ? nothing : html` <code>${link.detail}</code>`}</p>
              ${relayOffer(session, reason)}
              <p><b>${d.common.nextMove}</b> ${todo}</p>` : nothing}
        ${advice === null ? nothing : html`<p>${todo === "" ? html`<b>${d.common.nextMove}</b> ` : nothing}<span data-testid="advice-text" data-advice=${advice}>${d.advice[advice]}</span></p>`}
        ${network ? relayCommand(session, reason, link?.url ?? settings["broker"] ?? "", link?.detail) : nothing}
        <div class="buttons start">
          ${advice === "check_product_secret" || advice === "check_network" || advice === "already_registered" || (advice === null && network)
            ? html`<button type="button" class="btn" data-testid="advice" data-advice="settings" @click=${() => this.#settings()}>${d.trouble.settings}</button>`
            : nothing}
          ${operated && (advice === "already_registered" || advice === "check_device") ? toCloud(d.trouble.openCloudReset, "reset") : nothing}
          ${operated && advice === "import_device" ? html`${toCloud(d.trouble.openCloudImport, "import")}${toCloud(d.trouble.openCloudSwitch, "switches")}` : nothing}
          ${advice === "check_device" || advice === "already_registered"
            ? html`<button type="button" class="btn" @click=${() => this.#registerAgain()}>${d.run.registerAgain}</button>`
            : nothing}
          ${advice === null && session.running ? html`<button type="button" class="btn" @click=${() => session.intend({ intent: "try_again" })}>${d.run.tryAgain}</button>` : nothing}
        </div>
      </div>
    </div>`;
  }

  #toCloud(focus: string): void {
    const { session } = this;
    clouds.choose(session.plan.world);
    const { product, device } = session.names;
    router.go("cloud", [session.plan.platform], { product, device, focus });
  }

  // ---------- the update ----------

  #update(card: UpdateCard): TemplateResult {
    const d = t().update;
    const order = ["offered", "downloading", "verified", "installed", "reported"];
    const at = order.indexOf(card.phase);
    const over = card.phase === "failed" || card.phase === "cancelled";
    const done = percent(card);
    const running = card.phase === "downloading" || card.phase === "offered";
    const words: Record<string, string> = d as unknown as Record<string, string>;
    return html`<section class=${`ucard ${over ? "bad" : card.phase === "reported" ? "ok" : ""}`} data-testid="update" data-phase=${card.phase} aria-label=${d.title}>
      <div class="ucard-head">
        <h3>${d.title}</h3>
        <p class="versions">
          <span><small>${d.before}</small> <b data-testid="version-before">${card.from}</b></span>
          <span aria-hidden="true">→</span>
          <span><small>${card.phase === "reported" ? d.after : d.ordered}</small> <b data-testid="version-after">${card.to}</b></span>
        </p>
        <span class=${`chip ${over ? "bad" : card.phase === "reported" ? "ok" : "run"}`}>${words[card.phase] ?? card.phase}</span>
      </div>
      ${over
        ? html`<p>${card.failure === null ? d.cancelled : updateFailureText(card.failure)}</p>`
        : html`<div class="progress">
              <progress max="100" .value=${running ? (done ?? 0) : 100} aria-label=${d.progress} data-testid="update-progress"></progress>
              <small>${card.size === null ? sizeText(card.received) : d.bytes(sizeText(running ? card.received : card.size), sizeText(card.size))}</small>
            </div>
            <ol class="steps">${d.steps.map((name, i) => html`<li class=${i < at || (i === at && card.phase === "reported") ? "done" : i === at ? "now" : ""}>${name}${i === 2 && card.digest === false ? html` <small>(${d.noDigest})</small>` : nothing}</li>`)}</ol>`}
    </section>`;
  }

  /** From the detail: the entry before or after. */
  readonly #walk = (event: CustomEvent<1 | -1>) => {
    const { session } = this;
    const timeline = this.querySelector<TimelineElement>("m-timeline");
    const next = session.selected === null ? undefined : timeline?.neighbour(session.selected, event.detail);
    if (next === undefined) return;
    session.update({ selected: next });
    timeline?.show(next);
  };
}

/** `draft`: what stood in the dialog when the page was left. */
export function editSettings(session: Session, draft?: Draft): void {
  const { platform, world, settings, storage, relay = false } = { ...session.plan, ...(draft === undefined ? {} : { settings: draft.settings, storage: draft.storage, relay: draft.relay }) };
  openSettings({
    device: session.storeName,
    ...(draft === undefined ? {} : { restored: true, template: draft.template }),
    platform,
    world,
    settings,
    storage,
    restart: true,
    refusal: session.failure,
    missing: draft === undefined ? session.missing : [...new Set([...session.missing, ...draft.missing])],
    relay,
    done: async (edited, place, byRelay) => {
      session.replan({ settings: edited, storage: place, relay: byRelay });
      devices.keep();
      if (!(await goesWithout(session.missing))) return;
      session.without();
      void session.restart();
    },
  });
}

/** Only a person can say that a device is to register anew. */
export async function goesWithout(missing: readonly string[]): Promise<boolean> {
  if (!missing.includes("device_secret")) return true;
  const d = t().devs;
  return (await ask({ title: d.anewTitle, text: d.anewText(missing.join(", ")), ok: d.anewOk, danger: true })) !== null;
}

/** Starts a device of the list, or a new one. One that misses a secret only the person knows is asked for it. */
export function startOne(plan: Plan): void {
  if (!devices.fits(plan)) return;
  const session = devices.start(plan);
  if (session.missing.length > 0 && !session.running && !session.busy) editSettings(session);
}

/** Starts a device that is off. One from before a reload may need a secret that only the person knows. */
export async function goOn(session: Session): Promise<void> {
  if (!(await session.goOn())) editSettings(session);
}

/** The local date as the core counts it: days since 1970. */
function today(): number {
  const now = new Date();
  return Math.floor(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) / 86_400_000);
}

/** What happens next, and when. */
@customElement("m-next")
export class NextView extends View {
  session!: Session;
  static override properties = { session: { attribute: false } };

  protected override stores() {
    return [clock, devices];
  }

  override render(): TemplateResult {
    return html`<span class="next" data-testid="next" title=${this.#why()}>${this.#text()}</span>`;
  }

  #text(): string {
    const { session } = this;
    const d = t().next;
    if (!session.running && session.back !== null) return d.back(waitText(Math.max(0, session.back - clock.now)));
    if (!session.running) return session.busy ? t().first.starting : d.off;
    if (session.facts.word === "stopped" && session.next === null) return d.person;
    const { next } = session;
    if (next === null) return d.nothing;
    const left = next.at - clock.now;
    const time = left <= 500 ? d.now : waitText(left);
    // A reason that this page has no words for yet still has its time.
    if (next.why !== "heartbeat") return Object.hasOwn(d, next.why) ? d[next.why](time) : time;
    if (session.facts.heartbeat?.why === "keep_alive") return d.keepAlive(time);
    return left > 600_000 ? d.heartbeatAt(clockText(next.at), time) : d.heartbeat(time);
  }

  #why(): string {
    const { heartbeat } = this.session.facts;
    return heartbeat === null ? "" : t().due[heartbeat.why];
  }
}
