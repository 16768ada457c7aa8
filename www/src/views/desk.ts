// What the parts of the Bind view have in common: they show a desk.

import type { Desk } from "../state/bind";
import { View } from "./base";

export abstract class DeskView extends View {
  desk!: Desk;
  #shown: Desk | undefined;
  #end: (() => void) | undefined;

  static override properties = { desk: { attribute: false } };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#end?.();
    this.#shown = undefined;
  }

  protected override willUpdate(): void {
    if (this.#shown === this.desk) return;
    this.#end?.();
    this.#shown = this.desk;
    this.#end = this.desk.subscribe(() => this.requestUpdate());
  }
}
