import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { t } from "../i18n";
import { clock } from "../state/clock";
import { devices, type Session } from "../state/devices";
import { isSpent } from "../state/fault-rules";
import { tone, wordText } from "../state/texts";
import { View } from "./base";
import { icon } from "./icons";

/** The state of a device in a word, which may count down. */
@customElement("m-chip")
export class Chip extends View {
  session!: Session;
  testid = "";
  static override properties = { session: { attribute: false }, testid: { type: String } };

  protected override stores() {
    return [devices, clock];
  }

  override render(): TemplateResult {
    const { session } = this;
    if (session.recording !== null) return html`<span class="chip" data-testid=${this.testid === "" ? nothing : this.testid} data-state="recording">${t().recording.word}</span>`;
    const failed = session.failure !== null;
    const armed = session.faults.filter((fault) => !isSpent(fault)).length;
    const mark = armed === 0 ? nothing : html`<span class="fault-mark" data-testid="faults-mark" role="img" title=${t().faults.armed(armed)} aria-label=${t().faults.armed(armed)}>${icon("bolt")}</span>`;
    return html`${mark}<span class=${`chip ${tone(session.facts, failed)}`} data-testid=${this.testid === "" ? nothing : this.testid} data-state=${session.facts.word}>${wordText(session.facts, session.plan.platform, failed, clock.now)}</span>`;
  }
}
