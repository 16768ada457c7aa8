// Scripts to begin with. Each runs in a test (tests/every_example_of_a_script_works.test.js). Code and its words are English, as logs are.

import type { PlatformName } from "../muster/types";

export type ExampleId = "telemetry" | "echo" | "downlink" | "heartbeat" | "scenario";
export type Example = { id: ExampleId; platforms: readonly PlatformName[]; source: string };

const ALL: readonly PlatformName[] = ["ucloud", "cmcc", "krtyun", "alibaba"];
const PROPERTIES: readonly PlatformName[] = ["ucloud", "alibaba"];

export const EXAMPLES: readonly Example[] = [
  {
    id: "telemetry",
    platforms: PROPERTIES,
    source: `// Temperature and humidity every 5 s: a random walk that repeats with its seed.
const next = random(42);
let temperature = 21;
let humidity = 55;

every(5000, async () => {
  if (!state.ready) return;
  temperature += next() - 0.5;
  humidity = Math.min(95, Math.max(20, humidity + 4 * (next() - 0.5)));
  const values = { temperature: Number(temperature.toFixed(1)), humidity: Math.round(humidity) };
  await post(values);
  log("posted", values);
});
`,
  },
  {
    id: "echo",
    platforms: PROPERTIES,
    source: `// What the cloud sets is what the device has: it posts it back at once.
on("property_set", async ({ properties }) => {
  log("set", properties);
  await post(properties);
});
log("waiting for properties; set some in the Cloud view or with muster cloud");
`,
  },
  {
    id: "downlink",
    platforms: PROPERTIES,
    source: `// Answers what comes on a topic of your own, and every property that is set, on another topic of your own.
const own = \`/\${state.product}/\${state.device}/user\`;

const begin = async () => {
  await subscribe(\`\${own}/get\`, { qos: 1 });
  log("listening on", \`\${own}/get\`);
};
if (state.ready) await begin();
on("ready", begin);

on("message", async ({ topic, json, payload }) => {
  if (topic !== \`\${own}/get\` && !topic.endsWith("/property/set")) return;
  await publish(\`\${own}/update\`, { answer: "ok", to: json ?? payload }, { qos: 1 });
  log("answered", topic);
});
`,
  },
  {
    id: "heartbeat",
    platforms: ALL,
    source: `// Reports as soon as it can, then every morning and evening by this machine's clock.
const now = async (why) => {
  await report();
  log("reported:", why);
};

at("08:00", () => now("morning"));
at("20:00:30", () => now("evening"));
if (!state.ready) await once("ready");
await now("start");
`,
  },
  {
    id: "scenario",
    platforms: ALL,
    source: `// Takes the network away three times, and measures how long the device needs to be back.
const rounds = [];
for (let round = 1; round <= 3; round += 1) {
  if (!state.ready) await once("ready");
  const begun = Date.now();
  // China Mobile's devices keep no connection: only a report that fails shows that there is no way.
  const away = once(state.platform === "cmcc" ? "retrying" : "offline");
  await faults.arm({ id: "scenario", fault: "network_loss", ms: 2000 });
  if (state.platform === "cmcc") await report();
  await away;
  await once("heartbeat");
  rounds.push(Date.now() - begun);
  log(\`round \${round}: back after \${rounds.at(-1)} ms\`);
  await sleep(500);
}
await faults.disarm("scenario");
log("slowest:", Math.max(...rounds), "ms");
`,
  },
];
