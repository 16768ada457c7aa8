// What the browser really asked the network for.
//
// Chromium's own log of its network stack, not what a page or a protocol client reports: it holds every request and
// every WebSocket of every page, frame and worker, and look-ups of names that led to no request.

import { readFile } from "node:fs/promises";

/**
 * What pages and workers of the site `hostname` asked for, and the names that were looked up for them. What the browser
 * does for itself (looking for updates) is kept apart by the network stack, under other keys.
 */
export async function asked(file, hostname) {
  const log = parse(await readFile(file, "utf8"));
  const types = Object.fromEntries(Object.entries(log.constants.logEventTypes).map(([name, number]) => [number, name]));
  const site = `://${hostname}`;
  const urls = [];
  const lookups = new Set();
  for (const { type, params = {} } of log.events) {
    const { url, host, initiator = "", network_isolation_key = "", network_anonymization_key = "" } = params;
    if (types[type] === "URL_REQUEST_START_JOB" && url !== undefined && (network_isolation_key.includes(site) || initiator.includes(site))) urls.push(url);
    if (types[type] === "HOST_RESOLVER_MANAGER_REQUEST" && host !== undefined && network_anonymization_key.includes(site)) lookups.add(host);
  }
  return { urls, lookups: [...lookups] };
}

/** A browser that was killed leaves the list open. */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(`${text.trimEnd().replace(/,$/, "")}]}`);
  }
}
