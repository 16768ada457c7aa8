// How the page was when it was left: which clouds, which device was open, how its timeline and the list were looked at.
// For this tab, until it is closed; the devices themselves are remembered by state/devices.ts. Never with a secret.

import { t } from "../i18n";
import { WORLDS, clouds } from "./clouds";
import { SORTS, type ListLook } from "./device-list";
import { devices, type Session } from "./devices";
import { GROUPS } from "./entry";
import { NO_FILTER, isFiltered, type Filter } from "./filter";
import { notices } from "./notices";
import { keeping, keptHere } from "./store";

type Look = Pick<Session, "filter" | "panel" | "view" | "follow">;
type Saved = { version: 1; world: string; open: string | null; list: ListLook; devices: Record<string, Look> };

/** Between two writes: what a crash may cost. */
const EVERY = 1_000;

class Page {
  #last = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** After the devices were remembered. */
  start(): void {
    keeping.subscribe(() => this.#keeping());
    const saved = readPage(keptHere.get("page"));
    if (saved !== null) this.#restore(saved);
    this.#last = this.#text();
    const later = () => (this.#timer ??= setTimeout(() => this.save(), EVERY));
    devices.subscribe(later);
    clouds.subscribe(later);
    addEventListener("pagehide", () => {
      this.save();
      devices.keepNow();
    });
  }

  save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#text();
    if (text === this.#last) return;
    this.#last = text;
    keptHere.set("page", text);
  }

  #text(): string {
    const looks = devices.sessions.filter((session) => session.recording === null && (session.panel !== null || isFiltered(session.filter) || !session.follow));
    const saved: Saved = {
      version: 1,
      world: clouds.world,
      open: devices.current === null || devices.current.recording !== null ? null : devices.current.storeName,
      list: devices.look,
      devices: Object.fromEntries(looks.map(({ storeName, filter, panel, view, follow }) => [storeName, { filter, panel, view, follow }])),
    };
    return JSON.stringify(saved);
  }

  #restore(saved: Saved): void {
    const world = WORLDS.find((name) => name === saved.world);
    if (world !== undefined) clouds.choose(world);
    devices.look = saved.list;
    for (const session of devices.sessions) {
      const look = saved.devices[session.storeName];
      if (look !== undefined) session.update(look);
    }
    const open = devices.sessions.find((session) => session.storeName === saved.open);
    if (open !== undefined) devices.open(open);
    const count = devices.sessions.length;
    if (count > 0) notices.tell("restored", () => t().devs.restored(count));
  }

  #keeping(): void {
    const { trouble } = keeping;
    if (trouble === null) notices.end("keeping");
    else notices.tell("keeping", () => t().devs.keeping[trouble], { bad: true });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads what was written, by this or another version of the page. */
export function readPage(text: string | null): Saved | null {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "null");
  } catch {
    return null;
  }
  if (!isObject(value) || value["version"] !== 1) return null;
  const { world, open, list, devices: looks } = value;
  return {
    version: 1,
    world: typeof world === "string" ? world : "",
    open: typeof open === "string" ? open : null,
    list: readList(list),
    devices: Object.fromEntries(isObject(looks) ? Object.entries(looks).flatMap(([name, look]) => (isObject(look) ? [[name, readLook(look)] as const] : [])) : []),
  };
}

function readList(value: unknown): ListLook {
  const { search, sort } = isObject(value) ? value : {};
  return { search: typeof search === "string" ? search : "", sort: SORTS.find((name) => name === sort) ?? "added" };
}

function readLook({ filter, panel, view, follow }: Record<string, unknown>): Look {
  return {
    filter: isObject(filter) ? readFilter(filter) : NO_FILTER,
    panel: typeof panel === "string" ? panel : null,
    view: view === "table" ? "table" : "diagram",
    follow: follow !== false,
  };
}

function readFilter({ text, without, direction, problems, side }: Record<string, unknown>): Filter {
  return {
    text: typeof text === "string" ? text : "",
    without: Array.isArray(without) ? GROUPS.filter((group) => without.includes(group)) : [],
    direction: direction === "up" || direction === "down" ? direction : "both",
    problems: problems === true,
    side: side === "device" || side === "app" ? side : "both",
  };
}

export const page = new Page();
