// Many devices: which, how they start, how they are.

import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { clockText, t, waitText } from "../i18n";
import type { FleetCause, FleetRow, FleetState, PlatformName, Storage } from "../muster/types";
import { clouds } from "../state/clouds";
import { sizeText } from "../state/bytes";
import type { CsvProblem } from "../state/csv";
import { MOST, columnNames, fleet, secretKeys } from "../state/fleet";
import { MEASURES } from "../state/fleet-series";
import { credentialsCsv, fleetCommand, resultsCsv, resultsJson, summary, type Facts } from "../state/fleet-results";
import { messageText } from "../state/messages";
import { notices } from "../state/notices";
import { router } from "../state/router";
import { isSecret } from "../state/settings";
import { errorText } from "../state/texts";
import { drawn } from "../state/virtual";
import { View, command, copyText, segments } from "./base";
import { PLATFORMS } from "./devices";
import { ask } from "./dialogs";
import { chart, took } from "./fleet-charts";
import { icon } from "./icons";
import { saveFile } from "./save";
import "../styles/fleet.css";

const STATES: readonly FleetState[] = ["waiting", "registering", "login", "online", "retrying", "rejected", "failed", "off", "beyond", "taken"];
const TONE: Partial<Record<FleetState, string>> = { registering: "run", login: "run", online: "ok", retrying: "warn", rejected: "bad", failed: "bad", beyond: "warn" };
/** The height of a row, as fleet.css has it. */
const ROW = 34;
/** Rows fetched beyond those that are seen. */
const AROUND = 40;

@customElement("m-fleet")
export class FleetView extends View {
  @state() private search = "";
  @state() private only: FleetState | null = null;
  @state() private total = 0;
  @state() private over = false;
  #rows = new Map<number, FleetRow>();
  #asking = false;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  protected override stores() {
    return [fleet, clouds, router];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#end = fleet.subscribe(() => this.#soon());
    void this.#fetch();
  }

  #end: (() => void) | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#end?.();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has("search") || changed.has("only")) void this.#fetch();
  }

  /** Rows change all the time; twice a second is enough to look at. */
  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#fetch();
    }, 400);
  }

  /** Those that are seen, and some around them. */
  async #fetch(): Promise<void> {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      const body = this.querySelector<HTMLElement>(".fleet-rows");
      const top = body?.scrollTop ?? 0;
      const from = Math.max(0, Math.floor(top / ROW) - AROUND);
      const count = Math.ceil((body?.clientHeight ?? 400) / ROW) + 2 * AROUND;
      const query = { search: this.search.trim(), ...(this.only !== null && { states: [this.only] }) };
      const { total, rows } = await fleet.rows({ ...query, from, count });
      this.#rows = new Map(rows.map((row, at) => [from + at, row]));
      this.total = total;
    } catch {
      // The instance died; the page says so.
      this.#rows = new Map();
      this.total = 0;
    } finally {
      this.#asking = false;
      this.requestUpdate();
      if (this.#again) {
        this.#again = false;
        void this.#fetch();
      }
    }
  }

  override render(): TemplateResult {
    const d = t().fleet;
    const { made, status, making } = fleet;
    return html`<div class="page fleet" data-testid="fleet" data-phase=${fleet.phase} data-making=${making}>
      <div class="page-head"><h2>${d.title}</h2></div>
      <p class="lead">${d.lead[fleet.world]}</p>
      ${this.#controls()}
      ${this.#wrong()}
      ${made === null ? html`${this.#tooMany()}${this.#setup()}` : nothing}
      ${status === null || made === null ? nothing : this.#shown()}
    </div>`;
  }

  // ---------- What is to be done ----------

  #controls(): TemplateResult {
    const d = t().fleet;
    const { made, status, making, phase } = fleet;
    const busy = making === "importing" || making === "making";
    const idle = phase === "idle";
    const gaveUp = (status?.counts.rejected ?? 0) + (status?.counts.failed ?? 0);
    const ready = fleet.setup.source === "count" ? fleet.counts : fleet.file !== null && fleet.file.problems.length === 0;
    return html`<div class="fleet-controls">
      ${
        phase === "running"
          ? html`<button type="button" class="btn" data-testid="fleet-pause" title=${d.pauseHelp} @click=${() => void fleet.pause()}>${icon("pause")}${d.pause}</button>`
          : html`<button type="button" class="btn pri" data-testid="fleet-run" ?disabled=${busy || (made === null && !ready)} @click=${() => void fleet.run()}>${icon("play")}${phase === "paused" ? d.goOn : d.run}</button>`
      }
      <button type="button" class="btn" data-testid="fleet-stop" title=${d.stopHelp} ?disabled=${idle} @click=${() => void fleet.halt()}>${icon("close")}${d.stop}</button>
      ${gaveUp > 0 && !idle ? html`<button type="button" class="btn" data-testid="fleet-again" @click=${() => void fleet.tryAgain()}>${icon("retry")}${d.tryAgain(gaveUp)}</button>` : nothing}
      ${made !== null && idle ? html`<button type="button" class="btn" data-testid="fleet-clear" @click=${() => void fleet.clear()}>${icon("plus")}${d.clear}</button>` : nothing}
      ${
        made === null
          ? nothing
          : html`<span class="quiet-text" data-testid="fleet-what">${t().platform[made.platform].short} · ${t().world[made.world]} · ${d.phases[phase]}${status === null || idle ? "" : ` ${d.after(waitText(status.at))}`}</span>
              <label class="inline">${d.rate}<input type="number" class="small-number" min="0" max="10000" data-testid="fleet-rate" .value=${String(fleet.setup.rate)} @change=${this.#number("rate")} /></label>
              <label class="inline">${d.every}<input type="number" class="small-number" min="0" max="86400" data-testid="fleet-every" .value=${String(fleet.setup.reportEvery)} @change=${this.#number("reportEvery")} /></label>`
      }
      <span role="status" class="quiet-text">${making === "importing" ? d.importing : making === "making" ? d.making : nothing}</span>
    </div>`;
  }

  /** Before anything starts. */
  #tooMany(): TemplateResult | typeof nothing {
    const { setup, file } = fleet;
    const room = fleet.room(fleet.world, fleet.platform);
    const count = setup.source === "count" ? setup.count : (file?.list.rows.length ?? 0);
    if (room === null || count <= room) return nothing;
    return html`<p class="tip" data-testid="fleet-too-many">${t().fleet.tooMany(count - room, room)}</p>`;
  }

  #setup(): TemplateResult {
    const d = t().fleet;
    const { setup } = fleet;
    const goal = setup.goal;
    return html`<section class="box" aria-label=${d.setup}>
      ${segments<PlatformName>(
        t().overview.platform,
        PLATFORMS.map((value) => ({ value, text: t().platform[value].short, testid: `fleet-platform-${value}` })),
        setup.platform,
        (platform) => fleet.update({ platform }),
      )}
      <div class="fleet-setup">
        <div class="stacked">
          ${segments(
            d.source,
            (["count", "list"] as const).map((value) => ({ value, text: d.sources[value], testid: `fleet-source-${value}` })),
            setup.source,
            (source) => fleet.update({ source }),
          )}
          ${setup.source === "count" ? this.#counted() : this.#listed()}
        </div>
        <div class="stacked">
          <label>${d.rate}<input type="number" min="0" max="10000" data-testid="fleet-rate" .value=${String(setup.rate)} @change=${this.#number("rate")} /><small>${d.rateHelp}</small></label>
          <label>${d.every}<input type="number" min="0" max="86400" data-testid="fleet-every" .value=${String(setup.reportEvery)} @change=${this.#number("reportEvery")} /><small>${d.everyHelp}</small></label>
          <label>${d.storage}<select data-testid="fleet-storage" @change=${(event: Event) => fleet.update({ storage: (event.target as HTMLSelectElement).value as Storage })}>
            ${(["memory", "browser"] as const).map((value) => html`<option value=${value} ?selected=${setup.storage === value}>${d.storages[value]}</option>`)}
          </select></label>
        </div>
        <div class="stacked">
          <label>${d.goal}<select data-testid="fleet-goal" @change=${this.#goal}>
            ${(["online", "for", "none"] as const).map((value) => html`<option value=${value} ?selected=${goal.kind === value}>${d.goals[value]}</option>`)}
          </select></label>
          ${goal.kind === "none" ? nothing : html`<label>${goal.kind === "for" ? d.minutes : d.within}<input type="number" min=${goal.kind === "for" ? 0.1 : 0} max="1440" step="any" data-testid="fleet-minutes" .value=${String(goal.minutes)} @change=${this.#minutes} /></label>`}
          <label>${d.common}<textarea rows="3" spellcheck="false" autocomplete="off" data-testid="fleet-common" .value=${setup.common} @change=${(event: Event) => fleet.update({ common: (event.target as HTMLTextAreaElement).value })}></textarea><small>${d.commonHelp}</small></label>
        </div>
      </div>
    </section>`;
  }

  #counted(): TemplateResult {
    const d = t().fleet;
    if (!fleet.counts) return html`<p class="tip">${d.realNeedsList}</p>`;
    return html`<label>${d.count}<input type="number" min="1" max=${MOST} data-testid="fleet-count" .value=${String(fleet.setup.count)} @change=${this.#number("count")} /></label>
      <label>${d.prefix}<input type="text" maxlength="40" spellcheck="false" data-testid="fleet-prefix" .value=${fleet.setup.prefix} @change=${(event: Event) => fleet.update({ prefix: (event.target as HTMLInputElement).value.trim() })} /><small>${d.countHelp}</small></label>`;
  }

  #listed(): TemplateResult {
    const d = t().fleet;
    const { file, setup } = fleet;
    if (file !== null) {
      return html`<p class="row"><span class="file-name" data-testid="fleet-file-name">${d.fileIs(file.name, file.list.rows.length)}</span></p>
        <button type="button" class="btn" data-testid="fleet-file-remove" @click=${() => fleet.forgetFile()}>${d.removeFile}</button>`;
    }
    return html`<div class=${`drop${this.over ? " over" : ""}`} data-testid="fleet-drop" @dragover=${this.#dragged} @dragleave=${() => (this.over = false)} @drop=${this.#dropped}>
        <label class="btn file">${icon("file")}${d.choose}<input type="file" class="hidden" accept=".csv,text/csv,text/plain" data-testid="fleet-file" aria-label=${d.file} @change=${this.#chosen} /></label>
        <span class="quiet-text">${d.drop}</span>
      </div>
      <small class="quiet-text">${d.fileHelp} ${d.columns(columnNames(setup.platform).join(", "))}</small>`;
  }

  readonly #dragged = (event: DragEvent) => {
    event.preventDefault();
    this.over = true;
  };

  readonly #dropped = (event: DragEvent) => {
    event.preventDefault();
    this.over = false;
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) void fleet.read(file);
  };

  readonly #chosen = (event: Event) => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (file !== undefined) void fleet.read(file);
  };

  #number(key: "rate" | "reportEvery" | "count") {
    return (event: Event) => {
      const input = event.target as HTMLInputElement;
      const [low, high] = [Number(input.min), Number(input.max)];
      const value = Math.min(high, Math.max(low, Math.floor(Number(input.value) || 0)));
      input.value = String(value);
      fleet.update({ [key]: value });
    };
  }

  readonly #goal = (event: Event) => {
    const kind = (event.target as HTMLSelectElement).value;
    fleet.update({ goal: kind === "for" ? { kind, minutes: 10 } : kind === "online" ? { kind, minutes: 0 } : { kind: "none" } });
  };

  readonly #minutes = (event: Event) => {
    const { goal } = fleet.setup;
    const input = event.target as HTMLInputElement;
    const value = Math.min(1440, Math.max(Number(input.min), Number(input.value) || 0));
    input.value = String(value);
    if (goal.kind !== "none") fleet.update({ goal: { ...goal, minutes: value } });
  };

  #wrong(): TemplateResult | typeof nothing {
    const d = t().fleet;
    const { failure, problems, wrong, file, setup } = fleet;
    const own = setup.source === "list" && file !== null && fleet.made === null ? file.problems : [];
    const count = Math.max(wrong, own.length);
    if (count > 0) {
      const lines = own.length > 0 ? own.map(({ line, ...rest }) => ({ line, text: this.#problem({ line, ...rest } as CsvProblem) })) : problems.map(({ line, key, problem }) => ({ line, text: key === "" ? messageText(problem) : d.problem.setting(key, messageText(problem)) }));
      return html`<div class="banner bad flat" role="alert" data-testid="fleet-problems">${icon("alert")}<div>
        <strong>${d.problems}</strong><p>${d.problemCount(count)}</p>
        <ul class="fleet-problems" tabindex="0">${lines.slice(0, 100).map(({ line, text }) => html`<li data-testid="fleet-problem" data-line=${line}>${line > 0 ? html`<b>${d.line(line)}</b> ` : nothing}${text}</li>`)}</ul>
        ${count > Math.min(lines.length, 100) ? html`<p>${d.problemsMore(count - Math.min(lines.length, 100))}</p>` : nothing}
      </div></div>`;
    }
    if (failure === null) return nothing;
    return html`<div class="banner bad flat" role="alert" data-testid="fleet-failure">${icon("alert")}<div><strong>${messageText(failure.message)}</strong>${failure.next === null ? nothing : html`<p>${messageText(failure.next)}</p>`}</div></div>`;
  }

  #problem(problem: CsvProblem): string {
    const d = t().fleet.problem;
    switch (problem.what) {
      case "fields":
        return d.fields(problem.have, problem.want);
      case "column":
        return d.column(problem.column);
      case "twice":
        return d.twice(problem.column);
      default:
        return d[problem.what];
    }
  }

  // ---------- How they are ----------

  #shown(): TemplateResult {
    const { status } = fleet;
    return html`${this.#verdict()}${this.#states()}${status !== null && status.counts.beyond > 0 ? this.#beyond() : nothing}
      <div class="columns even">
        <div class="column">${this.#speed()}${this.#causes()}</div>
        <div class="column">${this.#latency()}</div>
      </div>
      ${this.#table()}`;
  }

  #verdict(): TemplateResult | typeof nothing {
    const d = t().fleet;
    const { verdict } = fleet;
    if (verdict === null) return nothing;
    const { passed, what, online, of, lost, seconds: after } = verdict;
    return html`<div class=${`banner flat ${passed ? "info" : "bad"}`} role="status" data-testid="fleet-verdict" data-passed=${passed}>${icon(passed ? "check" : "alert")}
      <div><strong>${passed ? d.verdictPassed : d.verdictFailed}</strong><p>${d.verdict[what](online, of, lost, after)}</p></div></div>`;
  }

  #states(): TemplateResult {
    const d = t().fleet;
    const { status } = fleet;
    if (status === null) return html``;
    const { counts } = status;
    const shown = STATES.filter((name) => counts[name] > 0 || name === "online" || name === "registering" || name === "login");
    return html`<section aria-label=${d.states} class="fleet-states" data-testid="fleet-states">
      ${shown.map(
        (name) => html`<button type="button" class=${`count ${TONE[name] ?? ""}${this.only === name ? " on" : ""}`} aria-pressed=${this.only === name} data-testid="fleet-count-of" data-state=${name} data-count=${counts[name]} @click=${() => (this.only = this.only === name ? null : name)}>
          <b>${counts[name].toLocaleString()}</b><span>${d.state[name]}</span>${name === "retrying" && status.retry_in !== null ? html`<small>${d.retryIn(waitText(status.retry_in))}</small>` : nothing}
        </button>`,
      )}
    </section>`;
  }

  #beyond(): TemplateResult | typeof nothing {
    const d = t().fleet;
    const { made, status } = fleet;
    if (made === null || status === null) return nothing;
    const { beyond } = status.counts;
    const file = "fleet-rest.csv";
    const settings = fleet.commonOf(made);
    const told = fleetCommand({ platform: made.platform, file, settings, isSecret: (key) => isSecret(made.platform, key), local: made.world === "local", origin: location.origin, until: fleet.setup.goal.kind === "online" });
    const save = async () => saveFile(file, "text/csv", [fleet.listOf(await fleet.allRows(["beyond"]))]);
    return html`<div class="banner warn flat" data-testid="fleet-beyond">${icon("alert")}<div>
      <strong>${d.beyondTitle(beyond)}</strong><p>${d.beyondText(status.sockets.most)}</p>
      ${command(told.command)}
      ${told.line ? html`<p class="quiet-text">${d.beyondLine}</p>` : nothing}
      ${told.secrets.length > 0 ? html`<p class="quiet-text">${d.beyondSecrets(secretKeys(made.platform, settings).join(", "))}</p>` : nothing}
      <div class="buttons start"><button type="button" class="btn" data-testid="fleet-rest" @click=${() => void save()}>${icon("download")}${d.beyondSave}</button></div>
    </div></div>`;
  }

  #speed(): TemplateResult {
    const d = t().fleet;
    const { status, series, made } = fleet;
    const { samples } = series;
    if (status === null || made === null) return html``;
    const at = samples.map((sample) => sample.at);
    const number = (value: number) => (value >= 10 ? Math.round(value) : Math.round(value * 10) / 10).toLocaleString();
    const after = status.readied_at / 1000;
    const mean = after > 0 ? status.readied / after : 0;
    const sockets = status.sockets.most > 0;
    return html`<section class="box" aria-label=${d.speed}>
      <h3>${d.speed}</h3>
      <p class="fleet-mean" data-testid="fleet-mean" data-readied=${status.readied} data-rate=${mean.toFixed(1)} data-seconds=${after.toFixed(3)}>${d.mean(status.readied.toLocaleString(), number(mean))}</p>
      ${chart({ id: "rate", title: d.rateChart, label: `${d.rateChart}: ${d.rateNow(number(samples.at(-1)?.rate ?? 0))}`, at, lines: [{ name: d.rateChart, look: 1, values: samples.map(({ rate }) => rate) }], text: number, filled: true })}
      ${chart({
        id: "states",
        title: d.onlineChart,
        label: `${d.onlineChart}: ${status.counts.online} ${d.stateOne.online}`,
        at,
        lines: [
          { name: d.state.online, look: 1, values: samples.map(({ online }) => online) },
          { name: `${d.state.registering} + ${d.state.login}`, look: 2, values: samples.map(({ underWay }) => underWay) },
          { name: `${d.state.retrying} + ${d.state.failed}`, look: 3, values: samples.map(({ retrying, gaveUp }) => retrying + gaveUp) },
        ],
        text: number,
      })}
      <p class="quiet-text">
        ${sockets && made.platform !== "cmcc" ? html`<span data-testid="fleet-sockets" data-used=${status.sockets.used} data-pending=${status.sockets.pending} data-most=${status.sockets.most}>${d.sockets(status.sockets.used, status.sockets.most)}</span>${fleet.taken > 0 ? html` (${d.socketsTaken(fleet.taken)})` : nothing} · ` : nothing}
        ${status.requests.used + status.requests.waiting > 0 ? html`${d.requests(status.requests.used, status.requests.waiting)} · ` : nothing}${d.memory(sizeText(status.memory))}
      </p>
      ${sockets && status.sockets.used >= status.sockets.most ? html`<p class="quiet-text caution">${d.full}</p>` : nothing}
      <details class="more"><summary>${d.plateau}</summary><p class="quiet-text">${this.#plateau(mean)}</p></details>
    </section>`;
  }

  #plateau(mean: number): string {
    const d = t().fleet;
    if (fleet.setup.rate > 0 && mean > fleet.setup.rate * 0.8) return d.plateauRamp;
    if (fleet.made?.world === "tab") return d.plateauTab;
    if (fleet.made?.platform === "cmcc") return d.plateauRequests;
    return d.plateauSockets(d.rateNow(String(Math.round(mean))));
  }

  #latency(): TemplateResult {
    const d = t().fleet;
    const { status, series } = fleet;
    if (status === null) return html``;
    const { samples } = series;
    const at = samples.map((sample) => sample.at);
    const measures = (["connect", ...MEASURES] as const).filter((name) => status.latency[name].all.count > 0);
    const columns = ["count", "p50", "p95", "p99", "max"] as const;
    return html`<section class="box" aria-label=${d.latency}>
      <h3>${d.latency}</h3>
      ${
        measures.length === 0
          ? html`<p class="quiet-text">${d.nothingYet}</p>`
          : html`<div class="scroll-x" tabindex="0" role="group" aria-label=${d.latency}><table data-testid="fleet-latency">
              <thead><tr><td></td>${columns.map((name) => html`<th scope="col">${d.quantile[name]}</th>`)}</tr></thead>
              <tbody>${measures.map((name) => html`<tr data-measure=${name}><th scope="row" title=${d.measureHelp[name]}>${d.measure[name]}</th>${columns.map((column) => html`<td class="time">${column === "count" ? status.latency[name].all.count.toLocaleString() : took(status.latency[name].all[column])}</td>`)}</tr>`)}</tbody>
            </table></div>`
      }
      ${MEASURES.filter((name) => status.latency[name].all.count > 0).map((name) =>
        chart({
          id: name,
          title: d.measure[name],
          label: `${d.measure[name]}: p50 ${took(status.latency[name].all.p50)}, p95 ${took(status.latency[name].all.p95)}, p99 ${took(status.latency[name].all.p99)}`,
          at,
          lines: ([0, 1, 2] as const).map((which) => ({ name: ["p50", "p95", "p99"][which] ?? "", look: ([1, 2, 3] as const)[which], values: samples.map(({ latency }) => latency[name]?.[which] ?? null) })),
          text: took,
        }),
      )}
    </section>`;
  }

  #causes(): TemplateResult {
    const d = t().fleet;
    const { status, made } = fleet;
    if (status === null || made === null) return html``;
    const { causes } = status;
    const one = (cause: FleetCause) => {
      const reason = cause.trouble === null ? undefined : (t().trouble.reason as unknown as Record<string, readonly string[]>)[cause.trouble];
      const next = cause.advice !== null ? t().advice[cause.advice] : (reason?.[1] ?? d.byItself);
      return html`<li data-testid="fleet-cause" data-times=${cause.times} data-devices=${cause.devices} data-blame=${cause.error.blame}>
        <strong>${errorText(cause.error, made.platform)}</strong>
        ${reason?.[0] === undefined ? nothing : html`<span>${reason[0]}</span>`}
        <span class="quiet-text">${d.causeCount(cause.times, cause.devices)} · ${d.example(cause.example)}</span>
        <span>${next}</span>
      </li>`;
    };
    return html`<section class="box" aria-label=${d.causes}>
      <h3>${d.causes}</h3>
      ${causes.length === 0 ? html`<p class="quiet-text">${d.noCauses}</p>` : html`<ul class="fleet-causes">${causes.map(one)}</ul>`}
      ${status.other_causes > 0 ? html`<p class="quiet-text">${d.otherCauses(status.other_causes)}</p>` : nothing}
    </section>`;
  }

  // ---------- One by one ----------

  #table(): TemplateResult {
    const d = t().fleet;
    const { status } = fleet;
    if (status === null) return html``;
    const body = this.querySelector<HTMLElement>(".fleet-rows");
    const range = drawn(this.total, ROW, body?.scrollTop ?? 0, body?.clientHeight ?? 400);
    const places = Array.from({ length: range.to - range.from }, (_, at) => range.from + at);
    return html`<section class="box" aria-label=${d.devices}>
      <div class="page-head">
        <h3>${d.devices}</h3>
        <input type="search" class="fleet-search" placeholder=${d.search} aria-label=${d.search} data-testid="fleet-search" .value=${this.search} @input=${(event: Event) => (this.search = (event.target as HTMLInputElement).value)} />
        <select class="fleet-filter" aria-label=${d.column.state} data-testid="fleet-filter" @change=${(event: Event) => (this.only = (STATES as readonly string[]).includes((event.target as HTMLSelectElement).value) ? ((event.target as HTMLSelectElement).value as FleetState) : null)}>
          <option value="" ?selected=${this.only === null}>${d.filterAll}</option>
          ${STATES.map((name) => html`<option value=${name} ?selected=${this.only === name}>${d.state[name]}</option>`)}
        </select>
        <span class="quiet-text" data-testid="fleet-shown" data-total=${this.total}>${d.shown(this.total, status.devices)}</span>
        <span class="grow"></span>
        ${this.#exports()}
      </div>
      <div class="fleet-table" role="table" aria-label=${d.devices} aria-rowcount=${this.total + 1}>
        <div class="frow head" role="row" aria-rowindex="1">
          ${(["name", "state", "registered", "since", "reports", "why"] as const).map((name) => html`<span role="columnheader" class=${`c-${name}`}>${d.column[name]}</span>`)}<span role="columnheader" class="c-acts"><span class="hidden">${d.open}</span></span>
        </div>
        <div class="fleet-rows" role="rowgroup" tabindex="0" aria-label=${d.devices} @scroll=${this.#scrolled}>
          ${this.total === 0 ? html`<div role="row"><p role="cell" class="quiet-text none">${d.noneHere}</p></div>` : nothing}
          <div class="gap" role="presentation" .style=${`height:${range.from * ROW}px`}></div>
          ${places.map((at) => this.#row(at))}
          <div class="gap" role="presentation" .style=${`height:${(this.total - range.to) * ROW}px`}></div>
        </div>
      </div>
    </section>`;
  }

  #row(at: number): TemplateResult {
    const d = t().fleet;
    const row = this.#rows.get(at);
    if (row === undefined) return html`<div class="frow" role="row" aria-rowindex=${at + 2}><span role="cell" class="c-name quiet-text">…</span></div>`;
    const wait = row.retry_at === null ? null : row.retry_at - Date.now();
    const why = row.error === null ? "" : errorText(row.error, fleet.platform);
    const can = row.state === "taken" ? fleet.unopened.has(row.n) : row.state !== "beyond";
    return html`<div class="frow" role="row" aria-rowindex=${at + 2} data-testid="fleet-row" data-n=${row.n} data-name=${row.name} data-state=${row.state}>
      <span role="cell" class="c-name">${row.name}</span>
      <span role="cell" class="c-state"><span class=${`chip ${TONE[row.state] ?? ""}`}>${row.state === "retrying" && wait !== null && wait > 0 ? d.retryingIn(waitText(wait)) : d.stateOne[row.state]}</span></span>
      <span role="cell" class="c-registered">${d.registered[row.registered]}</span>
      <span role="cell" class="c-since">${row.since > 0 ? clockText(row.since) : "–"}</span>
      <span role="cell" class="c-reports">${row.reports}</span>
      <span role="cell" class="c-why" title=${why}>${why}</span>
      <span role="cell" class="c-acts">${can ? html`<button type="button" class="btn tiny" data-testid="fleet-open" title=${d.openHelp(row.name)} aria-label=${`${d.open}: ${row.name}`} @click=${() => void this.#open(row)}>${d.open}</button>` : nothing}</span>
    </div>`;
  }

  readonly #scrolled = () => {
    this.requestUpdate();
    this.#soon();
  };

  async #open(row: FleetRow): Promise<void> {
    const d = t().fleet;
    if ((await ask({ title: d.openTitle, text: d.openText, ok: d.open })) === null) return;
    if (await fleet.open(row)) router.go("devices");
  }

  // ---------- What goes out ----------

  #exports(): TemplateResult {
    const d = t().fleet;
    return html`<span class="buttons">
      <button type="button" class="btn" data-testid="fleet-results-csv" @click=${() => void this.#results("csv")}>${icon("download")}${d.export} ${d.resultsCsv}</button>
      <button type="button" class="btn" data-testid="fleet-results-json" @click=${() => void this.#results("json")}>${icon("download")}${d.resultsJson}</button>
      <button type="button" class="btn" data-testid="fleet-summary" @click=${() => void this.#summary()}>${icon("copy")}${d.summary}</button>
      <button type="button" class="btn" data-testid="fleet-credentials" @click=${() => void this.#credentials()}>${icon("key")}${d.credentials}</button>
    </span>`;
  }

  #facts(): Facts | null {
    const { made, status, verdict } = fleet;
    if (made === null || status === null) return null;
    const told = verdict === null ? "" : `${verdict.passed ? "passed" : "not passed"}: ${verdict.online} of ${verdict.of} online after ${verdict.seconds} s, ${verdict.lost} times one was lost`;
    return { platform: made.platform, world: { local: "local clouds", tab: "clouds in the tab", real: "real cloud" }[made.world], status, verdict: told, now: new Date(), browser: navigator.userAgent };
  }

  async #results(form: "csv" | "json"): Promise<void> {
    const facts = this.#facts();
    if (facts === null) return;
    const rows = await fleet.allRows();
    if (form === "csv") saveFile("results.csv", "text/csv", [resultsCsv(rows, facts.platform)]);
    else saveFile("results.json", "application/json", [resultsJson(rows, facts)]);
  }

  async #summary(): Promise<void> {
    const facts = this.#facts();
    if (facts === null) return;
    const text = summary(facts);
    if (await copyText(text)) notices.tell("fleet", () => t().fleet.summaryHelp);
    else saveFile("fleet.md", "text/markdown", [text]);
  }

  async #credentials(): Promise<void> {
    const d = t().fleet;
    if (fleet.made === null) return;
    if ((await ask({ title: d.credentialsTitle, text: d.credentialsText, ok: d.credentialsSave, danger: true })) === null) return;
    const { text, devices, without } = credentialsCsv(await fleet.credentials(), fleet.made.platform);
    if (devices > 0) saveFile("credentials.csv", "text/csv", [text]);
    if (devices === 0) notices.tell("fleet", () => t().fleet.credentialsNone);
    else if (without > 0) notices.tell("fleet", () => t().fleet.credentialsWithout(without));
  }
}
