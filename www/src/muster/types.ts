// What the page and the WebAssembly side tell each other: the data (made from Rust, data.ts), and the API around it.

import type {
  AppReply,
  AppStep,
  ArmedFault,
  CipherInput,
  CipherOutput,
  CmeiBatch,
  CmeiBatchInput,
  CmeiBuildInput,
  CmeiCheck,
  CredentialMode,
  CredentialsInput,
  CredentialsOutput,
  DeviceName,
  Entry,
  Fault,
  FaultMatch,
  FaultTimes,
  FleetRows,
  FleetState,
  FleetStatus,
  HandoverOutput,
  ImeiCheck,
  Intent,
  LogLine,
  Next,
  NvsPlace,
  Operation,
  OperationResult,
  PlatformName,
  ReplayCheck,
  ReplayMark,
  ReplayPlace,
  SignInput,
  SignOutput,
  WifiInput,
  WifiOutput,
} from "./data";

export type * from "./data";
export type DeviceNameOf = DeviceName;

// ---------- API ----------

/** Where Workers and modules are, if not beside this file. `…All`: those loaded on demand. */
export type LoadOptions = {
  /** Faults and recordings for devices on the network, too, without loading everything: the console's choice. */
  lab?: boolean;
  worker?: string | URL;
  wasm?: string | URL;
  workerAll?: string | URL;
  wasmAll?: string | URL;
};

export type Load = (options?: LoadOptions) => Promise<Muster>;

export interface Muster {
  device(options: DeviceOptions): Promise<Device>;
  app(options: AppOptions): Promise<App>;
  cloud(options?: CloudOptions): Promise<Cloud>;
  /** Many devices without timelines. Nothing starts yet; a list that cannot be used is refused with all its lines. */
  fleet(options: FleetOptions): Promise<Fleet>;
  readonly tools: Tools;
  /** Lives a recorded life again: what `Device.recording()` gave, or Base64 from a session file. Starts nothing. */
  replay(recording: Uint8Array | string): Promise<Replay>;
  /** Settles when the instance has died. Everything of it is over; load a new one. */
  readonly died: Promise<globalThis.Error>;
  /** Forgets what is kept in the browser under a name. */
  forget(kind: "device" | "cloud", name: string): Promise<void>;
  close(): void;
}

export type Storage = "memory" | "browser";

/** A place of one's own for the named values of one device, or of one cloud. */
export interface Store {
  load(): Promise<ReadonlyMap<string, Uint8Array>>;
  /** All of them or none; no value erases. Settles when they will survive a power cut: only then the device goes on. */
  write(changes: [name: string, value?: Uint8Array][]): Promise<void>;
  /** It is not used any more: somebody else may have it. */
  release(): void | Promise<void>;
}

export type DeviceOptions = {
  platform: PlatformName;
  settings: Record<string, string>;
  /** Where secrets go. `memory` (default): gone with the page. `browser`: IndexedDB, under `name`. Or a place of your own. */
  storage?: Storage | Store;
  name?: string;
  /** The cloud in this tab instead of the network. */
  cloud?: Cloud;
  /**
   * By the relay of the server that this page came from (`muster up --relay`), where a browser has no way of its own:
   * `mqtt://` and `mqtts://` brokers, servers without CORS. WebSockets go straight all the same.
   */
  relay?: boolean;
  /** Faults that are armed when it is born. Only a device that was given some, or an empty list, takes others later. */
  faults?: readonly FaultRule[];
  /** Keeps what came in, at most 4 MiB of it, for `recording()`. */
  record?: boolean;
};

/**
 * One fault and when it strikes: at the `nth` message that `on` meets and every `every`th after it, with this `chance`
 * from this `seed`, so many `times` (1). All of it happens at the device's end: no cloud is harmed. See
 * docs/console/faults.md.
 */
export type FaultRule = Fault & {
  /** Each rule of a device has its own; one is made if none is given. */
  id?: string;
  on?: FaultMatch;
  nth?: number;
  every?: number;
  /** 0 to 1. */
  chance?: number;
  seed?: number;
  times?: FaultTimes;
  /** How far it was, if it goes on. */
  seen?: number;
  struck?: number;
};

/** The faults of a device. */
export interface Faults {
  /** The rules that are armed, and how far each is. */
  readonly armed: readonly ArmedFault[];
  onchange: ((armed: readonly ArmedFault[]) => void) | null;
  /** These, and no others. */
  set(rules: readonly FaultRule[]): Promise<readonly ArmedFault[]>;
  /** These as well; one with the id of another takes its place. */
  arm(rules: readonly FaultRule[]): Promise<readonly ArmedFault[]>;
  disarm(ids: readonly string[]): Promise<readonly ArmedFault[]>;
  clear(): Promise<void>;
}

export type PacketLook = { entry: Entry; bytes: Uint8Array };

export interface Device extends AsyncIterable<Entry> {
  readonly id: number;
  readonly platform: PlatformName;
  /** What will happen next, and why; null: nothing is planned. */
  readonly next: Next | null;
  onnext: ((next: Next | null) => void) | null;
  intend(intent: Intent): Promise<void>;
  /** Bytes and decoded form of one packet; secrets only with `reveal`. Old packets are dropped: undefined. */
  packet(seq: number, options?: { reveal?: boolean }): Promise<PacketLook | undefined>;
  /** Cuts the connection without a word. */
  dropNetwork(): Promise<void>;
  readonly faults: Faults;
  /**
   * Publishes through the device's own MQTT session, beside the core: for topics on which the core does not speak.
   * Resolves when it is acknowledged, or, of QoS 0, when it has left. Rejects with `offline`, `not_supported`, `misuse`.
   * Of a device that was started with `faults`; an empty list will do.
   */
  publish(topic: string, payload: string | Uint8Array, options?: { qos?: 0 | 1 }): Promise<void>;
  /** Subscribes likewise (`refused`: the broker said no). What comes is in the timeline, and does not reach the core. */
  subscribe(topic: string, options?: { qos?: 0 | 1 }): Promise<void>;
  /** A fault has cut the power: the device is no more. Whoever wants to, starts it again after `restart_ms`. */
  oncut: ((cut: { restart_ms: number | null }) => void) | null;
  /** What it stored of its registration, as the JSON that it is: identity and secret. Undefined before. */
  credential(): Promise<string | undefined>;
  /** Its life so far, secrets and all, for `Muster.replay`; after its end too. Undefined if it is not recorded. */
  recording(): Promise<Uint8Array | undefined>;
  /** Logs out and frees everything. */
  stop(): Promise<void>;
  /** Ends at once, without a word and without waiting. */
  cutPower(): Promise<void>;
}

/** A recorded life, lived again step by step; step 0 is what the device says before the first input. */
export interface Replay {
  readonly check: ReplayCheck;
  readonly marks: readonly ReplayMark[];
  goTo(step: number): Promise<ReplayPlace>;
  /** The same without a secret, for a session file. */
  cover(): Promise<CoveredReplay>;
  close(): Promise<void>;
}

export type CoveredReplay = {
  /** The version of the code that was recorded. */
  core: string;
  steps: number;
  /** Earlier inputs that were let go. */
  dropped: number;
  /** The first step at which the stand-ins for secrets lead elsewhere; null: none. */
  strays: number | null;
  /** Base64. */
  recording: string;
};

export type AppOptions = { settings: Record<string, string>; cloud?: Cloud; relay?: boolean };

export interface App extends AsyncIterable<Entry> {
  call(call: AppCall): Promise<AppReply>;
  /** Its progress comes as entries of kind `app_event`. */
  bind(plan: AppBindPlan): Promise<void>;
  /** The device announced it. */
  bindToken(token: string): Promise<void>;
  /** What the last guided bind handed over to its device; secrets in it. Undefined if there was nothing. */
  handOver(): Promise<HandOver | undefined>;
  cancel(): Promise<void>;
  packet(seq: number, options?: { reveal?: boolean }): Promise<PacketLook | undefined>;
  stop(): Promise<void>;
}

export type AppCall =
  | { call: "list"; page_size?: number; page_num?: number }
  | { call: "filter"; devices: DeviceName[]; scope_all?: boolean }
  | { call: "token_check"; token: string; product_key?: string; device_name?: string }
  | { call: "token_bind"; device: DeviceName; token: string; home_id?: string }
  | { call: "window_bind"; device: DeviceName; home_id?: string }
  | {
      call: "cipher";
      type: number;
      product_key?: string;
      product_id?: string;
      device_name?: string;
      mac?: string;
      random: string;
    }
  | { call: "permit"; iot_id: string; product_key: string; time: number }
  | { call: "topo_remove"; iot_id: string; sub_iot_id: string };

/** For the device: an AES-128 key and its IV, hex, and the network with the password ready encrypted. */
export type HandOver = { device: DeviceName; key: string; random: string; ssid?: string; passwd?: string };

export type AppBindPlan = {
  devices: DeviceName[];
  /** Which of them; the first that can be bound if absent. */
  choose?: DeviceName;
  /** A later step to begin at, for the device of the plan: what comes before is done. */
  from?: AppStep;
  scope_all?: boolean;
  by: "token" | "window";
  token?: string;
  home_id?: string;
  cipher?: { type: number; random?: string; mac?: string; product_id?: string; ssid?: string; password?: string };
};

/** What a fleet is held to. */
export type FleetBounds = {
  /** WebSockets; a Chromium tab has 255. 0: no limit. */
  sockets?: number;
  /** HTTP requests under way: 6, which is what browsers open to one server. */
  requests?: number;
  /** Devices between their start and `ready`: 64. */
  at_once?: number;
  /** Devices that start in a second; 0: as fast as it goes. */
  rate?: number;
  /** Milliseconds between two reports of an online device; 0: as often as its platform asks for. */
  report_every?: number;
};

export type FleetOptions = {
  platform: PlatformName;
  /** What all devices have in common. */
  settings: Record<string, string>;
  /** Names of the settings that the rows hold. */
  columns: readonly string[];
  /** One device each; an empty field is no setting. */
  rows: readonly (readonly string[])[];
  /** The rows' lines in their file, for what there is to say about them. */
  lines?: readonly number[];
  bounds?: FleetBounds;
  /** Where secrets go; `name` tells one set of devices from another. */
  storage?: Storage;
  name?: string;
  cloud?: Cloud;
  /** HTTP by the relay of the page's server. Brokers are connected to directly. */
  relay?: boolean;
};

export type FleetQuery = { states?: readonly FleetState[]; search?: string; from: number; count: number };

export interface Fleet {
  readonly id: number;
  onstatus: ((status: FleetStatus) => void) | null;
  /** Starts the devices, each in its turn; after a pause, those that have not started. */
  run(): Promise<void>;
  /** No other device starts. */
  pause(): Promise<void>;
  /** All log out; `run` begins anew, once all is stored. What they stored stays. */
  halt(): Promise<void>;
  /** Those that gave up try again, each in its turn. */
  tryAgain(): Promise<void>;
  set(bounds: FleetBounds): Promise<void>;
  status(): Promise<FleetStatus>;
  rows(query: FleetQuery): Promise<FleetRows>;
  /** Number and credential (JSON) of those that have one. **Secrets.** */
  credentials(): Promise<[n: number, credential: string][]>;
  /** Logs a device out of the fleet and moves what it stored to where `device()` finds it under this name. */
  take(n: number, to: { storage: Storage; name: string }): Promise<Record<string, string> | undefined>;
  /** Logs all out and frees everything. */
  stop(): Promise<void>;
}

export type CloudOptions = { storage?: Storage | Store; name?: string };

export interface Cloud {
  operate(operation: Operation): Promise<OperationResult>;
  addFirmware(image: {
    platform: PlatformName;
    product: string;
    version: string;
    module?: string;
    bytes: Uint8Array;
  }): Promise<void>;
  /** The same as GET /api/demo. Secrets included. */
  demo(): Promise<Demo>;
  /** The past (bounded), then what comes. */
  log(): AsyncIterable<LogLine>;
  /** Everything that it keeps, by name, secrets and images included: what another cloud goes on from, in a store that holds it. */
  kept(): Promise<ReadonlyMap<string, Uint8Array>>;
  stop(): Promise<void>;
}

export type DemoDevice = { settings: Record<string, string>; devices: string[] };

export type Demo = Record<PlatformName, DemoDevice | null> & {
  alibaba_app: { settings: Record<string, string> } | null;
};

export type HandoverForm = "json" | "header" | "csv" | "nvs";

export type HandoverInput = {
  platform: PlatformName;
  /** What `Device.credential()` gave. */
  credential: string;
  form: HandoverForm;
  /** Of CSV and NVS; `muster` if none is given. */
  namespace?: string;
  /** Of the NVS partition: bytes, 0x6000 if none is given; format 1 or 2 (default). */
  size?: number;
  format?: number;
};

/** A file, the device's secret in it. */
export type Handover = HandoverOutput & { bytes: Uint8Array };

/** An image, what is where in it, and how many of its pages hold entries. */
export type NvsPartition = { bytes: Uint8Array; places: NvsPlace[]; pages: number; pages_used: number; read_only: boolean };

/** The calculators of `muster tool`; each result is the JSON of that tool. */
export interface Tools {
  cipher(input: CipherInput): Promise<CipherOutput>;
  /** A Wi-Fi password as a device in an access-point mode takes it, or back. */
  wifi(input: WifiInput): Promise<WifiOutput>;
  sign(request: SignInput): Promise<SignOutput>;
  credentials(input: CredentialsInput): Promise<CredentialsOutput>;
  credentialModes(): Promise<Record<PlatformName, CredentialMode[]>>;
  cmeiCheck(cmei: string): Promise<CmeiCheck>;
  cmeiBuild(parts: CmeiBuildInput): Promise<CmeiCheck>;
  cmeiBatch(parts: CmeiBatchInput): Promise<CmeiBatch>;
  imeiCheck(imei: string): Promise<ImeiCheck>;
  /** The image of an ESP32's NVS partition from Espressif's CSV. */
  nvs(input: { csv: string; size: number; format?: number }): Promise<NvsPartition>;
  /** A registered device's credentials as a file for firmware and flashers. */
  handover(input: HandoverInput): Promise<Handover>;
}
