// A session as a text for a ticket, in Markdown: what the device is, what went wrong, how long each step took, and what
// happened.

import { dateText, i18n, t } from "../i18n";
import type { PlatformName } from "../muster/types";
import { latencyText, stopwatch } from "./bytes";
import { directionOf, latencyOf, lookOf, payloadOf, sizeOf } from "./entry";
import { prettyTokens } from "./json";
import { profileOf } from "./profiles";
import type { Source } from "./recording";
import { entryText, phaseText } from "./texts";
import type { EntryRow, PhaseRow } from "./timeline";

/** More than this nobody reads in a ticket. */
export const MOST_ENTRIES = 300;
const MOST_WRONG = 20;
const MOST_MESSAGES = 10;
const LONGEST_MESSAGE = 4_000;

export type ReportSource = Source & { phases: readonly PhaseRow[]; state: string; names: { product: string; device: string }; address: string; browser: string };

export function reportText(source: ReportSource, now: Date, named: boolean, cover: (text: string) => string): string {
  const d = t();
  const { platform, world, storage } = source.plan;
  const { settings, missing } = profileOf(source.plan);
  const say: Say = { platform, text: (text) => md(cover(text)), block: (text) => fenced(cover(text)) };
  const entries = source.rows.filter((row) => row.type === "entry");
  const wrong = entries.filter((row) => ["bad", "warn"].includes(lookOf(row.entry)));
  const facts: [string, string][] = [
    [d.overview.platform, d.platform[platform].name],
    [d.overview.world, d.world[world]],
    [d.overview.product, source.names.product],
    [d.overview.device, source.names.device],
    [d.overview.address, source.address],
    [d.overview.secretAt, d.storage[storage]],
    [d.report.state, source.state],
    [d.report.browser, source.browser],
  ];
  const parts = [
    `# ${say.text(d.report.title(`${d.platform[platform].short} ${source.names.device}`))}`,
    [d.report.generated(dateText(now.getTime())), named ? "" : d.report.names].join(i18n.language === "zh" || named ? "" : " "),
    `## ${d.report.device}`,
    table(["", ""], facts.map(([name, value]) => [say.text(name), say.text(value)])),
    `### ${d.report.settings}`,
    say.block(Object.entries(settings).map(([key, value]) => `${key} = ${value}`).join("\n")),
    missing.length === 0 ? "" : say.text(d.report.covered(missing.join(", "))),
    `## ${d.report.wrong}`,
    wrong.length === 0 ? d.report.nothingWrong : wrong.slice(-MOST_WRONG).map((row) => `- ${when(row)} ${what(row, say)}`).join("\n"),
    `## ${d.report.steps}`,
    table([d.timeline.step, d.timeline.column.took, d.timeline.packets, d.timeline.slowest], source.phases.map((phase) => stepRow(phase, say, settings["registration"] ?? "http"))),
    `## ${d.report.entries}`,
    entries.length > MOST_ENTRIES ? d.report.cut(entries.length - MOST_ENTRIES) : "",
    table([d.timeline.column.time, "", d.timeline.column.what, d.timeline.column.size, d.timeline.column.took], entries.slice(-MOST_ENTRIES).map((row) => entryRow(row, say))),
    ...messages(wrong, say),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** How a text gets into the report: covered, then as markup that means itself. */
type Say = { platform: PlatformName; text: (text: string) => string; block: (text: string) => string };

function entryRow(row: EntryRow, say: Say): string[] {
  const { entry } = row;
  const arrow = { up: "→", down: "←", self: "" }[directionOf(entry)];
  const latency = latencyOf(entry);
  return [when(row), arrow, what(row, say), String(sizeOf(entry) ?? ""), latency === undefined ? "" : latencyText(latency)];
}

function stepRow(phase: PhaseRow, say: Say, registration: string): string[] {
  const [title = ""] = phaseText(phase.phase, say.platform, registration);
  const took = phase.until === null ? t().phaseState[phase.state] : latencyText(Math.max(0, phase.until - phase.at));
  return [say.text(title), say.text(took), String(phase.rows), phase.slowest === null ? "" : latencyText(phase.slowest)];
}

function messages(wrong: readonly EntryRow[], say: Say): string[] {
  const told = wrong.flatMap((row) => {
    const text = payloadOf(row.entry);
    return text === undefined || text === "" ? [] : [{ row, text }];
  });
  if (told.length === 0) return [];
  const pretty = (text: string) => prettyTokens(text)?.map((token) => token.text).join("") ?? text;
  return [`## ${t().report.details}`, ...told.slice(-MOST_MESSAGES).flatMap(({ row, text }) => [`${when(row)} ${what(row, say)}`, say.block(pretty(text).slice(0, LONGEST_MESSAGE))])];
}

function when(row: EntryRow): string {
  return `${stopwatch(row.entry.at)} ${new Date(row.entry.unix).toISOString().slice(11, 23)}Z`;
}

function what(row: EntryRow, say: Say): string {
  const { strong, code, rest } = entryText(row.entry, row.side === "app" ? "alibaba" : say.platform);
  return [strong, code, rest].filter((part) => part !== "").map(say.text).join(" ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A text that means itself: no markup, one line. */
export function md(text: string): string {
  return text.replace(/[\\`*_<>[\]|#~]/g, "\\$&").replace(/\s+/g, " ");
}

/** A block that its own text cannot end. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
