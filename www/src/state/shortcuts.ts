// The keys of the page: one table, by which they are handled and from which the sheet is made.

import { singleKeys } from "./keys";
import { VIEWS } from "./router";

/**
 * Where a key means something. `page`: wherever nobody types. `device`: with a device open. `search`: in the timeline's
 * search field. `entry`: on an entry of the timeline. `tree`: on a device of the Bind view's topology. `grid`: in
 * the Cloud view's table of devices. `replay`: in a device's replay. `message`: in the payload of a message.
 */
export type Context = "page" | "device" | "search" | "entry" | "replay" | "message" | "grid" | "tree";
export const CONTEXTS: readonly Context[] = ["page", "device", "entry", "search", "replay", "message", "grid", "tree"];

export type ShortcutId =
  | "new"
  | "view"
  | "sheet"
  | "close"
  | "previousDevice"
  | "nextDevice"
  | "find"
  | "table"
  | "pause"
  | "follow"
  | "walkUp"
  | "walkDown"
  | "pageUp"
  | "pageDown"
  | "first"
  | "last"
  | "openEntry"
  | "copyEntry"
  | "mark"
  | "clearSearch"
  | "leaveSearch"
  | "replayBack"
  | "replayOn"
  | "replayStart"
  | "replayEnd"
  | "replayPlay"
  | "sendMessage"
  | "gridUp"
  | "gridDown"
  | "gridPageUp"
  | "gridPageDown"
  | "gridFirst"
  | "gridLast"
  | "treeUp"
  | "treeDown"
  | "treeFirst"
  | "treeLast"
  | "treeIn"
  | "treeOut"
  | "treeRemove";

export type Shortcut = {
  id: ShortcutId;
  /** Values of KeyboardEvent.key; `Control+` before one that Ctrl, or a Mac's command key, goes with. */
  keys: readonly string[];
  context: Context;
  /** The browser itself, or an element of its own, does it. */
  native?: true;
};

export const SHORTCUTS: readonly Shortcut[] = [
  { id: "new", keys: ["n"], context: "page" },
  { id: "view", keys: VIEWS.map((_, at) => String(at + 1)), context: "page" },
  { id: "sheet", keys: ["?"], context: "page" },
  { id: "close", keys: ["Escape"], context: "page", native: true },
  { id: "previousDevice", keys: ["["], context: "device" },
  { id: "nextDevice", keys: ["]"], context: "device" },
  { id: "find", keys: ["/"], context: "device" },
  { id: "table", keys: ["t"], context: "device" },
  { id: "pause", keys: ["p"], context: "device" },
  { id: "follow", keys: ["f"], context: "device" },
  { id: "walkUp", keys: ["ArrowUp"], context: "entry" },
  { id: "walkDown", keys: ["ArrowDown"], context: "entry" },
  { id: "pageUp", keys: ["PageUp"], context: "entry" },
  { id: "pageDown", keys: ["PageDown"], context: "entry" },
  { id: "first", keys: ["Home"], context: "entry" },
  { id: "last", keys: ["End"], context: "entry" },
  { id: "openEntry", keys: ["Enter"], context: "entry", native: true },
  { id: "copyEntry", keys: ["c"], context: "entry" },
  { id: "mark", keys: ["m"], context: "entry" },
  { id: "clearSearch", keys: ["Escape"], context: "search" },
  { id: "leaveSearch", keys: ["ArrowDown", "Enter"], context: "search" },
  { id: "replayBack", keys: ["ArrowLeft"], context: "replay" },
  { id: "replayOn", keys: ["ArrowRight"], context: "replay" },
  { id: "replayStart", keys: ["Home"], context: "replay" },
  { id: "replayEnd", keys: ["End"], context: "replay" },
  { id: "replayPlay", keys: [" "], context: "replay" },
  { id: "sendMessage", keys: ["Control+Enter"], context: "message" },
  { id: "gridUp", keys: ["ArrowUp"], context: "grid" },
  { id: "gridDown", keys: ["ArrowDown"], context: "grid" },
  { id: "gridPageUp", keys: ["PageUp"], context: "grid" },
  { id: "gridPageDown", keys: ["PageDown"], context: "grid" },
  { id: "gridFirst", keys: ["Home"], context: "grid" },
  { id: "gridLast", keys: ["End"], context: "grid" },
  { id: "treeUp", keys: ["ArrowUp"], context: "tree" },
  { id: "treeDown", keys: ["ArrowDown"], context: "tree" },
  { id: "treeFirst", keys: ["Home"], context: "tree" },
  { id: "treeLast", keys: ["End"], context: "tree" },
  { id: "treeIn", keys: ["ArrowRight"], context: "tree" },
  { id: "treeOut", keys: ["ArrowLeft"], context: "tree" },
  { id: "treeRemove", keys: ["Delete"], context: "tree" },
];

/** A letter, digit or sign alone: a person may have switched these off. */
export function isSingle(key: string): boolean {
  return key.length === 1 && key !== " ";
}

/** What a pressed key means, if it means anything there. */
export function shortcutFor(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">, context: Context): ShortcutId | null {
  if (event.altKey || (isSingle(event.key) && !singleKeys())) return null;
  const key = event.ctrlKey || event.metaKey ? `Control+${event.key}` : event.key;
  return SHORTCUTS.find((shortcut) => shortcut.native !== true && shortcut.context === context && shortcut.keys.includes(key))?.id ?? null;
}

const SHOWN: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Escape: "Esc", PageUp: "PgUp", PageDown: "PgDn", Delete: "Del", " ": "␣", "Control+Enter": "Ctrl+Enter" };

/** What stands on the key. */
export function keyCap(key: string): string {
  return SHOWN[key] ?? key;
}
