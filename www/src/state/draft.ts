// The settings dialog as it stood when the page was left: what was typed, without its secrets.

import type { PlatformName, Storage } from "../muster/types";
import type { World } from "./clouds";
import { named } from "./named";
import { readProfiles } from "./profiles";
import { keptHere } from "./store";

export type Draft = {
  platform: PlatformName;
  world: World;
  storage: Storage;
  settings: Record<string, string>;
  missing: readonly string[];
  /** Whose settings they are, if they are not another device's. */
  device: string | null;
  template: string;
  relay: boolean;
};

export function keepDraft(draft: Omit<Draft, "missing">): void {
  const { platform, world, storage, settings, device, template, relay } = draft;
  const { name: _, ...profile } = named("draft", { platform, world, storage, settings, relay });
  keptHere.set("draft", JSON.stringify({ ...profile, device, template }));
}

export function dropDraft(): void {
  keptHere.remove("draft");
}

export function readDraft(): Draft | null {
  const text = keptHere.get("draft");
  const [profile] = readProfiles(text === null ? null : `[${text}]`);
  if (profile === undefined || text === null) return null;
  const { device, template } = JSON.parse(text) as { device?: unknown; template?: unknown };
  const { platform, world, storage, settings, missing, relay = false } = profile;
  return { platform, world, storage, settings, missing, device: typeof device === "string" ? device : null, template: typeof template === "string" ? template : "", relay };
}
