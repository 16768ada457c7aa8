// A product: its id and secret, its switches with what they change for devices in the field, addresses and commands.

import { html, nothing, type TemplateResult } from "lit";
import { customElement } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";
import { t } from "../../i18n";
import { o } from "../../i18n/cloud";
import { clouds } from "../../state/clouds";
import { commands } from "../../state/commands";
import { operate, splitSwitches } from "../../state/operate";
import { ID_NAMES, SECRET_NAMES } from "../../state/vendor";
import { View, command, copyButton } from "../base";
import { turn } from "./acts";
import { secretView } from "./secret";

@customElement("m-op-product")
export class Product extends View {
  protected override stores() {
    return [operate, clouds];
  }

  override render(): TemplateResult {
    return html`<div class="op-halves"><div class="column">${this.#product()}${this.#switches()}</div><div class="column">${this.#values()}${this.#terminal()}</div></div>`;
  }

  #product(): TemplateResult | typeof nothing {
    const d = o().product;
    const { current, platform } = operate;
    if (current === undefined) return nothing;
    return html`<section class="box" aria-labelledby="product-title" data-testid="product">
      <h2 id="product-title">${d.title}</h2>
      <dl>
        <dt>${ID_NAMES[platform]}</dt><dd>${current.id}${copyButton(current.id, ID_NAMES[platform])}</dd>
        ${current.name === "" || current.name === current.id ? nothing : html`<dt>${d.name}</dt><dd class="sans">${current.name}</dd>`}
        <dt>${SECRET_NAMES[platform]}</dt><dd>${secretView("", SECRET_NAMES[platform])}</dd>
      </dl>
      <p class="quiet-text">${d.noDelete}</p>
    </section>`;
  }

  #about(name: string): string | undefined {
    return o().product.about[operate.platform]?.[name];
  }

  #switches(): TemplateResult | typeof nothing {
    const d = o().product;
    const { current } = operate;
    if (current === undefined) return nothing;
    const { flags } = splitSwitches(current.switches);
    if (flags.length === 0) return nothing;
    return html`<section class="box" id="switches" aria-labelledby="switches-title">
      <h2 id="switches-title">${d.switches}</h2>
      <ul class="switches explained">${flags.map(([name, on]) => {
        const about = this.#about(name);
        return html`<li><button type="button" role="switch" class="switch" aria-checked=${on} aria-describedby=${about === undefined ? nothing : `about-${name}`} data-testid=${`switch-${name}`} @click=${() => turn(name, String(!on))}><code>${name}</code><span class="knob" aria-hidden="true"></span></button>
          ${about === undefined ? nothing : html`<p class="quiet-text" id=${`about-${name}`}>${about}</p>`}</li>`;
      })}</ul>
    </section>`;
  }

  #values(): TemplateResult | typeof nothing {
    const d = o().product;
    const { current, platform } = operate;
    if (current === undefined) return nothing;
    const { values } = splitSwitches(current.switches);
    if (values.length === 0) return nothing;
    const setValue = (name: string, value: string) => async (event: SubmitEvent) => {
      event.preventDefault();
      const input = (event.target as HTMLFormElement).querySelector("input");
      if (input === null) return;
      const given = input.value;
      // What was refused is not the setting: that one is shown again.
      if (!(await turn(name, given)) && input.value === given) input.value = value;
    };
    const row = ([name, value]: [string, string]) => {
      const about = this.#about(name);
      return keyed(`${platform}/${current.id}/${name}`, html`<form @submit=${setValue(name, value)}><label><code>${name}</code><span class="row"><input .value=${value} data-testid=${`value-${name}`} aria-describedby=${about === undefined ? nothing : `about-${name}`} autocomplete="off" spellcheck="false" /><button class="btn" aria-label=${`${d.set} ${name}`}>${d.set}</button></span></label>
        ${about === undefined ? nothing : html`<p class="quiet-text" id=${`about-${name}`}>${about}</p>`}</form>`);
    };
    // krtyun's table of what the vendor's document leaves out.
    const assumed = values.filter(([name]) => name.includes("."));
    return html`<section class="box" aria-labelledby="values-title">
      <h2 id="values-title">${d.values}</h2>
      <div class="values">${values.filter(([name]) => !name.includes(".")).map(row)}</div>
      ${assumed.length === 0 ? nothing : html`<details class="more"><summary>${d.assumedValues} (${assumed.length})</summary><div class="values">${assumed.map(row)}</div></details>`}
    </section>`;
  }

  #terminal(): TemplateResult | typeof nothing {
    const d = t();
    const { addresses } = clouds;
    if (clouds.world !== "local" || addresses === null) return nothing;
    const { platform, product } = operate;
    const lines = commands(platform, addresses, clouds.known("local"), product);
    const line = (name: string, value: string | undefined) => (value === undefined ? nothing : html`<dt>${name}</dt><dd>${value}${copyButton(value, name)}</dd>`);
    return html`<section class="box" aria-labelledby="terminal-title">
      <h2 id="terminal-title">${d.cloud.addresses}</h2>
      <dl>${line("MQTT", addresses.mqtt[platform])} ${line(d.cloud.webSocket, addresses.ws[platform])} ${line(d.cloud.http, addresses.http)} ${line(d.cloud.api, addresses.api)} ${line(d.cloud.data, addresses.data)}</dl>
      <h3>${d.common.terminal}</h3>
      <p class="quiet-text">${d.cloud.terminalLead}</p>
      ${[...lines.own, ...lines.others].map((text) => command(text))}
      <p><a href="/start">${d.cloud.startPage}</a></p>
    </section>`;
  }
}
