// Opens the settings dialog again, as it stood when the page was left.

import type { Storage } from "../muster/types";
import { clouds } from "../state/clouds";
import { devices } from "../state/devices";
import { dropDraft, readDraft } from "../state/draft";
import { planOf } from "../state/named";
import { completed } from "../state/profiles";
import { openSettings } from "./dialogs";
import { editSettings, goesWithout, startOne } from "./session";

export async function restoreDraft(): Promise<void> {
  const draft = readDraft();
  if (draft === null) return;
  const { platform, world, storage, relay } = draft;
  const { settings: placed } = planOf(draft, location);
  // The demo knows its product's secret; a demo that does not answer knows nothing.
  const demo = world === "real" ? undefined : await clouds.demo(world).catch(() => undefined);
  const { settings, missing } = completed({ platform, settings: placed, missing: draft.missing }, demo?.[platform]);
  if (draft.device === null) {
    const done = async (edited: Record<string, string>, place: Storage, byRelay: boolean) => {
      const still = missing.filter((key) => (edited[key] ?? "") === "");
      if (await goesWithout(still)) startOne({ platform, world, settings: edited, storage: place, relay: byRelay });
    };
    openSettings({ platform, world, settings, storage, missing, relay, restart: false, refusal: null, restored: true, template: draft.template, done });
    return;
  }
  const session = devices.sessions.find(({ storeName }) => storeName === draft.device);
  if (session === undefined) return dropDraft();
  devices.open(session);
  editSettings(session, { ...draft, settings, missing });
}
