// How long each step took.

import type { PhaseRow } from "./timeline";

export type StepTime = { phase: PhaseRow; /** Milliseconds; null: it still runs, or nobody knows. */ took: number | null };

/** The last steps that were work: a device that is online does nothing in particular. */
export function stepTimes(phases: readonly PhaseRow[], most = 12): StepTime[] {
  const worked = phases.filter((phase) => phase.phase !== "online" && phase.phase !== "start");
  return worked.slice(-most).map((phase) => ({ phase, took: phase.until === null ? null : Math.max(0, phase.until - phase.at) }));
}
