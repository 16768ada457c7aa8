// The relay of the server that this page came from: whether there is one, and where it goes.

import { Store } from "./store";

/** `none`: the page came from a server that is no `muster up`. */
export type RelayState = "unknown" | "on" | "off" | "none";

class Relay extends Store {
  state: RelayState = "unknown";
  /** `HOST:PORT`, `*.` at the beginning of some. */
  allow: readonly string[] = [];
  /** Of these, what it was started with beside the vendors': a line to start it anew has to name them again. */
  own: readonly string[] = [];
  #asking: Promise<void> | undefined;

  /** Asks once, whoever asks. */
  known(): Promise<void> {
    return this.state === "unknown" ? this.look() : Promise.resolve();
  }

  look(): Promise<void> {
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)));
  }

  async #ask(): Promise<void> {
    try {
      const response = await fetch(new URL("/api/relay", location.origin));
      const said = (await response.json()) as { on?: unknown; allow?: unknown; own?: unknown };
      if (!response.ok || typeof said.on !== "boolean") throw new Error("no relay");
      this.state = said.on ? "on" : "off";
      this.allow = texts(said.allow);
      this.own = texts(said.own);
    } catch {
      this.state = "none";
      this.allow = [];
      this.own = [];
    }
    this.changed();
  }
}

function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((entry): entry is string => typeof entry === "string") : [];
}

export const relay = new Relay();
