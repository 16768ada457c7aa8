// One device: its controls, what it is at, and its timeline.

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { clockText, i18n, t, waitText } from "../i18n";
import { clock } from "../state/clock";
import { clouds } from "../state/clouds";
import { WINDOW, devices, type Session } from "../state/devices";
import { messageText } from "../state/messages";
import { router } from "../state/router";
import { sizeText, stopwatch } from "../state/bytes";
import { entryText, errorText, hostOf, phaseText, updateFailureText } from "../state/texts";
import { guessReason, percent, shifted, windowed, type EntryRow, type NoteRow, type PhaseRow, type Row, type TroubleCard, type UpdateCard, type Window } from "../state/timeline";
import { View, announce, maskedText } from "./base";
import { ask, openSettings } from "./dialogs";
import "./chip";
import { icon } from "./icons";
import { Overlay } from "./isolate";
import "./detail";
import "./owner";

/** Reasons that are a browser's own: a device in the field would be let through. */
const BROWSERS: ReadonlySet<string> = new Set(["plain_tcp", "mixed_content", "cors", "refused_by_policy"]);

/** Rows that come and go at once as one scrolls. */
const STEP = 60;

@customElement("m-session")
export class SessionView extends View {
  session!: Session;
  #shown: Session | undefined;
  #ends: (() => void) | undefined;
  #said = "";
  /** When the person last touched the scroller: what scrolls by itself changes nothing. */
  #touched = 0;
  /** Below this width the detail is a sheet over the page. */
  readonly #narrow = matchMedia("(max-width: 1180px)");
  readonly #overlay = new Overlay();
  #last: string | null = null;
  #shifting = false;
  readonly #resized = () => this.requestUpdate();

  static override properties = { session: { attribute: false } };

  protected override stores() {
    return [clouds];
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
    if (session.follow && session.selected === null) {
      this.#toEnd();
      // What stands above may have grown, which is known once it is laid out.
      requestAnimationFrame(() => {
        if (this.session === session && session.follow && session.selected === null) this.#toEnd();
      });
    }
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

  #toEnd(): void {
    const scroller = this.querySelector<HTMLElement>(".flow-scroll");
    if (scroller === null || scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1) return;
    scroller.scrollTop = scroller.scrollHeight;
  }

  override render(): TemplateResult {
    const { session } = this;
    const selected = session.find(session.selected);
    const sheet = selected !== undefined && this.#narrow.matches;
    return html`<section class="work" aria-label=${session.names.device}>
        ${this.#bar()}
        <div class="status">
          ${this.#before()}${this.#failure()}${session.facts.trouble === null ? nothing : this.#trouble(session.facts.trouble)}
          ${session.misuse === null ? nothing : html`<div class="banner warn" role="alert">${icon("alert")}<div>${messageText(session.misuse)}</div></div>`}
          ${session.facts.update === null ? nothing : this.#update(session.facts.update)}
          ${session.plan.platform === "alibaba" ? html`<m-owner .session=${session}></m-owner>` : nothing}
        </div>
        <div class="flow-scroll" @scroll=${this.#scrolled} @wheel=${this.#touch} @touchmove=${this.#touch} @pointerdown=${this.#touch} @keydown=${this.#key}>${this.#lanes()}</div>
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
          <h2>${d.platform[platform].short} <small>${session.names.device}</small></h2>
          <m-chip .session=${session} testid="device-state"></m-chip>
        </div>
        <m-next .session=${session}></m-next>
        <label class="check follow" title=${d.run.followHelp}><input type="checkbox" data-testid="follow" .checked=${session.follow} @change=${this.#follow} />${d.run.follow}</label>
        <button type="button" class="quiet square" data-testid="device-settings" aria-label=${d.run.settings} title=${d.run.settings} @click=${() => this.#settings()}>${icon("gear")}</button>
      </div>
      <div class="bar-tools" role="toolbar" aria-label=${d.run.label}>
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
          : html`<button type="button" class="btn pri" data-testid="restart" ?disabled=${session.busy} @click=${() => goOn(session)}>${icon("play")}${session.busy ? d.first.starting : session.remembered ? (session.plan.storage === "browser" ? d.before.goOn : d.before.anew) : d.run.start}</button>`}
      </div>
    </div>`;
  }

  readonly #follow = (event: Event) => {
    const follow = (event.target as HTMLInputElement).checked;
    this.session.update({ follow, ...(follow ? { selected: null } : {}) });
  };

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

  #settings(): void {
    editSettings(this.session);
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
              <p><b>${d.common.nextMove}</b> ${todo}</p>` : nothing}
        ${advice === null ? nothing : html`<p>${todo === "" ? html`<b>${d.common.nextMove}</b> ` : nothing}<span data-testid="advice-text" data-advice=${advice}>${d.advice[advice]}</span></p>`}
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

  // ---------- the diagram ----------

  #rows(): Window {
    const { session } = this;
    return windowed(...session.sides, WINDOW, session.last);
  }

  /** Draws other rows, and leaves those that stay where they are on the screen. */
  async #shift(by: number): Promise<void> {
    const { session } = this;
    const scroller = this.querySelector<HTMLElement>(".flow-scroll");
    if (this.#shifting || scroller === null) return;
    this.#shifting = true;
    const { top, bottom } = scroller.getBoundingClientRect();
    // The rows, not what is in them: that is not laid out where nobody looks.
    const seen = [...scroller.querySelectorAll<HTMLElement>(".rows > li")].find((row) => {
      const box = row.getBoundingClientRect();
      return box.bottom > top && box.top < bottom;
    });
    const before = seen?.getBoundingClientRect().top ?? 0;
    session.update({ last: shifted(...session.sides, WINDOW, session.last, by), follow: false });
    await this.updateComplete;
    if (seen?.isConnected === true) scroller.scrollTop += seen.getBoundingClientRect().top - before;
    this.#shifting = false;
  }

  /** Keys of all entries, drawn or not. */
  #keys(): string[] {
    return windowed(...this.session.sides, Infinity, null)
      .rows.filter((row) => row.type === "entry")
      .map((row) => row.key);
  }

  /** Draws a row that is not drawn yet. */
  #draw(key: string): void {
    const { session } = this;
    if (this.#rows().rows.some((row) => row.key === key)) return;
    session.update({ last: shifted(...session.sides, WINDOW, key, WINDOW / 2), follow: false });
  }

  #lanes(): TemplateResult {
    const { session } = this;
    const d = t();
    const { rows, earlier, later } = this.#rows();
    const three = session.owner !== null && session.side !== "device";
    const { settings, platform, world } = session.plan;
    const address = world === "tab" ? d.lanes.inTab : hostOf(settings["broker"] ?? settings["base_url"] ?? "");
    const first = rows.find((row) => row.type === "entry")?.key;
    const dropped = session.timeline.dropped + (session.owner?.timeline.dropped ?? 0);
    return html`<section class=${`lanes${three ? " three" : ""}`} data-testid="timeline" aria-label=${d.lanes.label}>
      <div class="heads" aria-hidden="true">
        <span><b>${d.lanes.device}</b> <small>${d.lanes.wasm}</small></span>
        <span><b>${d.platform[platform].short}</b> <small>${address}</small></span>
        ${three ? html`<span><b>${d.lanes.app}</b></span>` : nothing}
      </div>
      ${dropped > 0 ? html`<p class="quiet-text center">${d.lanes.dropped(dropped)}</p>` : nothing}
      ${earlier ? html`<button type="button" class="btn center" data-testid="earlier" @click=${() => this.#shift(-STEP)}>${d.lanes.earlier}</button>` : nothing}
      ${rows.length === 0 ? html`<p class="quiet-text center">${session.running ? d.lanes.waiting : d.lanes.empty}</p>` : nothing}
      <ol class="rows">
        ${repeat(
          rows,
          (row) => row.key,
          (row) => this.#row(row, first),
        )}
      </ol>
      ${later ? html`<button type="button" class="btn center" data-testid="later" @click=${() => this.#shift(STEP)}>${d.lanes.later}</button>` : nothing}
    </section>`;
  }

  #row(row: Row, first: string | undefined): unknown {
    switch (row.type) {
      case "phase":
        return this.#phase(row);
      case "note":
        return this.#note(row);
      case "entry":
        return guard([row.entry, row.key === this.session.selected, this.#tabbable(row, first), i18n.language, this.session.begunUnix], () => this.#entry(row, first));
    }
  }

  #phase(row: PhaseRow): TemplateResult {
    const d = t();
    const [title = "", addition = ""] = phaseText(row.phase, this.session.plan.platform, this.session.plan.settings["registration"] ?? "http");
    const sign = { done: "✓", now: "●", failed: "!", retrying: "↻" }[row.state];
    return html`<li class=${`phase ${row.state} ${row.side}`} data-testid="phase" data-phase=${row.phase} data-state=${row.state}>
      <i aria-hidden="true">${sign}</i><span>${title}</span>${addition === "" ? nothing : html`<em>${addition}</em>`}<span class="hidden">${d.phaseState[row.state]}</span>
    </li>`;
  }

  #note(row: NoteRow): TemplateResult {
    const d = t();
    const handed = row.note === "token_handed_over";
    return html`<li class=${`note ${row.note}`} data-testid="note" data-note=${row.note}>
      <time>${clockText(row.unix)}</time>
      <span>${d.note[row.note]}${handed ? html` <code>${row.detail.slice(0, 8)}…</code> <small>${d.owner.handOver}</small>` : nothing}</span>
    </li>`;
  }

  #tabbable(row: EntryRow, first: string | undefined): boolean {
    const { selected } = this.session;
    return selected === null ? row.key === first : row.key === selected;
  }

  #entry(row: EntryRow, first: string | undefined): TemplateResult {
    const { session } = this;
    const { entry } = row;
    const { platform } = session.plan;
    const text = entryText(entry, platform);
    const on = session.selected === row.key;
    const tabbable = this.#tabbable(row, first);
    const direction = entry.kind === "mqtt" || entry.kind === "http" ? entry.direction : "self";
    const d = t().row;
    const secrets = entry.kind === "mqtt" ? entry.packet.masked : entry.kind === "http" ? entry.message.masked : 0;
    return html`<li
      class=${`msg ${direction} ${row.side} k-${entry.kind} ${lookOf(row)}${on ? " sel" : ""}`}
      data-testid="entry"
      data-kind=${entry.kind}
      data-type=${typeOf(row)}
      data-side=${row.side}
      data-seq=${entry.seq}
    >
      <time>${stopwatch(row.side === "app" ? entry.unix - session.begunUnix : entry.at)}</time>
      <button type="button" tabindex=${tabbable ? 0 : -1} aria-pressed=${on} data-key=${row.key} @click=${() => this.#select(row.key)}>
        <span class="label"><b>${text.strong}</b>${text.code === "" ? nothing : html` <code>${maskedText(text.code)}</code>`}${text.rest === "" ? nothing : html` <span>${maskedText(text.rest)}</span>`}</span>
        ${secrets > 0 ? html`<span class="lock" title=${t().detail.masked(secrets)}>•••</span>` : nothing}
        ${direction === "self" ? nothing : html`<span class="hidden">${direction === "up" ? d.up : d.down}</span>`}
      </button>
    </li>`;
  }

  #select(key: string): void {
    const { session } = this;
    session.update({ selected: session.selected === key ? null : key });
  }

  readonly #touch = {
    handleEvent: (event: Event) => {
      this.#touched = event.timeStamp;
    },
    passive: true,
  };

  readonly #scrolled = (event: Event) => {
    const scroller = event.target as HTMLElement;
    const { session } = this;
    const { earlier, later } = this.#rows();
    const near = scroller.clientHeight;
    if (!session.follow || session.selected !== null) {
      if (earlier && scroller.scrollTop < near) void this.#shift(-STEP);
      else if (later && scroller.scrollTop + 2 * near > scroller.scrollHeight) void this.#shift(STEP);
    }
    if (event.timeStamp - this.#touched > 800) return;
    // Who scrolls up wants to read; who comes back to the end wants to follow.
    const atEnd = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 24;
    if (!atEnd && session.follow) session.update({ follow: false });
  };

  readonly #key = (event: KeyboardEvent) => {
    const { session } = this;
    if (event.key === "Escape" && session.selected !== null) {
      const key = session.selected;
      session.update({ selected: null });
      this.#focus(key);
      event.preventDefault();
      return;
    }
    this.#touched = event.timeStamp;
    const target = event.target as HTMLElement;
    const key = target.dataset["key"];
    if (key === undefined) return;
    const keys = this.#keys();
    const at = keys.indexOf(key);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: keys.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = keys[Math.max(0, Math.min(keys.length - 1, to))];
    if (next === undefined) return;
    this.#draw(next);
    // Walking with the detail open reads on; else it only moves.
    if (session.selected !== null) session.update({ selected: next });
    this.#focus(next);
  };

  /** From the detail: the entry before or after. */
  readonly #walk = (event: CustomEvent<1 | -1>) => {
    const { session } = this;
    const keys = this.#keys();
    const next = keys[keys.indexOf(session.selected ?? "") + event.detail];
    if (next === undefined) return;
    this.#draw(next);
    session.update({ selected: next });
    void this.updateComplete.then(() => this.querySelector(`[data-key="${CSS.escape(next)}"]`)?.scrollIntoView({ block: "nearest" }));
  };

  #focus(key: string): void {
    void this.updateComplete.then(() => {
      const button = this.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
      button?.setAttribute("tabindex", "0");
      button?.focus();
      button?.scrollIntoView({ block: "nearest" });
    });
  }
}

function editSettings(session: Session): void {
  const { platform, world, settings, storage } = session.plan;
  openSettings({
    platform,
    world,
    settings,
    storage,
    restart: true,
    refusal: session.failure,
    missing: session.missing,
    done: (edited, place) => {
      session.replan({ settings: edited, storage: place });
      devices.keep();
      void session.restart();
    },
  });
}

/** Starts a device that is off. One from before a reload may need a secret that only the person knows. */
export async function goOn(session: Session): Promise<void> {
  if (!(await session.goOn())) editSettings(session);
}

function typeOf(row: EntryRow): string {
  const { entry } = row;
  switch (entry.kind) {
    case "mqtt":
      return entry.packet.type;
    case "http":
      return entry.direction === "up" ? (entry.message.method ?? "") : String(entry.message.status ?? "");
    case "event":
    case "app_event":
      return entry.event.event;
    case "store":
      return entry.action;
    case "link":
      return entry.what;
    case "reply":
      return entry.call;
    default:
      return entry.kind;
  }
}

/** Whether a row is good news, bad news or none. */
function lookOf(row: EntryRow): string {
  const { entry } = row;
  if (entry.kind === "event") {
    const { event } = entry;
    if (event.event === "stopped" || (event.event === "update" && event.update.phase === "failed")) return "bad";
    if (event.event === "retrying" || event.event === "warning") return "warn";
    if (event.event === "ready" || event.event === "registered" || (event.event === "update" && event.update.phase === "reported")) return "good";
    return "";
  }
  if (entry.kind === "app_event") return entry.event.event === "failed" ? "bad" : entry.event.event === "bound" ? "good" : "";
  if (entry.kind === "mqtt") return (entry.packet.type === "CONNACK" && entry.packet.return_code !== 0) || (entry.packet.type === "SUBACK" && (entry.packet.return_code ?? 0) >= 0x80) ? "bad" : "";
  if (entry.kind === "http") return entry.direction === "down" && (entry.message.status === 0 || (entry.message.status ?? 0) >= 400) ? "bad" : "";
  if (entry.kind === "store" || entry.kind === "install") return entry.outcome === "failed" ? "bad" : "";
  if (entry.kind === "link") return entry.trouble === undefined || entry.trouble.reason === "closed" ? "" : "warn";
  if (entry.kind === "reply") return "error" in entry.result ? "bad" : "good";
  return entry.kind === "misuse" ? "warn" : "";
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
