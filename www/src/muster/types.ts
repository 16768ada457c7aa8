// What the page and the WebAssembly side tell each other.
//
// The data types are the serde forms of src/output.rs, src/error.rs, src/cloud.rs, src/cloud/operation.rs and
// src/platform/alibaba/app/*.rs. The API is what index.ts of this folder exports.

// ---------- data ----------

export type PlatformName = "ucloud" | "cmcc" | "krtyun" | "alibaba";

export type Step =
  | "connect_to_register"
  | "subscribe_for_secret"
  | "request_secret"
  | "store_secret"
  | "confirm_secret"
  | "leave_registration"
  | "login"
  | "subscribe"
  | "report_version"
  | "heartbeat"
  | "report_token"
  | "download"
  | "install"
  | "erase_secret"
  | "post_properties";

export type Due = "period" | "period_with_jitter" | "first_use_of_day" | "limit" | "keep_alive";

export type Timer = "reply" | "retry" | "heartbeat" | "token" | "update" | "clock";

export type Failure =
  | "dns"
  | "unreachable"
  | "tls"
  | "timed_out"
  | "lost"
  | "protocol"
  | "too_large"
  | "forbidden"
  | { status: number };

export type CodecError =
  | "not_json"
  | "not_an_object"
  | "not_utf8"
  | "too_long"
  | "too_deep"
  | { missing: string }
  | { invalid: string };

export type PeerMisbehaved =
  | "wrong_request_id"
  | "unusable_secret"
  | "wrong_identity"
  | "forbidden_url"
  | "closed_early";

export type Rejected =
  | { how: "connack"; code: number }
  | { how: "suback"; topic: string }
  | { how: "code"; code: string; message: string }
  | { how: "http"; status: number; message: string };

export type LocalFailure = "store" | "install" | { missing_setting: string };

export type Error =
  | { blame: "codec"; error: CodecError }
  | { blame: "peer_misbehaved"; how: PeerMisbehaved }
  | { blame: "rejected"; by: Rejected }
  | { blame: "network"; failure: Failure }
  | { blame: "no_reply"; step: Step }
  | { blame: "local"; failure: LocalFailure };

export type Advice =
  | "check_product_secret"
  | "import_device"
  | "already_registered"
  | "check_device"
  | "check_storage"
  | "check_network"
  | "ask_vendor";

export type UpdateFailure =
  | "url"
  | { refused: number }
  | { download: Failure }
  | "size"
  | "digest"
  | "install";

export type Update =
  | { phase: "offered"; from: string; to: string; size: number | null }
  | { phase: "downloading"; received: number; total: number | null }
  | { phase: "verified"; digest: boolean }
  | { phase: "installed"; from: string; to: string }
  | { phase: "reported"; version: string }
  | { phase: "failed"; reason: UpdateFailure }
  | { phase: "cancelled" };

export type Warning =
  | { kind: "ignored"; error: Error }
  | { kind: "product_id_as_device_number" }
  | { kind: "imei_check_digit" }
  | { kind: "clock_jumped" }
  | { kind: "unprotected_image" }
  | { kind: "subscribe_refused"; topic: string }
  | { kind: "secret_configured" };

export type Identity = { platform: PlatformName; product: string; device: string };

export type Event =
  | { event: "step"; step: Step }
  | { event: "registered"; identity: Identity }
  | { event: "ready" }
  | { event: "heartbeat"; next: number | null; next_unix: number | null; why: Due }
  | { event: "update"; update: Update }
  | { event: "retrying"; error: Error; failures: number; in_ms: number }
  | { event: "stopped"; error: Error; advice: Advice }
  | { event: "warning"; warning: Warning }
  | { event: "properties_set"; json: string }
  | { event: "properties_posted" }
  | { event: "bind_token"; token: string; for_ms: number }
  | { event: "permit"; seconds: number; product: string | null }
  | { event: "topology"; status: number; devices: string[] }
  | { event: "scheduled"; next: number; next_unix: number | null; why: Due };

// The owner's app (Alibaba).

export type CallName =
  | "list"
  | "filter"
  | "token_check"
  | "token_bind"
  | "window_bind"
  | "cipher"
  | "permit"
  | "topo_remove"
  | "refresh";

export type DeviceNameOf = { product_key: string; device_name: string };

export type Bindable = {
  device: DeviceNameOf;
  product_name: string | null;
  net_type: number | null;
  node_type: number | null;
  category_key: string | null;
  category_name: string | null;
  category_id: number | null;
};

export type AppStep = "list" | "filter" | "cipher" | "token" | "bind";

export type BindFailure =
  | { why: "call"; error: Error }
  | { why: "parameter"; error: { parameter: string; problem: string } }
  | { why: "nothing_to_bind" }
  | { why: "not_among_them" }
  | { why: "password" }
  | { why: "no_token" }
  | { why: "no_window" };

export type AppEvent =
  | { event: "step"; step: AppStep }
  | { event: "discovered"; devices: DeviceNameOf[] }
  | { event: "filtered"; devices: Bindable[] }
  | { event: "chosen"; device: DeviceNameOf }
  | { event: "key_ready"; device: DeviceNameOf }
  | { event: "waiting"; for_ms: number }
  | { event: "token_known"; iot_id: string }
  | { event: "bound"; device: DeviceNameOf; iot_id: string }
  | { event: "failed"; step: AppStep; failure: BindFailure }
  | { event: "cancelled" }
  | { event: "retrying"; call: CallName; error: Error; failures: number; in_ms: number };

/** What a call gave, as JSON; its shape depends on the call. */
export type AppReply = unknown;

// Operators.

export type Action =
  | { action: "create_product"; name?: string; id?: string; secret?: string; switches?: Record<string, string> }
  | { action: "list_products"; reveal?: boolean }
  | { action: "import_devices"; product: string; csv: string }
  | { action: "list_devices"; product: string; after?: string; limit?: number; reveal?: boolean }
  | { action: "switch"; product?: string; name: string; value: string }
  | { action: "disable"; product: string; device: string; disabled: boolean }
  | { action: "reset"; product: string; device: string; new_secret?: boolean }
  | { action: "delete_device"; product: string; device: string }
  | { action: "push_upgrade"; product: string; module?: string; version: string; devices?: string[] }
  | { action: "cancel_upgrade"; product: string; module?: string; devices?: string[] }
  | { action: "list_upgrades"; product: string }
  | { action: "set_properties"; product: string; device: string; json: string }
  | { action: "list_reports"; product: string; device: string }
  | { action: "create_owner"; identity: string }
  | { action: "list_owners"; reveal?: boolean }
  | { action: "add_topology"; product: string; device: string; sub_product: string; sub_device: string }
  | { action: "permit"; product: string; device: string; sub_product?: string; seconds: number };

export type Operation = { platform: PlatformName } & Action;

export type ProductView = {
  id: string;
  name: string;
  secret: string | null;
  switches: Record<string, string>;
  devices: number;
  firmware: string[];
};

export type DeviceView = {
  name: string;
  /** `inactive`, `offline`, `online` or `disabled`. */
  state: string;
  secret: string | null;
  version: string | null;
  last_active: number | null;
  more: Record<string, string>;
};

export type UpgradeView = {
  device: string;
  module: string | null;
  version: string;
  /** `pending`, `sent`, `downloading`, `upgrading`, `succeeded`, `failed` or `cancelled`. */
  state: string;
  detail: string;
};

export type ReportView = { at: number; json: string };

export type OwnerView = {
  identity: string;
  home_id: string;
  iot_token: string | null;
  refresh_token: string | null;
  devices: string[];
};

export type RejectedRow = { line: number; reason: string };

export type OperationResult =
  | { result: "done" }
  | ({ result: "product" } & ProductView)
  | { result: "products"; items: ProductView[] }
  | { result: "devices"; total: number; items: DeviceView[] }
  | { result: "imported"; added: number; existing: number; rejected: RejectedRow[] }
  | { result: "upgrades"; items: UpgradeView[] }
  | { result: "ordered"; devices: number }
  | { result: "reports"; items: ReportView[] }
  | { result: "owners"; items: OwnerView[] };

/** What a line of a cloud's log is about. */
export type LogWhat =
  | "accepted"
  | "refused"
  | "secret_issued"
  | "activated"
  | "offline"
  | "closed"
  | "dropped"
  | "reported"
  | "update"
  | "bound"
  | "operated";

export type LogLine = {
  seq: number;
  unix: number;
  platform: PlatformName;
  subject: string;
  what: LogWhat;
  detail: string;
};

// ---------- timelines ----------

/** One line of a device's or app's timeline. Secrets in it are overwritten with `*`, one for each byte. */
export type Entry = {
  /** 1, 2, 3 … in this device's life. */
  seq: number;
  /** Milliseconds since the device was started, fractional. */
  at: number;
  /** The same by the wall clock. */
  unix: number;
} & What;

export type What =
  | { kind: "event"; event: Event }
  | { kind: "app_event"; event: AppEvent }
  | { kind: "reply"; call: CallName; result: { ok: AppReply } | { error: Error } }
  | { kind: "mqtt"; direction: "up" | "down"; packet: MqttPacket }
  | { kind: "http"; direction: "up" | "down"; message: HttpMessage; of?: number; latency?: number }
  | {
      kind: "store";
      action: "put" | "erase";
      key: "credential" | "schedule" | "firmware";
      size: number;
      outcome: "done" | "failed";
      reason?: string;
      latency: number;
    }
  | { kind: "install"; version: string; size: number; sha256: string; outcome: "done" | "failed"; reason?: string }
  | { kind: "link"; what: "opening" | "open" | "closed"; url: string; trouble?: Trouble }
  | { kind: "misuse"; message: string };

export type MqttPacketType =
  | "CONNECT"
  | "CONNACK"
  | "PUBLISH"
  | "PUBACK"
  | "SUBSCRIBE"
  | "SUBACK"
  | "UNSUBSCRIBE"
  | "UNSUBACK"
  | "PINGREQ"
  | "PINGRESP"
  | "DISCONNECT"
  | "OTHER";

export type MqttPacket = {
  type: MqttPacketType;
  /** Bytes on the wire. */
  size: number;
  /** How many secrets are overwritten in it. */
  masked: number;
  packet_id?: number;
  topic?: string;
  qos?: number;
  retain?: boolean;
  dup?: boolean;
  client_id?: string;
  username?: string;
  password?: string;
  keep_alive?: number;
  clean_session?: boolean;
  /** CONNACK, SUBACK. */
  return_code?: number;
  /** `seq` of the packet that this one answers. */
  of?: number;
  /** Milliseconds after `of`. */
  latency?: number;
  payload?: Payload;
};

export type HttpMessage = {
  method?: string;
  url?: string;
  status?: number;
  headers: [string, string][];
  size: number;
  masked: number;
  payload?: Payload;
  /** Alibaba's signed calls, masked. */
  string_to_sign?: string;
};

/** `text` is UTF-8, masked; absent if binary. */
export type Payload = { size: number; text?: string; json?: boolean };

/** What a browser hides, found out by a second look. */
export type Trouble = {
  reason:
    | "mixed_content"
    | "cors"
    | "unreachable"
    | "not_websocket"
    | "refused_by_policy"
    | "bad_url"
    | "timed_out"
    | "lost"
    | "closed";
  url: string;
  detail?: string;
};

// ---------- API ----------

export type LoadOptions = { worker?: string | URL; wasm?: string | URL };

export type Load = (options?: LoadOptions) => Promise<Muster>;

export interface Muster {
  device(options: DeviceOptions): Promise<Device>;
  app(options: AppOptions): Promise<App>;
  cloud(options?: CloudOptions): Promise<Cloud>;
  readonly tools: Tools;
  /** Settles when the instance has died. Everything of it is over; load a new one. */
  readonly died: Promise<globalThis.Error>;
  close(): void;
}

export type Storage = "memory" | "browser";

export type DeviceOptions = {
  platform: PlatformName;
  settings: Record<string, string>;
  /** Where secrets go. `memory` (default): gone with the page. `browser`: IndexedDB, under `name`. */
  storage?: Storage;
  name?: string;
  /** The cloud in this tab instead of the network. */
  cloud?: Cloud;
};

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
  /** Logs out and frees everything. */
  stop(): Promise<void>;
  /** Ends at once, without a word and without waiting. */
  cutPower(): Promise<void>;
}

/** `at` in Unix milliseconds. */
export type NextWhy = Timer | "keep_alive";
export type Next = { at: number; why: NextWhy };

export type Intent =
  | { intent: "try_again" }
  | { intent: "register_again" }
  | { intent: "use"; date: number }
  | { intent: "report" }
  | { intent: "post_properties"; json: string }
  | { intent: "new_bind_token" }
  | { intent: "request_firmware" };

export type AppOptions = { settings: Record<string, string>; cloud?: Cloud };

export interface App extends AsyncIterable<Entry> {
  call(call: AppCall): Promise<AppReply>;
  /** Its progress comes as entries of kind `app_event`. */
  bind(plan: AppBindPlan): Promise<void>;
  /** The device announced it. */
  bindToken(token: string): Promise<void>;
  cancel(): Promise<void>;
  packet(seq: number, options?: { reveal?: boolean }): Promise<PacketLook | undefined>;
  stop(): Promise<void>;
}

export type AppCall =
  | { call: "list"; page_size?: number; page_num?: number }
  | { call: "filter"; devices: DeviceNameOf[]; scope_all?: boolean }
  | { call: "token_check"; token: string; product_key?: string; device_name?: string }
  | { call: "token_bind"; device: DeviceNameOf; token: string; home_id?: string }
  | { call: "window_bind"; device: DeviceNameOf; home_id?: string }
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

export type AppBindPlan = {
  devices: DeviceNameOf[];
  scope_all?: boolean;
  by: "token" | "window";
  token?: string;
  home_id?: string;
  cipher?: { type: number; random?: string; mac?: string; product_id?: string; ssid?: string; password?: string };
};

export type CloudOptions = { storage?: Storage; name?: string };

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
  stop(): Promise<void>;
}

export type DemoDevice = { settings: Record<string, string>; devices: string[] };

export type Demo = Record<PlatformName, DemoDevice | null> & {
  alibaba_app: { settings: Record<string, string> } | null;
};

export type ToolStep = { name: string; value: string };

export type Credentials = {
  client_id: string | null;
  username: string | null;
  password: string | null;
  steps: ToolStep[];
};

/** The calculators of `muster tool`; each result is the JSON of that tool. */
export interface Tools {
  cipher(input: {
    type: number;
    secret: string;
    random: string;
    mac?: string;
  }): Promise<{ sha256: string; key: string; steps: ToolStep[] }>;
  sign(
    request: unknown,
  ): Promise<{ string_to_sign: string; content_md5: string | null; signature: string; steps: ToolStep[] }>;
  credentials(input: {
    platform: PlatformName;
    mode: string;
    settings: Record<string, string>;
  }): Promise<Credentials>;
  credentialModes(): Promise<Record<PlatformName, { mode: string; settings: string[] }[]>>;
  cmeiCheck(cmei: string): Promise<unknown>;
  cmeiBuild(parts: unknown): Promise<unknown>;
  cmeiBatch(parts: unknown): Promise<unknown>;
  imeiCheck(imei: string): Promise<unknown>;
}
