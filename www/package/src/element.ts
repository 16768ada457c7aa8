// <muster-device>: a device with its state, its buttons and a short timeline, in any page.
//
//   <muster-device platform="ucloud" cloud="tab"></muster-device>
//
// Attributes are read when it starts. Secrets are no attributes: what stands in a page's markup is seen by everybody
// who sees the page, so they come by `settings`. The shadow tree takes no style from the page and gives none.

import { MusterError } from "../../src/muster/errors";
import type { Entry, Next, PlatformName, Storage, Store } from "../../src/muster/types";
import { isSecretSetting } from "../../src/state/mask";
import { Cloud } from "./cloud";
import { Device, DeviceStopped, type DeviceState, type StartDevice } from "./device";
import { STYLE } from "./element-style";
import { texts, type Texts } from "./element-texts";
import { wordsOf } from "./element-words";

const PLATFORMS: readonly string[] = ["ucloud", "cmcc", "krtyun", "alibaba"] satisfies PlatformName[];
/** A setting is an attribute with this prefix: `setting-product-sn` is `product_sn`. */
const SETTING = "setting-";
/** Rows of the timeline that are shown. */
const SHOWN = 100;

export type MusterStateEvent = CustomEvent<{ state: DeviceState; device: Device | null }>;
export type MusterEntryEvent = CustomEvent<{ entry: Entry; device: Device }>;
export type MusterErrorEvent = CustomEvent<{ error: unknown }>;

export interface MusterDeviceEventMap extends HTMLElementEventMap {
  "muster-state": MusterStateEvent;
  "muster-entry": MusterEntryEvent;
  "muster-error": MusterErrorEvent;
}

let tabs: Promise<Cloud> | undefined;

/** One set of clouds for all elements with `cloud="tab"`. */
function tab(): Promise<Cloud> {
  if (tabs === undefined) {
    const begun = Cloud.start();
    tabs = begun;
    begun.catch(() => {
      if (tabs === begun) tabs = undefined;
    });
  }
  return tabs;
}

// Where there is no page (a server that renders one), the module can be imported, and the element does nothing.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

let sheet: CSSStyleSheet | undefined;

/** The one sheet of all elements. */
function style(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  }
  return sheet;
}

export class MusterDevice extends Base {
  static readonly observedAttributes = ["lang", "platform", "timeline"];

  /** Settings, secrets among them; they win over attributes. */
  settings: Record<string, string> = {};
  /** A cloud of this page; `cloud="tab"` makes one that all elements share. */
  cloud: Cloud | null = null;
  /** A place of one's own for its secret; otherwise the attribute `storage` says `memory` or `browser`. */
  store: Store | null = null;

  private current: Device | null = null;
  private starting: { controller: AbortController; done: Promise<void> } | undefined;
  private told: DeviceState = "off";
  private failure: unknown = null;
  private rows: { entry: Entry; item: HTMLLIElement | undefined }[] = [];
  private parts: ReturnType<typeof build> | undefined;

  connectedCallback(): void {
    if (this.parts === undefined) {
      const root = this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [style()];
      this.parts = build(root);
      this.parts.start.addEventListener("click", () => void this.start().catch(() => {}));
      this.parts.stop.addEventListener("click", () => void this.stop().catch((error: unknown) => this.fail(error)));
    }
    this.draw();
    if (this.hasAttribute("autostart") && this.current === null) void this.start().catch(() => {});
  }

  disconnectedCallback(): void {
    // One that is only moved is back by then.
    queueMicrotask(() => {
      if (!this.isConnected) void this.stop().catch(() => {});
    });
  }

  attributeChangedCallback(): void {
    this.draw();
  }

  /** What runs, or ran last. */
  get device(): Device | null {
    return this.current;
  }

  get state(): DeviceState {
    if (this.starting !== undefined) return "starting";
    return this.current?.state ?? "off";
  }

  /** Starts it; rejects if it cannot be started. What comes of it is told by events. */
  start(): Promise<void> {
    if (this.starting !== undefined) return this.starting.done;
    if (this.current !== null && !this.current.over) return Promise.resolve();
    const controller = new AbortController();
    // Set before anything happens, so that two clicks are one.
    const done = Promise.resolve().then(() => this.begin(controller.signal));
    this.starting = { controller, done };
    this.failure = null;
    this.rows = [];
    this.parts?.list.replaceChildren();
    this.tell();
    return done;
  }

  /** Logs out and ends it. */
  async stop(): Promise<void> {
    const { starting } = this;
    starting?.controller.abort();
    await starting?.done.catch(() => {});
    await this.current?.stop();
    this.tell();
  }

  private async begin(signal: AbortSignal): Promise<void> {
    try {
      const device = await Device.start({ ...(await this.plan()), signal });
      this.current = device;
      this.starting = undefined;
      device.onnext = () => this.draw();
      void this.follow(device);
      this.tell();
    } catch (error) {
      this.starting = undefined;
      // Called off by stop(): nobody needs to be told.
      if (!signal.aborted) this.fail(error);
      this.tell();
      throw error;
    }
  }

  private async plan(): Promise<StartDevice> {
    const platform = this.getAttribute("platform") ?? "";
    if (!PLATFORMS.includes(platform)) throw new MusterError("misuse", `platform: one of ${PLATFORMS.join(", ")}`);
    const plan: StartDevice = { platform: platform as PlatformName };
    const settings: Record<string, string> = {};
    for (const { name, value } of this.attributes) {
      if (!name.startsWith(SETTING)) continue;
      const key = name.slice(SETTING.length).replaceAll("-", "_");
      if (isSecretSetting(platform, key)) throw new MusterError("misuse", `${name}: a secret has no place in a page's markup`, `set it as a property: element.settings = { ${key}: … }`);
      settings[key] = value;
    }
    Object.assign(settings, this.settings);
    const where = this.getAttribute("cloud");
    if (where !== null && where !== "tab") throw new MusterError("misuse", 'cloud: "tab", or no such attribute');
    const cloud = this.cloud ?? (where === "tab" ? await tab() : null);
    if (cloud !== null) plan.cloud = cloud;
    // The demo's are complete; a page's own change some of them.
    const demo = cloud === null ? undefined : (await cloud.demo())[plan.platform]?.settings;
    plan.settings = { ...demo, ...settings };
    const storage = this.getAttribute("storage");
    if (storage !== null && storage !== "memory" && storage !== "browser") throw new MusterError("misuse", 'storage: "memory" or "browser"');
    if (this.store !== null) plan.storage = this.store;
    else if (storage !== null) plan.storage = storage satisfies Storage;
    const name = this.getAttribute("name");
    if (name !== null) plan.name = name;
    return plan;
  }

  private async follow(device: Device): Promise<void> {
    for await (const entry of device.timeline) {
      if (this.current !== device) return;
      this.add(entry);
      this.emit("muster-entry", { entry, device });
      if (entry.kind === "event" && entry.event.event === "stopped") {
        const trouble = entry.event;
        this.fail(new DeviceStopped(trouble.error, trouble.advice));
      } else if (entry.kind === "event" && entry.event.event === "ready") this.failure = null;
      this.tell();
    }
    const why = await device.ended;
    if (why !== undefined) this.fail(why);
    this.tell();
  }

  private fail(error: unknown): void {
    this.failure = error;
    this.emit("muster-error", { error });
    this.draw();
  }

  private tell(): void {
    const { state } = this;
    if (state !== this.told) {
      this.told = state;
      this.emit("muster-state", { state, device: this.current });
    }
    this.draw();
  }

  private emit(type: string, detail: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Of what is around it, where it says nothing itself. */
  private get texts(): Texts {
    const near = this.closest("[lang]") ?? this.getRootNode({ composed: true });
    return texts(near instanceof Element ? (near.getAttribute("lang") ?? "") : document.documentElement.lang);
  }

  private add(entry: Entry): void {
    const row = { entry, item: this.item(entry) };
    if (row.item === undefined) return;
    this.rows.push(row);
    if (this.rows.length > SHOWN) this.rows.shift()?.item?.remove();
    const { parts } = this;
    if (parts === undefined) return;
    const atEnd = parts.timeline.scrollHeight - parts.timeline.scrollTop - parts.timeline.clientHeight < 24;
    parts.list.append(row.item);
    if (atEnd) parts.timeline.scrollTop = parts.timeline.scrollHeight;
  }

  private item(entry: Entry): HTMLLIElement | undefined {
    const words = wordsOf(entry, this.texts);
    if (words === undefined) return undefined;
    const item = document.createElement("li");
    item.setAttribute("part", "entry");
    item.dataset["kind"] = entry.kind;
    if (entry.kind === "event") item.classList.add("event");
    if (words.bad) item.classList.add("bad");
    for (const [name, text] of [["at", since(entry.at)], ["way", words.way], ["what", words.text]] as const) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      item.append(part);
    }
    return item;
  }

  private draw(): void {
    const { parts, state, texts } = this;
    if (parts === undefined) return;
    const platform = this.getAttribute("platform") ?? "";
    parts.card.setAttribute("aria-label", texts.device(platform));
    const identity = this.current?.identity;
    parts.name.textContent = identity ? `${identity.product} / ${identity.device}` : platform;
    parts.state.textContent = texts.state[state];
    parts.state.dataset["state"] = state;
    const running = this.starting !== undefined || (this.current !== null && !this.current.over);
    const focused = this.shadowRoot?.activeElement;
    parts.start.textContent = texts.start;
    parts.stop.textContent = texts.stop;
    parts.start.hidden = running;
    parts.stop.hidden = !running;
    // The button that was pressed is gone: whoever works with keys goes on with the other one.
    if (focused === parts.start && running) parts.stop.focus();
    if (focused === parts.stop && !running) parts.start.focus();
    parts.next.textContent = nextWords(running ? (this.current?.next ?? null) : null, texts, this.lang);
    parts.trouble.textContent = this.failure === null ? "" : failureWords(this.failure);
    const hidden = this.getAttribute("timeline") === "off";
    parts.timeline.hidden = hidden;
    parts.timeline.setAttribute("aria-label", texts.timeline);
    parts.empty.textContent = this.rows.length === 0 ? texts.empty : "";
    if (parts.lang !== texts) {
      parts.lang = texts;
      this.rows = this.rows.map(({ entry }) => ({ entry, item: this.item(entry) }));
      parts.list.replaceChildren(...this.rows.flatMap(({ item }) => item ?? []));
    }
  }
}

/** Milliseconds as long as they can be read. */
function since(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function nextWords(next: Next | null, texts: Texts, lang: string): string {
  if (next === null) return "";
  const time = new Intl.DateTimeFormat(lang === "" ? undefined : lang, { timeStyle: "medium" }).format(next.at);
  return `${time} · ${texts.next[next.why]}`;
}

function failureWords(error: unknown): string {
  if (error instanceof MusterError) return error.next === undefined ? error.message : `${error.message} → ${error.next}`;
  return error instanceof Error ? error.message : String(error);
}

function build(root: ShadowRoot) {
  const make = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, parent: ParentNode): HTMLElementTagNameMap[K] => {
    const node = document.createElement(tag);
    node.className = name;
    node.setAttribute("part", name);
    parent.append(node);
    return node;
  };
  const card = make("section", "card", root);
  const head = make("div", "head", card);
  const name = make("span", "name", head);
  const state = make("span", "state", head);
  state.setAttribute("role", "status");
  const run = make("div", "run", head);
  const start = make("button", "start", run);
  const stop = make("button", "stop", run);
  for (const button of [start, stop]) button.type = "button";
  const next = make("p", "next", card);
  const trouble = make("p", "trouble", card);
  trouble.setAttribute("role", "alert");
  const timeline = make("div", "timeline", card);
  timeline.setAttribute("role", "group");
  // It scrolls: it has to be reached with keys.
  timeline.tabIndex = 0;
  const empty = make("p", "empty", timeline);
  const list = make("ol", "entries", timeline);
  return { card, name, state, start, stop, next, trouble, timeline, empty, list, lang: undefined as Texts | undefined };
}

export interface MusterDevice {
  addEventListener<K extends keyof MusterDeviceEventMap>(type: K, listener: (this: MusterDevice, event: MusterDeviceEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
  removeEventListener<K extends keyof MusterDeviceEventMap>(type: K, listener: (this: MusterDevice, event: MusterDeviceEventMap[K]) => unknown, options?: boolean | EventListenerOptions): void;
  removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "muster-device": MusterDevice;
  }
}

if (globalThis.customElements !== undefined && customElements.get("muster-device") === undefined) customElements.define("muster-device", MusterDevice);
