import { LitElement, html, nothing, type TemplateResult } from "lit";
import { i18n, t } from "../i18n";
import { parts, dots } from "../state/mask";
import type { Store } from "../state/store";
import { icon } from "./icons";

/** A component in the light DOM, drawn again when a store that it watches changes, or the language does. */
export abstract class View extends LitElement {
  #ends: (() => void)[] = [];

  protected override createRenderRoot(): this {
    return this;
  }

  /** The stores that this view shows. */
  protected stores(): readonly Store[] {
    return [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#ends = [i18n, ...this.stores()].map((store) => store.subscribe(() => this.requestUpdate()));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.#ends) end();
    this.#ends = [];
  }
}

/** A set of buttons of which one is on. */
export function segments<T extends string>(
  label: string,
  items: readonly { value: T; text: string | TemplateResult; title?: string; testid?: string; disabled?: boolean }[],
  value: T,
  choose: (value: T) => void,
): TemplateResult {
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = items.findIndex((item) => item.value === value);
    const next = items[(at + step + items.length) % items.length];
    if (next === undefined) return;
    choose(next.value);
    const group = (event.currentTarget as HTMLElement).children;
    (group[items.indexOf(next)] as HTMLElement | undefined)?.focus();
  };
  return html`<div class="seg" role="radiogroup" aria-label=${label} @keydown=${move}>
    ${items.map(
      (item) => html`<button
        type="button"
        role="radio"
        class=${item.value === value ? "on" : ""}
        aria-checked=${item.value === value}
        aria-label=${item.title ?? nothing}
        title=${item.title ?? nothing}
        tabindex=${item.value === value ? 0 : -1}
        data-testid=${item.testid ?? nothing}
        @click=${() => choose(item.value)}
      >${item.text}</button>`,
    )}
  </div>`;
}

/** False if the browser does not let it. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** A button that copies, and says that it did. */
export function copyButton(text: string, label?: string): TemplateResult {
  const copy = async (event: Event) => {
    const button = event.currentTarget as HTMLButtonElement;
    if (!(await copyText(text))) return;
    button.classList.add("copied");
    announce(t().common.copied);
    setTimeout(() => button.classList.remove("copied"), 1500);
  };
  return html`<button type="button" class="copy" title=${t().common.copy} aria-label=${`${t().common.copy}${label === undefined ? "" : ` ${label}`}`} @click=${copy}>${icon("copy")}${icon("check")}</button>`;
}

/** Says something to people who cannot see it. */
export function announce(text: string): void {
  const region = document.getElementById("announcer");
  if (region !== null) region.textContent = text;
}

/** A text whose secrets are dots, unless they were asked for. */
export function maskedText(text: string): TemplateResult {
  return html`${parts(text).map((part) => (part.mask ? mask(part.text) : part.text))}`;
}

export function mask(text: string): TemplateResult {
  return html`<span class="mask" data-testid="mask" title=${t().detail.masked(1)}>${dots(text)}</span>`;
}

/** A command line with its copy button. */
export function command(text: string): TemplateResult {
  return html`<div class="command"><code>${text}</code>${copyButton(text, text)}</div>`;
}
