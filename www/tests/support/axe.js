// What axe finds on a page, by the rules of WCAG 2.2 AA.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
/** What WCAG 2.2 adds to 2.1 and axe can see; it is off unless asked for. */
const ADDED = { "target-size": { enabled: true } };

/** Of WCAG 2.2 AA whatever axe finds; of what is only good practice, what it calls serious. In words. */
export async function faults(page) {
  return told(await run(page, { runOnly: [...WCAG, "best-practice"], rules: ADDED }));
}

/** Of the same, what a narrower screen can change: sizes of targets, and what scrolls out of the keyboard's reach. */
export async function narrowFaults(page) {
  return told(await run(page, { runOnly: { type: "rule", values: ["target-size", "scrollable-region-focusable"] } }));
}

async function run(page, options) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  return page.evaluate(async (given) => {
    const { violations } = await window["axe"].run(document, { resultTypes: ["violations"], ...given });
    return violations;
  }, options);
}

function told(violations) {
  return violations
    .filter(({ impact, tags }) => tags.some((tag) => WCAG.includes(tag)) || impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 5).map((node) => node.html.slice(0, 160)).join(" | ")}${nodes.length > 5 ? ` and ${nodes.length - 5} more` : ""}`);
}
