// What page and Worker say to each other.

import type { PlainError } from "./errors";
import type {
  AppBindPlan,
  AppCall,
  ArmedFault,
  Entry,
  FaultRule,
  FleetBounds,
  FleetQuery,
  FleetStatus,
  Intent,
  LogLine,
  Next,
  Operation,
  PlatformName,
  Storage,
} from "./types";

/** Names a device, an app or a cloud of a Worker. */
export type Handle = number;

export type Image = { platform: PlatformName; product: string; version: string; module?: string };

/** What is to change of the faults that are armed. */
export type FaultChange = { clear?: boolean; disarm?: readonly string[]; arm?: readonly FaultRule[] };

/** What the page asks. Each is answered with the same `id`. */
export type Ask =
  | { ask: "init"; wasm?: string }
  | {
      ask: "device";
      handle: Handle;
      platform: PlatformName;
      settings: Record<string, string>;
      storage: Storage | MessagePort;
      name: string;
      cloud?: Handle;
      relay?: true;
      faults?: readonly FaultRule[];
      record?: true;
    }
  | { ask: "faults"; handle: Handle; change: FaultChange }
  | { ask: "publish"; handle: Handle; topic: string; payload: Uint8Array; qos: number }
  | { ask: "subscribe"; handle: Handle; topic: string; qos: number }
  | { ask: "intend"; handle: Handle; intent: Intent }
  | { ask: "dropNetwork" | "cutPower" | "credential" | "recording" | "stop"; handle: Handle }
  | { ask: "packet"; handle: Handle; seq: number; reveal: boolean }
  | { ask: "app"; handle: Handle; settings: Record<string, string>; cloud?: Handle; relay?: true }
  | { ask: "call"; handle: Handle; call: AppCall }
  | { ask: "bind"; handle: Handle; plan: AppBindPlan }
  | { ask: "bindToken"; handle: Handle; token: string }
  | { ask: "cancel" | "handOver"; handle: Handle }
  | { ask: "cloud"; handle: Handle; storage: Storage | MessagePort; name: string }
  | { ask: "operate"; handle: Handle; operation: Operation }
  | { ask: "addFirmware"; handle: Handle; image: Image; bytes: Uint8Array }
  | { ask: "demo" | "log" | "logRead" | "kept"; handle: Handle }
  | { ask: "replay"; handle: Handle; recording: Uint8Array | string }
  | { ask: "replayTo"; handle: Handle; step: number }
  | { ask: "replayCover"; handle: Handle }
  | { ask: "fleet"; handle: Handle; plan: FleetPlan; storage: Storage; name: string; cloud?: Handle }
  | { ask: "fleetDo"; handle: Handle; what: "run" | "pause" | "stop" | "tryAgain" | "status" | "credentials" }
  | { ask: "fleetSet"; handle: Handle; bounds: FleetBounds }
  | { ask: "fleetRows"; handle: Handle; query: FleetQuery }
  | { ask: "fleetTake"; handle: Handle; n: number }
  | { ask: "fleetTaken"; handle: Handle; n: number; names: string[] }
  | { ask: "keep"; storage: Storage; name: string; values: [string, Uint8Array][] }
  | { ask: "handshakes"; most: number }
  | { ask: "tool"; tool: string; input: unknown }
  | { ask: "forget"; kind: "device" | "cloud"; name: string };

/** A `FleetOptions` without where it is and what it keeps. */
export type FleetPlan = {
  platform: PlatformName;
  settings: Record<string, string>;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
  lines?: readonly number[];
  bounds: FleetBounds;
  relay?: true;
};

/** A device that left its fleet. */
export type Taken = { settings: Record<string, string>; stored: [string, Uint8Array][]; key: string };

export type Question = { id: number } & Ask;

/** What the Worker says. */
export type Say =
  | { say: "answer"; id: number; value: unknown }
  | { say: "error"; id: number; error: PlainError }
  | { say: "entries"; handle: Handle; entries: Entry[] }
  | { say: "next"; handle: Handle; next: Next | null }
  | { say: "faults"; handle: Handle; armed: ArmedFault[] }
  | { say: "cut"; handle: Handle; restart_ms: number | null; recording?: Uint8Array }
  | { say: "log"; handle: Handle; lines: LogLine[] }
  | { say: "fleet"; handle: Handle; status: FleetStatus }
  | { say: "died"; message: string };
