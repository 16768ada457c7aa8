// What an open device has for a calculator's inputs.

import type { PlatformName } from "../muster/types";
import type { ToolName } from "./tools";

export type Filler = { platform: PlatformName; settings: Record<string, string>; credential: string | undefined };

/** Values by the names of inputs: from its settings, and from what it stored of its registration. */
export function fillFrom(tool: ToolName, inputs: readonly string[], from: Filler, type = ""): Record<string, string> {
  const stored = stringsOf(from.credential);
  const all: Record<string, string> = { ...from.settings, ...stored };
  if (tool === "cipher") {
    if (from.platform !== "alibaba") return {};
    const secret = type === "4" || type === "7" ? all["device_secret"] : all["product_secret"];
    return secret === undefined || secret === "" ? {} : { secret, ...(all["mac"] === undefined ? {} : { mac: all["mac"] }) };
  }
  if (tool === "topics") return {};
  if (tool === "imei" || tool === "cmei") {
    const number = all[tool] ?? (all["device_no_type"]?.toLowerCase() === tool ? all["device_no"] : undefined);
    return number === undefined || number === "" ? {} : { [tool]: number };
  }
  return Object.fromEntries(inputs.flatMap((name) => (all[name] !== undefined && all[name] !== "" ? [[name, all[name] ?? ""]] : [])));
}

function stringsOf(json: string | undefined): Record<string, string> {
  try {
    const value: unknown = JSON.parse(json ?? "{}");
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return {};
  }
}
