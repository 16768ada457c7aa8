// Clouds that a page cannot reach by itself: those of another `muster up`, over TCP and without CORS.

import { Up } from "./up.js";

/** Another `muster up`, and what the page's own one is started with so that its relay goes there. */
export async function elsewhere(relayed = true) {
  const cloud = await Up.start();
  const at = (url) => url.replace(/^[a-z]+:\/\//, "");
  const places = [at(cloud.origin), ...Object.values(cloud.line.mqtt).map(at)];
  return {
    cloud,
    args: relayed ? ["--relay", ...places.flatMap((place) => ["--relay-allow", place])] : [],
    // Straight from the browser to the other server: what the relay spares it.
    hosts: [at(cloud.origin)],
    end: () => cloud.end(),
  };
}

/** The settings of a demo device there, as a person would type them. */
export async function settingsOf(cloud, platform) {
  const { settings } = (await cloud.get("/api/demo"))[platform];
  const out = { ...settings };
  if ("broker" in out) out["broker"] = cloud.line.mqtt[platform];
  return out;
}
