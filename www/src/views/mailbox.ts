// Messages of one's own: a form to publish, topics to listen on, and what came on them.

import { html, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { clockText, i18n } from "../i18n";
import { panel as en } from "../i18n/en-mailbox-panel";
import { panel as zh } from "../i18n/zh-mailbox-panel";
import type { Session } from "../state/devices";
import { MOST_TOPICS, PAYLOAD_FORMS, bytesOf, mailboxOf, wrongTopic, type Listening, type Mailbox, type Outcome, type Qos } from "../state/mailbox";
import { messageText } from "../state/messages";
import { shortcutFor } from "../state/shortcuts";
import { View, segments } from "./base";
import { icon } from "./icons";
import "../styles/mailbox.css";

const say = () => (i18n.language === "zh" ? zh : en);
const QOS: readonly Qos[] = [0, 1];

@customElement("m-mailbox")
export class MailboxView extends View {
  session!: Session;
  @state() private topic = "";
  @state() private qos: Qos = 0;
  /** Somebody tried to send what is wrong: from then on all of it is told. */
  @state() private tried = false;
  @state() private triedTopic = false;
  #mailbox: Mailbox | undefined;
  #shown: Session | undefined;
  #ends: (() => void) | undefined;

  static override properties = { session: { attribute: false } };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#ends?.();
    this.#shown = undefined;
  }

  protected override willUpdate(): void {
    if (this.#shown === this.session) return;
    this.#ends?.();
    this.#shown = this.session;
    this.#mailbox = mailboxOf(this.session);
    this.topic = "";
    this.tried = this.triedTopic = false;
    const ends = [this.#mailbox, this.session].map((store) => store.subscribe(() => this.requestUpdate()));
    this.#ends = () => ends.forEach((end) => end());
  }

  override render(): TemplateResult {
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return html``;
    return html`<div class="mailbox">
      <p class="quiet-text">${say().lead}</p>
      <datalist id="mailbox-topics">${this.#suggestions(mailbox).map((topic) => html`<option value=${topic}></option>`)}</datalist>
      <div class="mailbox-parts">${this.#publish(mailbox)}${this.#listen(mailbox)}</div>
    </div>`;
  }

  #publish(mailbox: Mailbox): TemplateResult {
    const d = say();
    const { draft, outcome } = mailbox;
    const noTopic = wrongTopic(draft.topic);
    const bytes = bytesOf(draft.form, draft.payload);
    const noPayload = typeof bytes === "string" ? bytes : null;
    // What is not yet there is no mistake before somebody means to send it.
    const topicWrong = noTopic !== null && (this.tried || noTopic !== "no_topic") ? d.wrong[noTopic] : null;
    const payloadWrong = noPayload !== null && (this.tried || draft.payload !== "") ? d.wrong[noPayload] : null;
    const { ready } = this.session.facts;
    return html`<section aria-labelledby="mailbox-publish">
      <h4 id="mailbox-publish">${d.publish}</h4>
      <label class="mailbox-field">${d.topic}<input class="mono" list="mailbox-topics" spellcheck="false" autocomplete="off" placeholder=${d.topicHint} data-testid="message-topic" aria-invalid=${topicWrong !== null} aria-describedby=${topicWrong === null ? nothing : "message-topic-wrong"} .value=${draft.topic} @input=${(event: Event) => mailbox.write({ topic: (event.target as HTMLInputElement).value })} /></label>
      ${topicWrong === null ? nothing : html`<p class="bad-text" id="message-topic-wrong" data-testid="message-topic-wrong">${topicWrong}</p>`}
      <div class="mailbox-bar">
        ${this.#qos("message-qos", draft.qos, (qos) => mailbox.write({ qos }))}
        ${segments(d.form, PAYLOAD_FORMS.map((value) => ({ value, text: d.forms[value], testid: `message-form-${value}` })), draft.form, (form) => mailbox.write({ form }))}
      </div>
      <label class="mailbox-field">${d.payload}<textarea rows="4" spellcheck="false" autocomplete="off" data-testid="message-payload" aria-invalid=${payloadWrong !== null} aria-describedby=${payloadWrong === null ? nothing : "message-payload-wrong"} aria-keyshortcuts="Control+Enter" .value=${draft.payload} @input=${(event: Event) => mailbox.write({ payload: (event.target as HTMLTextAreaElement).value })} @keydown=${(event: KeyboardEvent) => {
        if (shortcutFor(event, "message") !== "sendMessage" || !ready) return;
        event.preventDefault();
        this.#send(mailbox);
      }}></textarea></label>
      ${payloadWrong === null ? nothing : html`<p class="bad-text" id="message-payload-wrong" data-testid="message-payload-wrong">${payloadWrong}</p>`}
      <div class="mailbox-bar">
        <button type="button" class="btn pri" data-testid="message-send" title=${d.sendKeys} ?disabled=${!ready} @click=${() => this.#send(mailbox)}>${d.send}</button>
        ${mailbox.sent.length === 0
          ? nothing
          : html`<select class="slim sans" data-testid="message-before" aria-label=${d.before} @change=${(event: Event) => this.#before(mailbox, event.target as HTMLSelectElement)}>
              <option value="">${d.choose}</option>
              ${mailbox.sent.map(({ topic, payload }, at) => html`<option value=${at}>${`${topic} · ${payload.slice(0, 40)}`}</option>`)}
            </select>`}
      </div>
      <p role="status" data-testid="message-outcome" data-word=${outcome?.word ?? nothing} class=${outcome?.word === "refused" ? "bad-text" : "quiet-text"}>${outcome === null ? nothing : outcomeText(outcome)}</p>
      ${ready ? nothing : html`<p class="quiet-text" data-testid="message-off">${d.off}</p>`}
    </section>`;
  }

  #listen(mailbox: Mailbox): TemplateResult {
    const d = say();
    const problem = wrongTopic(this.topic);
    const wrong = problem !== null && (this.triedTopic || problem !== "no_topic") ? d.wrong[problem] : null;
    const full = mailbox.topics.length >= MOST_TOPICS;
    const listen = () => {
      this.triedTopic = problem !== null;
      if (problem !== null || full) return;
      void mailbox.listen(this.topic, this.qos);
      this.topic = "";
    };
    return html`<section aria-labelledby="mailbox-listen">
      <h4 id="mailbox-listen">${d.listen}</h4>
      <label class="mailbox-field">${d.topic}<input class="mono" list="mailbox-topics" spellcheck="false" autocomplete="off" data-testid="listen-topic" aria-invalid=${wrong !== null} aria-describedby=${wrong === null ? "listen-lead" : "listen-wrong"} .value=${this.topic} @input=${(event: Event) => (this.topic = (event.target as HTMLInputElement).value)} @keydown=${(event: KeyboardEvent) => {
        if (event.key === "Enter" && !event.isComposing) listen();
      }} /></label>
      ${wrong === null ? nothing : html`<p class="bad-text" id="listen-wrong" data-testid="listen-wrong">${wrong}</p>`}
      <div class="mailbox-bar">
        ${this.#qos("listen-qos", this.qos, (qos) => (this.qos = qos))}
        <button type="button" class="btn" data-testid="listen" ?disabled=${full} @click=${listen}>${d.subscribe}</button>
      </div>
      <p class="quiet-text" id="listen-lead">${full ? d.most : d.listenLead}</p>
      ${mailbox.topics.length === 0 ? nothing : html`<ul class="mailbox-topics">${mailbox.topics.map((topic) => this.#topic(mailbox, topic))}</ul>`}
      <div class="mailbox-head"><h4 id="mailbox-received">${d.received}</h4>${mailbox.received.length === 0 ? nothing : html`<button type="button" class="btn" data-testid="received-clear" @click=${() => mailbox.clear()}>${d.clear}</button>`}</div>
      ${mailbox.received.length === 0
        ? html`<p class="quiet-text">${d.nothing}</p>`
        : html`<div class="mailbox-lines" tabindex="0" role="log" aria-labelledby="mailbox-received"><ol>${[...mailbox.received].reverse().map(
            ({ at, topic, qos, text, bytes }) => html`<li data-testid="received"><span class="quiet-text"><time>${clockText(at)}</time> <code>${topic}</code> ${d.qosOf(qos)}</span><code class="mailbox-payload">${text ?? d.bytes(bytes)}</code></li>`,
          )}</ol></div>`}
    </section>`;
  }

  #topic(mailbox: Mailbox, { topic, qos, state, why }: Listening): TemplateResult {
    const d = say();
    const forget = d.forget(topic);
    return html`<li data-testid="listening" data-topic=${topic} data-state=${state}>
      <code>${topic}</code>
      <span class=${state === "refused" ? "bad-text" : "quiet-text"}>${d.qosOf(qos)} · ${why === null ? d.states[state] : messageText(why.message)}</span>
      <button type="button" class="quiet square" data-testid="listen-forget" aria-label=${forget} title=${forget} @click=${() => mailbox.forget(topic)}>${icon("close")}</button>
    </li>`;
  }

  #qos(testid: string, qos: Qos, choose: (qos: Qos) => void): TemplateResult {
    const d = say();
    return segments(d.qos, QOS.map((value) => ({ value: String(value), text: d.qosOf(value), testid: `${testid}-${value}` })), String(qos), (value) => choose(value === "1" ? 1 : 0));
  }

  #send(mailbox: Mailbox): void {
    const { draft } = mailbox;
    this.tried = wrongTopic(draft.topic) !== null || typeof bytesOf(draft.form, draft.payload) === "string";
    if (!this.tried) void mailbox.send();
  }

  #before(mailbox: Mailbox, select: HTMLSelectElement): void {
    const message = mailbox.sent[Number(select.value)];
    const chosen = select.value !== "";
    select.value = "";
    if (chosen && message !== undefined) mailbox.write(message);
  }

  /** Topics that are worth a try: those of before, and the usual ones of one's own. */
  #suggestions(mailbox: Mailbox): string[] {
    const { names, facts, plan } = this.session;
    const device = facts.identity?.device ?? names.device;
    const own = plan.platform === "krtyun" ? [] : [`/${names.product}/${device}/user/update`, `/${names.product}/${device}/user/get`];
    return [...new Set([...mailbox.sent.map(({ topic }) => topic), ...mailbox.topics.map(({ topic }) => topic), ...own])];
  }
}

function outcomeText(outcome: Outcome): string {
  const d = say();
  switch (outcome.word) {
    case "sending":
      return outcome.qos === 0 ? d.leaving : d.sending;
    case "sent":
      return outcome.qos === 0 ? d.left(outcome.bytes) : d.acknowledged(outcome.bytes, outcome.ms);
    case "refused":
      return messageText(outcome.why.message);
  }
}
