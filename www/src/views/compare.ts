// Two entries line by line. Loaded when two are compared for the first time.

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { t } from "../i18n";
import { stopwatch } from "../state/bytes";
import type { Session } from "../state/devices";
import { diff, folded, linesOf, type Block } from "../state/diff";
import { maskedOf } from "../state/entry";
import type { EntryRow } from "../state/timeline";
import { View, maskedText } from "./base";
import { rowText } from "./rows";

@customElement("m-compare")
export class Compare extends View {
  session!: Session;
  there!: EntryRow;
  here!: EntryRow;

  static override properties = { session: { attribute: false }, there: { attribute: false }, here: { attribute: false } };

  override render(): TemplateResult {
    const { session, there, here } = this;
    const d = t().compare;
    const { lines, whole } = diff(linesOf(there.entry), linesOf(here.entry));
    const same = lines.every((line) => line.kind === "same");
    const { strong, code } = rowText(session, there);
    return html`<div data-testid="compare" data-same=${same}>
      <p class="compare-with">${d.with(`${stopwatch(there.entry.at)} ${strong} ${code}`.trim())} <button type="button" class="btn tiny" @click=${() => session.update({ selected: there.key })}>${t().common.show}</button></p>
      ${same ? html`<p class="good">${d.same}</p>` : html`<ol class="diff">${folded(lines).map((block) => this.#block(block))}</ol>`}
      ${whole ? html`<p class="quiet-text">${d.tooLarge}</p>` : nothing}
      ${maskedOf(there.entry) + maskedOf(here.entry) > 0 ? html`<p class="quiet-text">${d.covered}</p>` : nothing}
    </div>`;
  }

  #block(block: Block): TemplateResult {
    const d = t().compare;
    switch (block.kind) {
      case "skipped":
        return html`<li class="skipped">⋯ ${d.skipped(block.count)}</li>`;
      case "same":
        return html`<li><span>${maskedText(block.text)}</span></li>`;
      case "removed":
        return html`<li class="removed"><span class="hidden">${d.removed}: </span><del>${maskedText(block.text)}</del></li>`;
      case "added":
        return html`<li class="added"><span class="hidden">${d.added}: </span><ins>${maskedText(block.text)}</ins></li>`;
    }
  }
}
