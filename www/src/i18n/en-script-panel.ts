// The script panel, loaded when it is first opened.

import type { ExampleId } from "../script/examples";
import type { Ended } from "../state/script";

export const panel = {
  lead: "JavaScript that answers for the device and sends on a schedule. It runs in a Worker of its own, without network, page or secrets: it hears what the timeline shows, and may ask for what is listed here.",
  editor: "Script",
  example: "Example",
  choose: "Choose an example…",
  replaceTitle: "Replace the script?",
  replaceText: "What is written there now is gone.",
  replaceOk: "Replace",
  run: "Run",
  again: "Run anew",
  stop: "Stop",
  output: "Output",
  clear: "Clear",
  nothing: "Nothing yet.",
  running: "running",
  at: (line: number, column: number) => `line ${line}, column ${column}`,
  tooLong: "A script has at most 65,536 characters.",
  ended: {
    stopped: "It was stopped.",
    finished: "It came to its end: nothing is scheduled, and nothing listens.",
    silent: "It was stopped: it did not answer for 5 s. A loop without await?",
    flood: "It was stopped: it asked for far more than a script may.",
    broken: "It could not be run.",
  } satisfies Record<Ended, string>,
  notes: { not_isolated: "The server of this page does not isolate scripts from its origin, or this browser does not know how: only the names of its stores are removed. Run nothing here that you do not trust." } as Record<string, string>,
  help: "What a script may use",
  api: [
    ["on(name, fn) · once(name)", "ready, registered, heartbeat, stopped, retrying, property_set, message, request, response, offline, connected, fault, update, …"],
    ["every(ms, fn) · after(ms, fn) · at(\"08:00\", fn) · sleep(ms)", "each but sleep returns a function that cancels it"],
    ["post({…}) · report()", "properties (UCloud, Alibaba); a heartbeat or version report"],
    ["publish(topic, payload, {qos}) · subscribe(topic, {qos})", "topics on which the device itself does not speak"],
    ["faults.arm(rules) · faults.disarm(ids) · faults.clear()", "as in the panel Faults"],
    ["state · random(seed) · log(…) · stop()", "platform, product, device, word, ready, registered"],
  ] as [string, string][],
  examples: {
    telemetry: "Telemetry every 5 s, a random walk",
    echo: "Echo what the cloud sets",
    downlink: "Answer a downlink",
    heartbeat: "A day's heartbeats",
    scenario: "A fault scenario, measured",
  } satisfies Record<ExampleId, string>,
};
