// How the list of devices is shown: searched, sorted, in groups.

import { t } from "../i18n";
import type { PlatformName } from "../muster/types";
import type { Session } from "./devices";
import { PLATFORM_NAMES } from "./named";
import { wordText } from "./texts";

export type Sort = "added" | "platform" | "name" | "state";
export const SORTS: readonly Sort[] = ["added", "platform", "name", "state"];
export type ListLook = { search: string; sort: Sort };

/** Longer lists can be searched. */
export const SEARCHED_FROM = 7;

export type ListGroup = { platform: PlatformName | null; sessions: readonly Session[] };

/** What needs a person stands first. */
const STATES: readonly string[] = ["stopped", "dead", "cut", "retrying", "starting", "registering", "login", "updating", "online", "off"];

export function arranged(sessions: readonly Session[], { search, sort }: ListLook): readonly ListGroup[] {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = words.length === 0 ? [...sessions] : sessions.filter((session) => matches(session, words));
  if (sort === "platform") {
    const groups = PLATFORM_NAMES.map((platform) => ({ platform, sessions: found.filter((session) => session.plan.platform === platform) }));
    return groups.filter((group) => group.sessions.length > 0);
  }
  // As numbers where they are: device-10 behind device-9.
  if (sort === "name") found.sort((a, b) => a.title.localeCompare(b.title, undefined, { numeric: true }));
  if (sort === "state") found.sort((a, b) => rank(a) - rank(b));
  return found.length === 0 ? [] : [{ platform: null, sessions: found }];
}

function matches(session: Session, words: readonly string[]): boolean {
  const { product, device } = session.names;
  const { platform, world } = session.plan;
  // By what is shown in the language in use, and by the names that files and links have for it.
  const d = t();
  const text = [session.label, product, device, platform, d.platform[platform].name, d.platform[platform].short, world, d.world[world], ...wordsOf(session)].join("\n").toLowerCase();
  return words.every((word) => text.includes(word));
}

/** How it is, as the list shows it, without the seconds that pass, and as it is called inside. */
function wordsOf({ recording, facts, plan, failure }: Session): string[] {
  if (recording !== null) return [t().recording.word];
  return [facts.word, t().word[facts.word], wordText(facts, plan.platform, failure !== null, Infinity)];
}

function rank(session: Session): number {
  const at = STATES.indexOf(session.facts.word);
  return session.failure !== null ? -1 : at < 0 ? STATES.length : at;
}
