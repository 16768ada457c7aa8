// The home as a tree and as a picture of it; joining, and sub-devices that come and go.

import { html, nothing, svg, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { t, waitText } from "../i18n";
import { clock } from "../state/clock";
import type { Session } from "../state/devices";
import { router } from "../state/router";
import { eventText } from "../state/texts";
import { shortcutFor } from "../state/shortcuts";
import { NODE, PERMIT_CLOSED, isGateway, linesOf, picture, type Line, type Permit, type TreeNode } from "../state/topology";
import { announce } from "./base";
import { DeskView } from "./desk";
import { ask } from "./dialogs";

@customElement("m-bind-gateways")
export class BindGateways extends DeskView {
  /** Of the gateway whose joining is looked at. */
  @state() private gateway = "";
  @state() private product = "";
  @state() private seconds = "60";
  @state() private adding = "";
  /** The line of the tree that has the keyboard. */
  @state() private at = "";
  #open = new Map<string, boolean>();

  protected override stores() {
    return [clock];
  }

  get #tree(): TreeNode | null {
    return this.desk.tree;
  }

  get #gateways(): TreeNode[] {
    return (this.#tree?.children ?? []).filter(({ kind }) => kind === "gateway");
  }

  get #chosen(): TreeNode | undefined {
    return this.#gateways.find(({ id }) => id === this.gateway) ?? this.#gateways[0];
  }

  protected override updated(): void {
    // Joining that ran out is said.
    for (const [id, permit] of this.desk.permits) {
      const open = isOpen(permit, clock.now);
      if (this.#open.get(id) === true && !open) announce(t().bind.ranOut);
      this.#open.set(id, open);
    }
  }

  override render(): TemplateResult {
    return html`<div class="columns even">
      <div class="column">${this.#home()}</div>
      <div class="column">${this.#joining()}${this.#add()}${this.desk.operator === null ? this.#name() : nothing}</div>
    </div>`;
  }

  // ---------- the tree ----------

  #home(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const tree = this.#tree;
    const { removed } = desk;
    return html`<section class="box" aria-labelledby="home-title">
      <h2 id="home-title">${d.homeTitle}</h2>
      <p class="quiet-text">${d.homeLead}</p>
      ${tree === null
        ? html`<p class="quiet-text">${t().common.loading}</p>`
        : html`${tree.children.length === 0 ? html`<p class="quiet-text" data-testid="home-empty">${d.nothingBound}</p>` : this.#picture(tree)} ${this.#list(tree)}`}
      ${removed === null
        ? nothing
        : html`<p role="status" data-testid="removed">${d.removed(removed.sub.name, removed.gateway.name)}
            ${desk.operator === null ? d.undoReal : html`<button type="button" class="btn tiny" data-testid="undo-remove" ?disabled=${desk.busy !== null} @click=${() => desk.add(removed.gateway, removed.sub)}>${d.undo}</button>`}</p>`}
    </section>`;
  }

  #picture(tree: TreeNode): TemplateResult {
    const d = t().bind;
    const { nodes, edges, width, height } = picture(tree);
    const subs = nodes.filter(({ node }) => node.kind === "sub").length;
    const mid = NODE.height / 2;
    return html`<div class="topology scroll-x" role="group" tabindex="0" aria-label=${d.pictureOf}>
      <svg role="img" aria-label=${d.picture(tree.children.length, subs)} data-testid="topology" viewBox=${`-2 -2 ${width + 4} ${height + 4}`} width=${width + 4} height=${height + 4}>
        ${edges.map(({ from, to }) => {
          const [x1, y1, x2, y2] = [from.x + NODE.width, from.y + mid, to.x, to.y + mid];
          return svg`<path class="edge" d=${`M${x1} ${y1} C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`}/>`;
        })}
        ${nodes.map(
          ({ node, x, y }) => svg`<g class=${`node ${node.kind} ${node.state}${node.id === this.at ? " on" : ""}`} data-node=${node.id} transform=${`translate(${x} ${y})`} @click=${() => this.#focus(node.id)}>
            <rect width=${NODE.width} height=${NODE.height} rx="8"/>
            <text x="12" y="18" class="name">${short(node.name)}</text><text x="12" y="34" class="about">${d.kind[node.kind]}${node.state === "" ? "" : ` · ${t().cloud.states[node.state] ?? node.state}`}</text>
          </g>`,
        )}
      </svg></div>`;
  }

  #list(tree: TreeNode): TemplateResult {
    const d = t().bind;
    const lines = linesOf(tree);
    const at = lines.some(({ node }) => node.id === this.at) ? this.at : (lines[0]?.node.id ?? "");
    return html`<ul role="tree" class="tree" aria-label=${d.homeTitle} data-testid="tree" @keydown=${(event: KeyboardEvent) => this.#key(event, lines, at)}>
      ${lines.map(({ node, depth, parent, position, siblings }) => {
        const text = node.kind === "home" ? d.homeOf(node.name) : `${node.product === "" ? "" : `${node.product}/`}${node.name}`;
        return html`<li role="treeitem" aria-level=${depth + 1} aria-posinset=${position} aria-setsize=${siblings} aria-selected=${node.id === at} aria-expanded=${node.children.length > 0 ? "true" : nothing} tabindex=${node.id === at ? 0 : -1} data-testid="tree-item" data-kind=${node.kind} data-name=${node.id} class=${`depth-${depth}`} @click=${() => (this.at = node.id)} @focus=${() => (this.at = node.id)}>
          <span><b>${text}</b> <small>${d.kind[node.kind]}${node.state === "" ? "" : ` · ${t().cloud.states[node.state] ?? node.state}`}</small>${node.iotId === "" || node.iotId === node.name ? nothing : html`<small class="mono">iotId ${node.iotId}</small>`}</span>
          ${node.kind === "sub" && parent !== null ? html`<button type="button" class="btn tiny" tabindex=${node.id === at ? 0 : -1} data-testid="topo-remove" ?disabled=${this.desk.busy !== null} @click=${() => this.#remove(parent, node)}>${d.remove}</button>` : nothing}
        </li>`;
      })}
    </ul>`;
  }

  #key(event: KeyboardEvent, lines: readonly Line[], at: string): void {
    if ((event.target as HTMLElement).getAttribute("role") !== "treeitem") return;
    const i = lines.findIndex(({ node }) => node.id === at);
    const line = lines[i];
    if (line === undefined) return;
    const shortcut = shortcutFor(event, "tree");
    const to = ((): string | undefined => {
      switch (shortcut) {
        case "treeDown":
          return lines[i + 1]?.node.id;
        case "treeUp":
          return lines[i - 1]?.node.id;
        case "treeFirst":
          return lines[0]?.node.id;
        case "treeLast":
          return lines.at(-1)?.node.id;
        case "treeIn":
          return line.node.children[0]?.id;
        case "treeOut":
          return line.parent?.id;
        default:
          return undefined;
      }
    })();
    if (shortcut === "treeRemove" && line.node.kind === "sub" && line.parent !== null) {
      event.preventDefault();
      void this.#remove(line.parent, line.node);
    } else if (to !== undefined) {
      event.preventDefault();
      this.#focus(to);
    }
  }

  #focus(id: string): void {
    this.at = id;
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(`[role=treeitem][data-name="${CSS.escape(id)}"]`)?.focus());
  }

  async #remove(gateway: TreeNode, sub: TreeNode): Promise<void> {
    const d = t().bind;
    const answer = await ask({ title: d.removeTitle(sub.name, gateway.name), text: d.removeText, ok: d.removeOk, danger: true });
    if (answer === null) return;
    if (await this.desk.remove(gateway, sub)) {
      announce(d.removed(sub.name, gateway.name));
      this.#focus(gateway.id);
    }
  }

  // ---------- joining ----------

  #joining(): TemplateResult {
    const d = t().bind;
    const gateway = this.#chosen;
    return html`<section class="box" aria-labelledby="joining-title">
      <h2 id="joining-title">${d.joining}</h2>
      <p class="quiet-text">${d.joiningRule}</p>
      ${gateway === undefined ? this.#noGateway() : this.#permit(gateway)}
    </section>`;
  }

  /** One of the cloud's gateways, to be started and bound. */
  #noGateway(): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const found = (desk.inventory ?? []).filter(({ product }) => isGateway(product)).flatMap(({ product, devices }) => devices.filter(({ more }) => more["owner"] === undefined).map((device) => ({ product: product.id, name: device.name })));
    return html`<p class="quiet-text" data-testid="no-gateway">${d.noGateway}</p>
      ${found.slice(0, 5).map(({ product, name }) => {
        const session = desk.session({ product_key: product, device_name: name });
        return html`<div class="buttons start">
          <button type="button" class="btn" data-testid="start-gateway" ?disabled=${desk.busy !== null || session?.running === true} @click=${() => this.#start(product, name, session)}>${d.startGateway(name)}</button>
          <button type="button" class="btn pri" data-testid="bind-gateway" ?disabled=${session?.running !== true} @click=${() => router.go("bind", ["guide"], { product, device: name })}>${d.bindGateway(name)}</button>
        </div>`;
      })}`;
  }

  #start(product: string, name: string, session: Session | undefined): void {
    if (session !== undefined) void session.start();
    else void this.desk.startHere(product, name);
  }

  #permit(gateway: TreeNode): TemplateResult {
    const d = t().bind;
    const { desk } = this;
    const products = (desk.inventory ?? []).filter(({ product }) => !isGateway(product)).map(({ product }) => product);
    const product = this.product === "" ? (products[0]?.id ?? "") : this.product;
    const permit = desk.permits.get(gateway.id);
    const open = permit !== undefined && isOpen(permit, clock.now);
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      void desk.permit(gateway, product, Number(this.seconds));
    };
    const text = permit === undefined ? d.isClosed : !open ? d.ranOut : permit.until === null ? d.isOpenAlways(permit.product || d.anyProduct) : d.isOpen(permit.product || d.anyProduct, waitText(permit.until - clock.now));
    return html`<form class="stacked" @submit=${submit}>
      <label>${d.chosenGateway}<select data-testid="gateway-choice" @change=${(event: Event) => (this.gateway = (event.target as HTMLSelectElement).value)}>${this.#gateways.map(({ id, name }) => html`<option value=${id} .selected=${live(id === gateway.id)}>${name}</option>`)}</select></label>
      <label>${d.subProduct}${products.length === 0
        ? html`<input .value=${product} data-testid="permit-product" autocomplete="off" spellcheck="false" @input=${(event: Event) => (this.product = (event.target as HTMLInputElement).value.trim())} />`
        : html`<select data-testid="permit-product" @change=${(event: Event) => (this.product = (event.target as HTMLSelectElement).value)}>${products.map(({ id, name }) => html`<option value=${id} .selected=${live(id === product)}>${name} (${id})</option>`)}</select>`}</label>
      <label>${d.seconds}<input inputmode="numeric" .value=${this.seconds} data-testid="permit-seconds" @input=${(event: Event) => (this.seconds = (event.target as HTMLInputElement).value.trim())} /><small>${d.secondsHelp}</small></label>
      <div class="buttons start">
        <button class="btn pri" data-testid="permit-open" ?disabled=${desk.busy !== null || product === "" || !/^\d{1,5}$/.test(this.seconds)}>${d.open}</button>
        <button type="button" class="btn" data-testid="permit-close" ?disabled=${desk.busy !== null || !open} @click=${() => desk.permit(gateway, permit?.product || product, PERMIT_CLOSED)}>${d.close}</button>
      </div>
    </form>
    <div class="countdown" data-testid="permit-left" data-state=${permit === undefined ? "none" : open ? "running" : "over"}><p class=${permit !== undefined && !open ? "caution" : ""}>${text}</p></div>
    ${this.#heard(gateway)}`;
  }

  /** What the gateway itself was told, if it runs in this page. */
  #heard(gateway: TreeNode): TemplateResult | typeof nothing {
    const session = this.desk.session({ product_key: gateway.product, device_name: gateway.name });
    if (session === undefined) return nothing;
    const { rows } = session.log;
    for (let i = rows.length - 1; i >= 0 && i > rows.length - 500; i -= 1) {
      const row = rows[i];
      if (row?.type !== "entry" || row.side !== "device" || row.entry.kind !== "event") continue;
      const { event } = row.entry;
      if (event.event === "permit" || event.event === "topology") return html`<p class="quiet-text" data-testid="gateway-heard" data-event=${event.event}>${t().bind.gatewayHeard(eventText(event, "alibaba"))}</p>`;
    }
    return nothing;
  }

  // ---------- sub-devices ----------

  #add(): TemplateResult | typeof nothing {
    const d = t().bind;
    const { desk } = this;
    const gateway = this.#chosen;
    if (desk.operator === null || gateway === undefined) return nothing;
    const free = (desk.inventory ?? [])
      .filter(({ product }) => !isGateway(product))
      .flatMap(({ product, devices }) => devices.filter(({ more }) => more["gateway"] === undefined).map(({ name }) => ({ product: product.id, name })));
    const chosen = free.find(({ product, name }) => `${product}/${name}` === this.adding) ?? free[0];
    return html`<section class="box stacked" aria-labelledby="add-title">
      <h2 id="add-title">${d.addTitle}</h2>
      <p class="quiet-text">${d.addText}</p>
      ${chosen === undefined
        ? html`<p class="quiet-text">${d.addNone}</p>`
        : html`<label>${d.kind.sub}<select data-testid="add-choice" @change=${(event: Event) => (this.adding = (event.target as HTMLSelectElement).value)}>${free.slice(0, 500).map(({ product, name }) => html`<option value=${`${product}/${name}`} .selected=${live(product === chosen.product && name === chosen.name)}>${product}/${name}</option>`)}</select></label>
            <div class="buttons start"><button type="button" class="btn" data-testid="add-sub" ?disabled=${desk.busy !== null} @click=${() => desk.add(gateway, chosen)}>${d.add}</button></div>`}
    </section>`;
  }

  /** A real home: nobody lists it, so the person names what is there. */
  #name(): TemplateResult {
    const d = t().bind;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const data = new FormData(event.target as HTMLFormElement);
      const get = (name: string) => String(data.get(name) ?? "").trim();
      if (get("gateway") !== "") this.desk.name(get("gateway"), get("sub"), get("product"));
    };
    return html`<section class="box" aria-labelledby="name-title"><h2 id="name-title">${d.nameTitle}</h2><p class="quiet-text">${d.nameText}</p>
      <form class="stacked" @submit=${submit}>
        <label>${d.gatewayId}<input name="gateway" data-testid="name-gateway" autocomplete="off" spellcheck="false" /></label>
        <label>${d.subId}<input name="sub" data-testid="name-sub" autocomplete="off" spellcheck="false" /></label>
        <div class="buttons start"><button class="btn" data-testid="name-add">${d.nameAdd}</button></div>
      </form></section>`;
  }
}

function isOpen(permit: Permit, now: number): boolean {
  return permit.until === null || permit.until > now;
}

function short(name: string): string {
  return name.length > 14 ? `${name.slice(0, 13)}…` : name;
}
