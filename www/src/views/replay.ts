// The player of a recorded life: where it stands, what came, what the core answered, and what that changed in it.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { clockText, t } from "../i18n";
import { stopwatch } from "../state/bytes";
import { shortcutFor, type ShortcutId } from "../state/shortcuts";
import type { Session } from "../state/devices";
import { refusal, type Refusal } from "../state/failure";
import { prettyTokens } from "../state/json";
import { messageText } from "../state/messages";
import { SPEEDS, type Player, type Speed } from "../state/replay";
import { fields, inputText, outputText, type Said } from "../state/replay-texts";
import type { ReplayField, ReplayPlace } from "../muster/types";
import { View, maskedText, segments } from "./base";
import { icon } from "./icons";
import type { TimelineElement } from "./timeline";
import "../styles/replay.css";

@customElement("m-replay")
export class ReplayView extends View {
  session!: Session;
  @state() private loading = false;
  @state() private failure: Refusal | null = null;
  @state() private everything = false;
  #shown: Session | undefined;
  /** Which asking is the last: what comes of an earlier one is let go. */
  #round = 0;
  #ends: (() => void) | undefined;
  #at = -1;

  static override properties = { session: { attribute: false } };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#ends?.();
    this.#shown?.endReplay();
    this.#shown = undefined;
    this.#round += 1;
  }

  protected override willUpdate(): void {
    const { session } = this;
    // What was asked for before the panel was closed must not open it again.
    if (this.#shown === session || !this.isConnected) return;
    this.#ends?.();
    this.#shown?.endReplay();
    this.#shown = session;
    this.#ends = session.subscribe(() => this.requestUpdate());
    this.failure = null;
    this.loading = false;
    this.#round += 1;
    const last = session.recorded.at(-1);
    if (last !== undefined) void this.#open(last.life, true);
  }

  protected override updated(): void {
    const { player } = this.session;
    if (player === null || player.at === this.#at) return;
    this.#at = player.at;
    const row = this.session.log.rows.find((row) => row.type === "entry" && row.side === "device" && row.life === player.life && row.entry.seq === player.places.entryOf(player.at));
    if (row !== undefined) this.closest("m-session")?.querySelector<TimelineElement>("m-timeline")?.show(row.key);
  }

  async #open(life: number, focus = false): Promise<void> {
    const round = ++this.#round;
    const { session } = this;
    const wanted = () => round === this.#round;
    this.loading = true;
    this.failure = null;
    this.#at = -1;
    try {
      await session.replay(life, wanted);
    } catch (error) {
      if (wanted()) this.failure = refusal(error);
    } finally {
      if (wanted()) this.loading = false;
    }
    if (!wanted()) return;
    await this.updateComplete;
    if (focus) this.querySelector<HTMLElement>("[data-testid=replay-slider]")?.focus();
  }

  override render(): TemplateResult {
    const { session, failure } = this;
    const { player, recorded } = session;
    const d = t().replay;
    if (recorded.length === 0) return html`<p class="quiet-text" data-testid="replay-none">${session.recording === null ? d.none : d.noneInFile}</p>`;
    const problem = failure ?? player?.failure ?? null;
    return html`<div class="replay" data-testid="replay" data-at=${player?.at ?? nothing} data-length=${player?.length ?? nothing} @keydown=${this.#key}>
      <p class="quiet-text">${d.lead}</p>
      ${this.#lives()}
      ${problem === null ? nothing : html`<p class="wrong" role="alert" data-testid="replay-wrong">${messageText(problem.message)}</p>`}
      ${this.loading ? html`<p class="quiet-text" role="status">${d.loading}</p>` : nothing}
      ${player === null ? nothing : html`${this.#verdict(player)}${this.#transport(player)}${player.place === null ? nothing : this.#place(player.place)}`}
    </div>`;
  }

  /** Which life, where there are several; and the rest of one that goes on. */
  #lives(): TemplateResult | typeof nothing {
    const { session } = this;
    const { player, recorded } = session;
    const d = t().replay;
    const live = session.running && player !== null && player.life === recorded.at(-1)?.life;
    if (recorded.length < 2 && !live) return nothing;
    return html`<div class="replay-lives">
      ${recorded.length < 2
        ? nothing
        : html`<label>${d.life} <select class="slim" data-testid="replay-life" @change=${(event: Event) => void this.#open(Number((event.target as HTMLSelectElement).value))}>
            ${recorded.map(({ life, begun }) => html`<option value=${life} ?selected=${life === player?.life}>${d.lifeAt(life, clockText(begun))}</option>`)}
          </select></label>`}
      ${live ? html`<button type="button" class="btn" data-testid="replay-again" ?disabled=${this.loading} @click=${() => void this.#open(player.life)}>${icon("retry")}${d.again}</button>` : nothing}
    </div>`;
  }

  #verdict(player: Player): TemplateResult {
    const d = t().replay;
    const { check, length } = player;
    const { differs } = check;
    const strays = this.session.lives.find((life) => life.side === "device" && life.life === player.life)?.replay?.strays ?? null;
    return html`<div class="replay-notes">
      <p class=${`replay-verdict ${differs === null ? "ok" : "bad"}`} role="status" data-testid="replay-verdict" data-differs=${differs ?? nothing}>
        ${differs === null ? d.same(length) : d.differs(differs)}
        ${differs === null ? nothing : html`<button type="button" class="btn" data-testid="replay-difference" @click=${() => void this.session.player?.go(differs)}>${d.toDifference}</button>`}
      </p>
      ${check.core === check.this ? nothing : html`<p class="quiet-text">${d.builds(check.core, check.this)}</p>`}
      ${check.covered ? html`<p class="quiet-text" data-testid="replay-covered">${d.covered}</p>` : nothing}
      ${strays === null ? nothing : html`<p class="quiet-text">${d.strays(strays)}</p>`}
      ${check.dropped === 0 ? nothing : html`<p class="quiet-text">${d.dropped(check.dropped)}</p>`}
    </div>`;
  }

  // ---------- the controls ----------

  #transport(player: Player): TemplateResult {
    const d = t().replay;
    const { at, length, playing } = player;
    const button = (testid: string, sign: TemplateResult, label: string, disabled: boolean, work: () => void) =>
      html`<button type="button" class="btn" data-testid=${testid} aria-label=${label} title=${label} ?disabled=${disabled} @click=${work}>${sign}</button>`;
    const turned = (back: boolean, bar: boolean) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${back ? `M16 6l-7 6 7 6z${bar ? "M7 6v12" : ""}` : `M8 6l7 6-7 6z${bar ? "M17 6v12" : ""}`}></path></svg>`;
    return html`<div class="transport" role="group" aria-label=${d.controls} title=${d.keys}>
      ${button("replay-start", turned(true, true), d.toStart, at === 0, () => void player.go(0))}
      ${button("replay-back", turned(true, false), d.back, at === 0, () => void player.step(-1))}
      ${button("replay-play", icon(playing ? "pause" : "play"), playing ? d.pause : d.play, length === 0, () => player.toggle())}
      ${button("replay-forward", turned(false, false), d.forward, at === length, () => void player.step(1))}
      ${button("replay-end", turned(false, true), d.toEnd, at === length, () => void player.go(length))}
      <input type="range" min="0" max=${length} .value=${String(at)} aria-label=${d.step} aria-valuetext=${d.at(at, length)} data-testid="replay-slider" @input=${(event: Event) => void player.go(Number((event.target as HTMLInputElement).value))} />
      <output data-testid="replay-at">${d.at(at, length)}</output>
      ${segments<Speed>(d.speed, SPEEDS.map((value) => ({ value, text: d.speeds[value], title: `${d.speed}: ${d.speeds[value]}. ${d.speedHelp}`, testid: `replay-speed-${value}` })), player.speed, (speed) => player.faster(speed))}
    </div>`;
  }

  readonly #key = (event: KeyboardEvent) => {
    const { player } = this.session;
    if (player === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    // Others have these keys already: a list, a choice of speed, a text that scrolls.
    if (target.closest("select, [role=radiogroup], pre, summary") !== null) return;
    const shortcut = shortcutFor(event, "replay");
    if (shortcut === null || (shortcut === "replayPlay" && target.closest("button") !== null)) return;
    const doing: Partial<Record<ShortcutId, () => unknown>> = { replayBack: () => player.step(-1), replayOn: () => player.step(1), replayStart: () => player.go(0), replayEnd: () => player.go(player.length), replayPlay: () => player.toggle() };
    const work = doing[shortcut];
    if (work === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    void work();
  };

  // ---------- a step ----------

  #place(place: ReplayPlace): TemplateResult {
    const { session } = this;
    const d = t().replay;
    const { platform } = session.plan;
    const changed = place.state.filter((field) => field.changed).length;
    const rows = fields(place, this.everything);
    return html`<div class="replay-place" data-testid="replay-place" data-same=${place.same ?? nothing} data-word=${place.word}>
      <section class="replay-box" aria-label=${d.came}>
        <h4>${d.came} · <span class="sans">${d.time(stopwatch(place.mono), place.unix === null ? d.noClock : clockText(place.unix))}</span></h4>
        <div data-testid="replay-input" data-input=${place.input.input}>${line(inputText(place.input, platform))}</div>
        ${place.refused === null ? nothing : html`<p class="wrong">${d.refused(messageText(place.refused))}</p>`}
      </section>
      <section class=${`replay-box${place.same === false ? " bad" : ""}`} aria-label=${d.said}>
        <h4>${d.said}${place.same === false ? html` · <span class="wrong">${d.notSame}</span>` : nothing}</h4>
        <ol class="replay-outputs" data-testid="replay-outputs">${place.outputs.map((output) => html`<li data-output=${output.output} data-event=${output.output === "event" ? output.event.event : nothing}>${line(outputText(output, place.mono, platform))}</li>`)}</ol>
      </section>
      ${place.same === false
        ? html`<section class="replay-box" aria-label=${d.then} data-testid="replay-recorded">
            <h4>${d.then}</h4>
            ${place.recorded === null ? html`<p class="quiet-text">${d.thenUnknown}</p>` : html`<ol class="replay-outputs">${place.recorded.map((output) => html`<li>${line(outputText(output, place.mono, platform))}</li>`)}</ol>`}
          </section>`
        : nothing}
      <section class="replay-box wide" aria-label=${d.state}>
        <h4>${d.state} · <span class="sans" data-testid="replay-word">${place.word}</span> · ${d.changed(changed)}</h4>
        ${rows.length === 0 ? html`<p class="quiet-text">${d.unchanged}</p>` : stateTable(rows)}
        <label class="check"><input type="checkbox" data-testid="replay-everything" .checked=${this.everything} @change=${() => (this.everything = !this.everything)} />${d.all}</label>
      </section>
    </div>`;
  }
}

function line({ head, code, rest, body, sign }: Said): TemplateResult {
  return html`<div class="replay-line">
    <div><b>${head}</b>${code === "" ? nothing : html`<code>${maskedText(code)}</code>`}${rest === "" ? nothing : html`<span>${maskedText(rest)}</span>`}</div>
    ${body === undefined ? nothing : html`<pre tabindex="0">${maskedText(pretty(body))}</pre>`}
    ${sign === undefined ? nothing : html`<details><summary>${t().replay.stringToSign}</summary><pre tabindex="0">${maskedText(sign)}</pre></details>`}
  </div>`;
}

function pretty(text: string): string {
  return prettyTokens(text)?.map((token) => token.text).join("") ?? text;
}

/** The core's own fields are called as it calls them. */
function fieldName(name: string): string | TemplateResult {
  const d = t().replay;
  const timer = /^timer (.+)$/.exec(name)?.[1];
  if (timer !== undefined) return d.timer((d.why as Record<string, string>)[timer] ?? timer);
  return d.counted[name] ?? html`<code>${name}</code>`;
}

function stateTable(rows: readonly ReplayField[]): TemplateResult {
  const d = t().replay;
  return html`<table class="replay-state" data-testid="replay-state">
    <thead><tr><th scope="col">${d.field}</th><th scope="col">${d.before}</th><th scope="col">${d.after}</th></tr></thead>
    <tbody>${rows.map((field) => html`<tr class=${field.changed ? "changed" : ""} data-field=${field.name}><th scope="row">${fieldName(field.name)}</th><td>${field.changed ? maskedText(field.before ?? d.gone) : ""}</td><td>${maskedText(field.value ?? d.gone)}</td></tr>`)}</tbody>
  </table>`;
}
