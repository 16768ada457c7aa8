// Messages that a person sends by hand through the device's own session, and topics they listen on: beside the core, as
// a script's are. Kept for this tab, as it was written.

import type { Entry } from "../muster/types";
import { LONGEST_PAYLOAD } from "../script/protocol";
import { devices, type Session } from "./devices";
import { refusal, type Refusal } from "./failure";
import { Store, keptHere } from "./store";

export type Qos = 0 | 1;
export const PAYLOAD_FORMS = ["text", "json", "hex"] as const;
export type PayloadForm = (typeof PAYLOAD_FORMS)[number];
export type Message = { topic: string; qos: Qos; form: PayloadForm; payload: string };

/** What keeps it from being sent. */
export type Wrong = "no_topic" | "long_topic" | "wildcard" | "nul" | "not_json" | "not_hex" | "long_payload";
export type Outcome = { word: "sending"; qos: Qos } | { word: "sent"; qos: Qos; bytes: number; ms: number } | { word: "refused"; why: Refusal };
/** `waiting`: for the device to be ready. */
export type Listening = { topic: string; qos: Qos; state: "waiting" | "asking" | "on" | "refused"; why: Refusal | null };
export type Received = { at: number; topic: string; qos: number; text: string | null; bytes: number };

/** Bytes of a topic, as the device takes it. */
export const LONGEST_TOPIC = 256;
const MOST_SENT = 20;
const MOST_RECEIVED = 100;
export const MOST_TOPICS = 50;
const EMPTY: Message = { topic: "", qos: 0, form: "text", payload: "" };

export function wrongTopic(topic: string): Wrong | null {
  if (topic === "") return "no_topic";
  if (/[+#]/.test(topic)) return "wildcard";
  if (topic.includes("\0")) return "nul";
  return new TextEncoder().encode(topic).length > LONGEST_TOPIC ? "long_topic" : null;
}

/** The bytes of a payload, or what is wrong with it. JSON goes as it was written. */
export function bytesOf(form: PayloadForm, payload: string): Uint8Array | Wrong {
  let bytes: Uint8Array;
  if (form === "hex") {
    const parts = payload.split(/[\s,:;-]+/).filter((part) => part !== "").map((part) => part.replace(/^0x/i, ""));
    if (!parts.every((part) => /^(?:[0-9a-f]{2})+$/i.test(part))) return "not_hex";
    bytes = Uint8Array.from(parts.join("").match(/../g) ?? [], (pair) => parseInt(pair, 16));
  } else {
    if (form === "json" && !isJson(payload)) return "not_json";
    bytes = new TextEncoder().encode(payload);
  }
  return bytes.length > LONGEST_PAYLOAD ? "long_payload" : bytes;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export class Mailbox extends Store {
  draft: Message = EMPTY;
  /** What was sent, the last one first. */
  sent: readonly Message[] = [];
  outcome: Outcome | null = null;
  topics: readonly Listening[] = [];
  received: readonly Received[] = [];
  #round = 0;

  constructor(private readonly session: Session) {
    super();
    this.#read();
    const hear = (entry: Entry) => this.#hear(entry);
    session.heard.add(hear);
    if (session.facts.ready) void this.#again();
    const gone = devices.subscribe(() => {
      if (devices.sessions.includes(session)) return;
      session.heard.delete(hear);
      // Put back on the list it has another one, with what was kept.
      mailboxes.delete(session);
      gone();
    });
  }

  write(change: Partial<Message>): void {
    this.draft = { ...this.draft, ...change };
    this.#keep();
    this.changed();
  }

  /** Sends what is written; nothing leaves that is wrong. Of several under way, the last one's outcome is shown. */
  async send(): Promise<void> {
    const { draft } = this;
    const bytes = bytesOf(draft.form, draft.payload);
    if (typeof bytes === "string" || wrongTopic(draft.topic) !== null) return;
    this.#round += 1;
    const round = this.#round;
    this.outcome = { word: "sending", qos: draft.qos };
    this.changed();
    const begun = performance.now();
    let outcome: Outcome;
    try {
      await this.session.sendPublish(draft.topic, bytes, draft.qos);
      outcome = { word: "sent", qos: draft.qos, bytes: bytes.length, ms: Math.round(performance.now() - begun) };
      const same = (other: Message) => JSON.stringify(other) === JSON.stringify(draft);
      this.sent = [draft, ...this.sent.filter((other) => !same(other))].slice(0, MOST_SENT);
      this.#keep();
    } catch (error) {
      outcome = { word: "refused", why: refusal(error) };
    }
    if (round === this.#round) this.outcome = outcome;
    this.changed();
  }

  /** Listens on a topic, in this session and in every one that follows. */
  async listen(topic: string, qos: Qos): Promise<void> {
    if (wrongTopic(topic) !== null || (this.topics.length >= MOST_TOPICS && !this.topics.some((other) => other.topic === topic))) return;
    this.topics = [...this.topics.filter((other) => other.topic !== topic), { topic, qos, state: "waiting", why: null }];
    this.#keep();
    this.changed();
    if (this.session.facts.ready) await this.#ask(topic);
  }

  /** It is not asked for in the next session; in this one the broker goes on sending. */
  forget(topic: string): void {
    this.topics = this.topics.filter((other) => other.topic !== topic);
    this.#keep();
    this.changed();
  }

  clear(): void {
    this.received = [];
    this.changed();
  }

  async #again(): Promise<void> {
    for (const { topic } of this.topics) await this.#ask(topic);
  }

  async #ask(topic: string): Promise<void> {
    const asked = this.topics.find((other) => other.topic === topic);
    if (asked === undefined || asked.state === "asking") return;
    this.#set(topic, { state: "asking", why: null });
    try {
      await this.session.sendSubscribe(topic, asked.qos);
      this.#set(topic, { state: "on" });
    } catch (error) {
      const why = refusal(error);
      // It is asked for again once the device is back.
      this.#set(topic, why.code === "offline" ? { state: "waiting" } : { state: "refused", why });
    }
  }

  #set(topic: string, change: Partial<Listening>): void {
    this.topics = this.topics.map((other) => (other.topic === topic ? { ...other, ...change } : other));
    this.changed();
  }

  #hear(entry: Entry): void {
    if (entry.kind === "event" && entry.event.event === "ready") void this.#again();
    if (entry.kind === "link" && entry.what === "closed" && this.topics.length > 0) {
      this.topics = this.topics.map((other) => (other.state === "on" ? { ...other, state: "waiting" } : other));
      this.changed();
    }
    if (entry.kind !== "mqtt" || entry.direction !== "down" || entry.packet.type !== "PUBLISH") return;
    const { topic = "", qos = 0, payload } = entry.packet;
    if (!this.topics.some((other) => other.topic === topic)) return;
    this.received = [...this.received.slice(1 - MOST_RECEIVED), { at: Date.now(), topic, qos, text: payload?.text ?? null, bytes: payload?.size ?? 0 }];
    this.changed();
  }

  get #key(): string {
    return `messages.${this.session.storeName}`;
  }

  #keep(): void {
    keptHere.set(this.#key, JSON.stringify({ draft: this.draft, sent: this.sent, topics: this.topics.map(({ topic, qos }) => ({ topic, qos })) }));
  }

  #read(): void {
    const kept = readKept(keptHere.get(this.#key));
    this.draft = kept.draft;
    this.sent = kept.sent;
    this.topics = kept.topics.map(({ topic, qos }) => ({ topic, qos, state: "waiting", why: null }));
  }
}

// ---------- what another version of the page may have written ----------

type Kept = { draft: Message; sent: Message[]; topics: { topic: string; qos: Qos }[] };

export function readKept(text: string | null): Kept {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "{}");
  } catch {
    value = {};
  }
  const { draft, sent, topics } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  return {
    draft: readMessage(draft) ?? EMPTY,
    sent: list(sent).flatMap((item) => readMessage(item) ?? []).slice(0, MOST_SENT),
    topics: list(topics).flatMap((item) => readTopic(item) ?? []).slice(0, MOST_TOPICS),
  };
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function readMessage(item: unknown): Message | null {
  if (typeof item !== "object" || item === null) return null;
  const { topic, qos, form, payload } = item as Record<string, unknown>;
  const known = PAYLOAD_FORMS.find((name) => name === form);
  if (typeof topic !== "string" || typeof payload !== "string" || known === undefined) return null;
  return { topic, qos: qos === 1 ? 1 : 0, form: known, payload };
}

function readTopic(item: unknown): { topic: string; qos: Qos } | null {
  if (typeof item !== "object" || item === null) return null;
  const { topic, qos } = item as Record<string, unknown>;
  return typeof topic === "string" && wrongTopic(topic) === null ? { topic, qos: qos === 1 ? 1 : 0 } : null;
}

const mailboxes = new WeakMap<Session, Mailbox>();

/** The messages of a device: it goes on listening while nobody looks. */
export function mailboxOf(session: Session): Mailbox {
  let mailbox = mailboxes.get(session);
  if (mailbox === undefined) {
    mailbox = new Mailbox(session);
    mailboxes.set(session, mailbox);
  }
  return mailbox;
}
