// The clouds in this tab as a whole: start over, take them along, go on from a file.

import { html, type TemplateResult } from "lit";
import { o } from "../../i18n/cloud";
import { clouds } from "../../state/clouds";
import { devices } from "../../state/devices";
import { operate } from "../../state/operate";
import { LARGEST, readTabFile, writeTabFile } from "../../state/tabfile";
import { ask } from "../dialogs";
import { saveFile, stamp } from "../save";

export function tabMenu(): TemplateResult {
  const d = o().tab;
  return html`<details class="op-menu" data-testid="tab-menu"><summary class="btn">${d.menu}</summary><div class="menu-body">
    <button type="button" class="quiet" data-testid="tab-export" @click=${takeOut}>${d.export}</button>
    <label class="quiet file-item">${d.import}<input type="file" class="hidden" accept=".json,application/json" data-testid="tab-import" @change=${takeIn} /></label>
    <button type="button" class="quiet" data-testid="tab-start-over" @click=${startOver}>${d.startOver}</button>
  </div></details>`;
}

function fold(event: Event): void {
  (event.currentTarget as HTMLElement).closest("details")?.removeAttribute("open");
}

async function startOver(event: Event): Promise<void> {
  fold(event);
  const d = o().tab;
  if ((await ask({ title: d.startOverTitle, text: d.startOverText, ok: d.startOverOk, danger: true })) === null) return;
  try {
    await devices.stopAll("tab");
    await clouds.startOver();
    operate.tell(() => o().tab.fresh);
  } catch (error) {
    operate.fail(error);
  }
}

async function takeOut(event: Event): Promise<void> {
  fold(event);
  const d = o().tab;
  if ((await ask({ title: d.exportTitle, text: d.exportText, ok: d.exportOk, danger: true })) === null) return;
  try {
    const now = new Date();
    saveFile(`muster-clouds-${stamp(now)}.json`, "application/json", [writeTabFile(await clouds.takeOut(), now)]);
  } catch (error) {
    operate.fail(error);
  }
}

async function takeIn(event: Event): Promise<void> {
  fold(event);
  const d = o().tab;
  const input = event.target as HTMLInputElement;
  const file = input.files?.[0];
  if (file === undefined) return;
  const text = file.size > LARGEST ? "" : await file.text().catch(() => "");
  input.value = "";
  const read = readTabFile(text);
  if ("why" in read) {
    operate.fail(new Error(read.why === "newer" ? d.newer : d.unreadable));
    return;
  }
  if ((await ask({ title: d.importTitle(file.name), text: d.importText, ok: d.importOk, danger: true })) === null) return;
  try {
    await devices.stopAll("tab");
    await clouds.takeIn(read.values);
    operate.tell(() => o().tab.restored);
  } catch (error) {
    operate.fail(error);
  }
}
