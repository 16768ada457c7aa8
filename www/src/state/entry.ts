// What an entry is, to those that sort, filter and colour entries.

import type { Entry } from "../muster/types";

export const GROUPS = ["mqtt", "ping", "http", "event", "store", "link", "fault"] as const;
export type Group = (typeof GROUPS)[number];

/** Packets that only keep a connection alive are a group of their own: most people do not want to see them. */
export function groupOf(entry: Entry): Group {
  switch (entry.kind) {
    case "mqtt":
      return entry.packet.type === "PINGREQ" || entry.packet.type === "PINGRESP" ? "ping" : "mqtt";
    case "http":
      return "http";
    case "store":
    case "install":
      return "store";
    case "link":
      return "link";
    case "fault":
      return "fault";
    default:
      return "event";
  }
}

/** The message that a fault struck, as if it had passed. */
export function struckBy(entry: Entry): Entry {
  if (entry.kind !== "fault") return entry;
  const { seq, at, unix, direction = "down", packet, message } = entry;
  if (packet !== undefined) return { seq, at, unix, kind: "mqtt", direction, packet };
  return message === undefined ? entry : { seq, at, unix, kind: "http", direction, message };
}

/** MQTT packet type, HTTP method or status, name of an event, … */
export function typeOf(entry: Entry): string {
  switch (entry.kind) {
    case "mqtt":
      return entry.packet.type;
    case "http":
      return entry.direction === "up" ? (entry.message.method ?? "") : String(entry.message.status ?? "");
    case "event":
    case "app_event":
      return entry.event.event;
    case "store":
      return entry.action;
    case "link":
      return entry.what;
    case "reply":
      return entry.call;
    case "fault":
      return entry.done.fault;
    default:
      return entry.kind;
  }
}

export function directionOf(entry: Entry): "up" | "down" | "self" {
  return entry.kind === "mqtt" || entry.kind === "http" ? entry.direction : "self";
}

/** Which entry it answers. */
export function answerTo(entry: Entry): number | undefined {
  return entry.kind === "mqtt" ? entry.packet.of : entry.kind === "http" ? entry.of : undefined;
}

/** Milliseconds: of an answer since its question, of storage since it was asked. */
export function latencyOf(entry: Entry): number | undefined {
  return entry.kind === "mqtt" ? entry.packet.latency : entry.kind === "http" || entry.kind === "store" ? entry.latency : undefined;
}

export function sizeOf(entry: Entry): number | undefined {
  switch (entry.kind) {
    case "mqtt":
      return entry.packet.size;
    case "http":
      return entry.message.size;
    case "store":
      return entry.action === "put" ? entry.size : undefined;
    case "install":
      return entry.size;
    case "fault":
      return entry.packet?.size ?? entry.message?.size;
    default:
      return undefined;
  }
}

export function maskedOf(entry: Entry): number {
  if (entry.kind === "fault") return entry.packet?.masked ?? entry.message?.masked ?? 0;
  return entry.kind === "mqtt" ? entry.packet.masked : entry.kind === "http" ? entry.message.masked : 0;
}

export function payloadOf(entry: Entry): string | undefined {
  if (entry.kind === "fault") return entry.packet?.payload?.text ?? entry.message?.payload?.text;
  return entry.kind === "mqtt" ? entry.packet.payload?.text : entry.kind === "http" ? entry.message.payload?.text : undefined;
}

export type Look = "good" | "warn" | "bad" | "";

/** Whether an entry is good news, bad news or none. */
export function lookOf(entry: Entry): Look {
  switch (entry.kind) {
    case "event": {
      const { event } = entry;
      if (event.event === "stopped" || (event.event === "update" && event.update.phase === "failed")) return "bad";
      if (event.event === "retrying" || event.event === "warning") return "warn";
      return event.event === "ready" || event.event === "registered" || (event.event === "update" && event.update.phase === "reported") ? "good" : "";
    }
    case "app_event":
      return entry.event.event === "failed" ? "bad" : entry.event.event === "bound" ? "good" : "";
    case "mqtt": {
      const { type, return_code: code = 0 } = entry.packet;
      return (type === "CONNACK" && code !== 0) || (type === "SUBACK" && code >= 0x80) ? "bad" : "";
    }
    case "http": {
      const { status = 0 } = entry.message;
      return entry.direction === "down" && (status === 0 || status >= 400) ? "bad" : "";
    }
    case "store":
    case "install":
      return entry.outcome === "failed" ? "bad" : "";
    case "link":
      return entry.trouble === undefined || entry.trouble.reason === "closed" ? "" : "warn";
    case "reply":
      return "error" in entry.result ? "bad" : "good";
    case "misuse":
    case "fault":
      return "warn";
  }
}
