// What a step of a replay is, in words: a head, what is said about it, and the text that it carries.

import type { PlatformName, ReplayInput, ReplayOutput, ReplayPlace } from "../muster/types";
import { t, waitText } from "../i18n";
import { sizeText } from "./bytes";
import { errorText, eventText, failureText } from "./texts";

export type Said = { head: string; code: string; rest: string; body?: string; sign?: string };

const said = (head: string, code = "", rest = "", body?: string, sign?: string | null): Said => ({ head, code, rest, ...(body === undefined || body === "" ? {} : { body }), ...(sign == null ? {} : { sign }) });

function payload({ text, size }: { text?: string; size: number }): string {
  return text ?? (size === 0 ? "" : `(${sizeText(size)})`);
}

function headers(list: readonly (readonly [string, string])[], body: string): string {
  const lines = list.map(([name, value]) => `${name}: ${value}`).join("\n");
  return body === "" ? lines : lines === "" ? body : `${lines}\n\n${body}`;
}

export function inputText(input: ReplayInput, platform: PlatformName): Said {
  const d = t().replay;
  const head = d.input[input.input];
  const of = "token" in input ? d.command(input.token) : "";
  switch (input.input) {
    case "birth":
      return said(head, "", input.stored.length === 0 ? d.emptyStore : d.fullStore(input.stored.join(", ")));
    case "closed": {
      const why = input.failure !== null ? failureText(input.failure) : input.code === null ? "" : errorText({ blame: "rejected", by: { how: "connack", code: input.code } }, platform);
      return said(head, "", [of, why].filter((part) => part !== "").join(" · "));
    }
    case "message":
      return said(head, input.topic, "", payload(input.payload));
    case "acked":
      return said(head, "", [of, input.refused ? d.subscribeRefused : input.qos === null ? "" : `QoS ${input.qos}`].filter((part) => part !== "").join(" · "));
    case "response":
      return said(head, String(input.status), of, headers(input.headers, payload(input.payload)));
    case "no_response":
    case "download_failed":
      return said(head, "", `${of} · ${failureText(input.failure)}`);
    case "stored":
    case "installed":
      return said(head, "", input.failure === null ? of : `${of} · ${d.notStored}`);
    case "progress":
      return said(head, "", `${sizeText(input.received)}${input.total === null ? "" : ` / ${sizeText(input.total)}`}`);
    case "downloaded":
      return said(head, `SHA-256 ${input.sha256}`, sizeText(input.size));
    case "user":
      return said(head, input.intent, "", input.json ?? undefined);
    default:
      return said(head, "", of);
  }
}

/** `mono`: when it is said. */
export function outputText(output: ReplayOutput, mono: number, platform: PlatformName): Said {
  const d = t().replay;
  const head = d.output[output.output];
  const of = "token" in output ? d.command(output.token) : "";
  switch (output.output) {
    case "connect":
      return said(head, output.url, of, `client_id: ${output.client_id}\nusername: ${output.username}\npassword: ${output.password}\nkeep_alive: ${output.keep_alive} s`);
    case "subscribe":
      return said(head, output.topic, `${of} · QoS ${output.qos}`);
    case "publish":
      return said(head, output.topic, `${of} · QoS ${output.qos}`, payload(output.payload));
    case "request":
      return said(head, `${output.method} ${output.url}`, of, headers(output.headers, payload(output.payload)), output.string_to_sign);
    case "store":
      return said(head, output.key, of, payload(output.payload));
    case "erase":
      return said(head, output.key, of);
    case "download":
      return said(head, output.url, `${of} · ${output.version}`);
    case "install":
      return said(head, output.version, `SHA-256 ${output.sha256}`);
    case "event":
      return said(head, output.event.event, eventText(output.event, platform));
    case "timeout":
      return said(head, "", output.mono === null ? d.never : d.inTime(waitText(Math.max(0, output.mono - mono)), output.why === null ? "" : d.why[output.why]));
    default:
      return said(head, "", of);
  }
}

/** The parts of the state that a step changed, or all of them. */
export function fields(place: ReplayPlace, all: boolean): ReplayPlace["state"] {
  return all ? place.state : place.state.filter((field) => field.changed);
}
