import { kept } from "./store";

/** Whether a letter alone does something; a person may switch that off. */
export function singleKeys(): boolean {
  return kept.get("keys") !== "off";
}
