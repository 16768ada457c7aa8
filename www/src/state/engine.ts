import type { Load, Muster } from "../muster/types";
import { Store } from "./store";

export type EngineState = "idle" | "loading" | "ready" | "failed" | "dead";

async function loader(): Promise<Load> {
  if (import.meta.env.MODE === "fake") return (await import("../../dev/fake")).load;
  return (await import("../muster/index")).load;
}

/** The one WebAssembly instance of this page: loaded when first asked for, and told when it dies. */
class Engine extends Store {
  state: EngineState = "idle";
  reason = "";
  /** Counts instances; what belongs to an earlier one is gone. */
  generation = 0;
  #muster: Promise<Muster> | undefined;

  get(): Promise<Muster> {
    this.#muster ??= this.#load();
    return this.#muster;
  }

  /** Another instance in place of the dead one. */
  again(): Promise<Muster> {
    this.#muster = undefined;
    return this.get();
  }

  async #load(): Promise<Muster> {
    this.#set("loading", "");
    try {
      const muster = await (await loader())({ lab: true });
      this.generation += 1;
      void muster.died.then((why) => {
        this.#muster = undefined;
        this.#set("dead", why.message);
      });
      this.#set("ready", "");
      return muster;
    } catch (error) {
      this.#muster = undefined;
      this.#set("failed", error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  #set(state: EngineState, reason: string): void {
    this.state = state;
    this.reason = reason;
    this.changed();
  }
}

export const engine = new Engine();
