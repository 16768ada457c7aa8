// One line for an entry of the timeline; the console has the whole of it.

import type { Entry, Event } from "../../src/muster/types";
import type { Texts } from "./element-texts";

export type Words = { text: string; way: "↑" | "↓" | ""; bad: boolean };

/** Undefined: not worth a line of a short timeline. */
export function wordsOf(entry: Entry, texts: Texts): Words | undefined {
  switch (entry.kind) {
    case "event":
      return event(entry.event, texts);
    case "mqtt": {
      const { type, topic } = entry.packet;
      const text = topic === undefined ? type : `${type} ${topic}`;
      return { text, way: entry.direction === "up" ? "↑" : "↓", bad: false };
    }
    case "http": {
      const { method, url, status, trouble } = entry.message;
      if (entry.direction === "up") return { text: `${method ?? ""} ${url ?? ""}`.trim(), way: "↑", bad: false };
      return { text: trouble === undefined ? `HTTP ${status ?? 0}` : trouble.reason, way: "↓", bad: (status ?? 0) >= 400 || trouble !== undefined };
    }
    case "store": {
      const done = entry.action === "put" ? texts.stored : texts.erased;
      const failed = entry.outcome === "failed";
      return { text: `${entry.key}: ${failed ? texts.notStored : done}`, way: "", bad: failed };
    }
    case "install":
      return { text: texts.installed(entry.version), way: "", bad: entry.outcome === "failed" };
    case "link": {
      const { what, url, trouble } = entry;
      const text = [texts.connection[what], url, trouble?.reason].filter((part) => part !== undefined && part !== "").join(" · ");
      return { text, way: "", bad: trouble !== undefined };
    }
    case "fault":
      return { text: [`⚡ ${entry.done.fault}`, entry.detail].filter((part) => part !== undefined).join(" · "), way: "", bad: true };
    case "misuse":
      return { text: entry.message, way: "", bad: true };
    default:
      return undefined;
  }
}

function event(event: Event, texts: Texts): Words | undefined {
  const good = (text: string): Words => ({ text, way: "", bad: false });
  const bad = (text: string): Words => ({ text, way: "", bad: true });
  switch (event.event) {
    case "step":
      return good(texts.step[event.step]);
    case "registered":
      return good(texts.registered);
    case "ready":
      return good(texts.ready);
    case "heartbeat":
      return good(texts.heartbeat);
    case "update":
      // Hundreds of these.
      if (event.update.phase === "downloading") return undefined;
      return { ...good(texts.update[event.update.phase]), bad: event.update.phase === "failed" };
    case "retrying":
      return bad(texts.retrying(Math.ceil(event.in_ms / 1000)));
    case "stopped":
      return bad(texts.state.stopped);
    default:
      return undefined;
  }
}
