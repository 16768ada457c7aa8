// What a person types to find entries: words that all have to be there, "words in a row", -without; `type:`, `topic:`
// and `payload:` look in one place; `latency>100` compares milliseconds.

import type { Entry } from "../muster/types";
import { latencyOf, payloadOf, typeOf } from "./entry";

type Place = "type" | "topic" | "payload" | null;
export type Term = { not: boolean } & ({ place: Place; pattern: RegExp } | { latency: ">" | "<"; ms: number });

const TOKEN = /(-?)(?:(type|topic|payload):)?(?:"([^"]*)"?|(\S+))/gi;
const HALF = /^-?(?:(?:type|topic|payload):|latency[<>]?)?$/i;
const LATENCY = /^latency([<>])(\d+(?:\.\d+)?)$/i;

export function parseQuery(text: string): Term[] {
  const terms: Term[] = [];
  for (const [token, minus = "", place, phrase, word = ""] of text.matchAll(TOKEN)) {
    const not = minus === "-";
    const [, sign, ms] = (place === undefined && LATENCY.exec(word)) || [];
    if (sign !== undefined && ms !== undefined) {
      terms.push({ not, latency: sign as ">" | "<", ms: Number(ms) });
      continue;
    }
    const looked = phrase ?? word;
    // What is half typed hides nothing: a lone minus, a place without a word.
    if (looked === "" || HALF.test(token)) continue;
    const pattern = new RegExp(looked.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "i");
    terms.push({ not, place: (place?.toLowerCase() as Place | undefined) ?? null, pattern });
  }
  return terms;
}

/** `label`: how the entry is shown, in the language in use; asked for only if nothing else decides. */
export function matches(entry: Entry, terms: readonly Term[], label: () => string): boolean {
  return terms.every((term) => hit(entry, term, label) !== term.not);
}

function hit(entry: Entry, term: Term, label: () => string): boolean {
  if ("latency" in term) {
    const ms = latencyOf(entry);
    return ms !== undefined && (term.latency === ">" ? ms > term.ms : ms < term.ms);
  }
  const { pattern, place } = term;
  const found = (text: string | undefined) => text !== undefined && pattern.test(text);
  switch (place) {
    case "type":
      return found(typeOf(entry));
    case "topic":
      return found(entry.kind === "mqtt" ? entry.packet.topic : entry.kind === "http" ? entry.message.url : undefined);
    case "payload":
      return found(payloadOf(entry));
    case null:
      return found(typeOf(entry)) || found(payloadOf(entry)) || elsewhere(entry, found) || found(label());
  }
}

function elsewhere(entry: Entry, found: (text: string | undefined) => boolean): boolean {
  switch (entry.kind) {
    case "mqtt":
      return found(entry.packet.topic) || found(entry.packet.client_id) || found(entry.packet.username);
    case "http":
      return found(entry.message.url) || entry.message.headers.some(([name, value]) => found(name) || found(value));
    case "link":
      return found(entry.url) || found(entry.trouble?.detail);
    case "install":
      return found(entry.version) || found(entry.sha256);
    case "store":
      return found(entry.key) || found(entry.reason);
    case "event":
    case "app_event":
      return found(JSON.stringify(entry.event));
    default:
      return false;
  }
}
