// The page's end of a device's faults.

import type { FaultChange } from "./protocol";
import type { ArmedFault, FaultRule, Faults } from "./types";

export class Armory implements Faults {
  armed: readonly ArmedFault[] = [];
  onchange: ((armed: readonly ArmedFault[]) => void) | null = null;

  constructor(private readonly ask: (change: FaultChange) => Promise<ArmedFault[]>) {}

  /** What it is born with. */
  first(rules: readonly FaultRule[]): FaultRule[] {
    return named(rules, []);
  }

  set(rules: readonly FaultRule[]): Promise<readonly ArmedFault[]> {
    return this.change({ clear: true, arm: named(rules, []) });
  }

  arm(rules: readonly FaultRule[]): Promise<readonly ArmedFault[]> {
    return this.change({ arm: named(rules, this.armed) });
  }

  disarm(ids: readonly string[]): Promise<readonly ArmedFault[]> {
    return this.change({ disarm: ids });
  }

  async clear(): Promise<void> {
    await this.change({ clear: true });
  }

  hear(armed: readonly ArmedFault[]): void {
    this.armed = armed;
    this.onchange?.(armed);
  }

  private async change(change: FaultChange): Promise<readonly ArmedFault[]> {
    const armed = await this.ask(change);
    this.hear(armed);
    return armed;
  }
}

/** The rules, each with an id: its own, or its fault's name with a number that nobody has. */
export function named<R extends { id?: string; fault: string }>(rules: readonly R[], others: readonly { id: string }[]): (R & { id: string })[] {
  const taken = new Set([...others, ...rules].flatMap(({ id }) => (id === undefined ? [] : [id])));
  return rules.map((rule) => {
    if (rule.id !== undefined) return { ...rule, id: rule.id };
    let n = 1;
    while (taken.has(`${rule.fault}-${n}`)) n += 1;
    const id = `${rule.fault}-${n}`;
    taken.add(id);
    return { ...rule, id };
  });
}
