// Made from the declarations in Rust by `cargo xtask types`. A test compares: do not edit.

export type Instant = number;

export type UnixTime = number;

export type StoreKey = "credential" | "schedule" | "firmware";

export type PlatformName = "ucloud" | "cmcc" | "krtyun" | "alibaba";

export type Identity = {
/**
 * The platform.
 */
platform: PlatformName,
/**
 * ProductSN, productId, ProductID or ProductKey.
 */
product: string,
/**
 * DeviceSN, deviceNo, DeviceID or DeviceName.
 */
device: string, };

export type Step = "connect_to_register" | "subscribe_for_secret" | "request_secret" | "store_secret" | "confirm_secret" | "leave_registration" | "login" | "subscribe" | "report_version" | "heartbeat" | "report_token" | "download" | "install" | "erase_secret" | "post_properties";

export type Due = "period" | "period_with_jitter" | "first_use_of_day" | "limit" | "keep_alive";

export type Failure = "dns" | "unreachable" | "tls" | "timed_out" | "lost" | "protocol" | "too_large" | "forbidden" | { "status": number };

export type LocalFailure = "store" | "install" | { "missing_setting": string };

export type CodecError = "not_json" | "not_an_object" | "not_utf8" | "too_long" | "too_deep" | { "missing": string } | { "invalid": string };

export type PeerMisbehaved = "wrong_request_id" | "unusable_secret" | "wrong_identity" | "forbidden_url" | "closed_early";

export type Rejected = { "how": "connack",
/**
 * 1 protocol version, 2 identifier, 3 unavailable, 4 bad user name or password, 5 not authorized.
 */
code: number, } | { "how": "suback",
/**
 * The topic filter that was refused.
 */
topic: string, } | { "how": "code",
/**
 * As sent, number or string.
 */
code: string,
/**
 * As sent, shortened, secrets masked.
 */
message: string, } | { "how": "http",
/**
 * The status code.
 */
status: number,
/**
 * The vendor's own text, if any, shortened, secrets masked.
 */
message: string, };

export type Error = { "blame": "codec",
/**
 * What is wrong with them.
 */
error: CodecError, } | { "blame": "peer_misbehaved",
/**
 * How.
 */
how: PeerMisbehaved, } | { "blame": "rejected",
/**
 * In the vendor's own code.
 */
by: Rejected, } | { "blame": "network",
/**
 * How.
 */
failure: Failure, } | { "blame": "no_reply",
/**
 * The step that waited.
 */
step: Step, } | { "blame": "local",
/**
 * What.
 */
failure: LocalFailure, };

export type Advice = "check_product_secret" | "import_device" | "already_registered" | "check_device" | "check_storage" | "check_network" | "ask_vendor";

export type UpdateFailure = "url" | { "refused": number } | { "download": Failure } | "size" | "digest" | "install";

export type Update = { "phase": "offered",
/**
 * What runs now.
 */
from: string,
/**
 * What is to run.
 */
to: string,
/**
 * Bytes, where announced.
 */
size: number | null, } | { "phase": "downloading",
/**
 * So far.
 */
received: number,
/**
 * In all, where known.
 */
total: number | null, } | { "phase": "verified",
/**
 * Whether there was a digest to compare with.
 */
digest: boolean, } | { "phase": "installed",
/**
 * The version before.
 */
from: string,
/**
 * The version now.
 */
to: string, } | { "phase": "reported",
/**
 * The version.
 */
version: string, } | { "phase": "failed",
/**
 * Why.
 */
reason: UpdateFailure, } | { "phase": "cancelled" };

export type Warning = { "kind": "ignored",
/**
 * Why.
 */
error: Error, } | { "kind": "product_id_as_device_number" } | { "kind": "imei_check_digit" } | { "kind": "clock_jumped" } | { "kind": "unprotected_image" } | { "kind": "subscribe_refused",
/**
 * Topic filter.
 */
topic: string, } | { "kind": "secret_configured" };

export type Event = { "event": "step",
/**
 * Which.
 */
step: Step, } | { "event": "registered",
/**
 * Who it is now.
 */
identity: Identity, } | { "event": "ready" } | { "event": "heartbeat",
/**
 * When the next one is due, by the monotonic clock.
 */
next: Instant | null,
/**
 * The same by the wall clock.
 */
next_unix: UnixTime | null,
/**
 * Why then.
 */
why: Due, } | { "event": "update",
/**
 * How.
 */
update: Update, } | { "event": "retrying",
/**
 * What.
 */
error: Error,
/**
 * How many tries have failed in a row.
 */
failures: number,
/**
 * When, from now.
 */
in_ms: number, } | { "event": "stopped",
/**
 * What.
 */
error: Error,
/**
 * What a person may want to do about it.
 */
advice: Advice, } | { "event": "warning",
/**
 * What.
 */
warning: Warning, } | { "event": "properties_set",
/**
 * JSON object of identifier and value.
 */
json: string, } | { "event": "properties_posted" } | { "event": "bind_token",
/**
 * 32 upper-case hex characters.
 */
token: string,
/**
 * How long the device stands by it.
 */
for_ms: number, } | { "event": "permit",
/**
 * Seconds: 0 always, 65535 closed.
 */
seconds: number,
/**
 * Only for this product.
 */
product: string | null, } | { "event": "topology",
/**
 * 0 added, 1 removed, 2 enabled, 8 disabled.
 */
status: number,
/**
 * `productKey` and `deviceName`, joined by `/`.
 */
devices: Array<string>, } | { "event": "scheduled",
/**
 * By the monotonic clock.
 */
next: Instant,
/**
 * The same by the wall clock.
 */
next_unix: UnixTime | null,
/**
 * Why then.
 */
why: Due, };

export type Intent = { "intent": "try_again" } | { "intent": "register_again" } | { "intent": "use",
/**
 * `yyyymmdd`.
 */
date: number, } | { "intent": "report" } | { "intent": "post_properties",
/**
 * JSON object.
 */
json: string, } | { "intent": "new_bind_token" } | { "intent": "request_firmware" };

export type Direction = "up" | "down";

export type PacketType = "CONNECT" | "CONNACK" | "PUBLISH" | "PUBACK" | "SUBSCRIBE" | "SUBACK" | "UNSUBSCRIBE" | "UNSUBACK" | "PINGREQ" | "PINGRESP" | "DISCONNECT" | "OTHER";

export type Payload = {
/**
 * Bytes.
 */
size: number,
/**
 * If it is UTF-8.
 */
text?: string,
/**
 * Whether it looks like JSON.
 */
json: boolean, };

export type MqttPacket = {
/**
 * Its kind.
 */
type: PacketType,
/**
 * Bytes on the wire.
 */
size: number,
/**
 * How many secrets are covered in it.
 */
masked: number,
/**
 * Packet identifier.
 */
packet_id?: number,
/**
 * Topic name, or the first topic filter.
 */
topic?: string,
/**
 * 0, 1 or 2: of a PUBLISH, or as requested by SUBSCRIBE.
 */
qos?: number,
/**
 * Retain flag.
 */
retain?: boolean,
/**
 * Sent before.
 */
dup?: boolean,
/**
 * ClientID.
 */
client_id?: string,
/**
 * User name.
 */
username?: string,
/**
 * Password, covered unless a person asked.
 */
password?: string,
/**
 * Seconds.
 */
keep_alive?: number,
/**
 * Clean session.
 */
clean_session?: boolean,
/**
 * Of CONNACK; of SUBACK the granted QoS, or 128.
 */
return_code?: number,
/**
 * Which entry it answers.
 */
of?: number,
/**
 * Milliseconds after that one.
 */
latency?: number,
/**
 * Of PUBLISH.
 */
payload?: Payload, };

export type TroubleReason = "mixed_content" | "cors" | "unreachable" | "not_websocket" | "refused_by_policy" | "bad_url" | "timed_out" | "lost" | "closed" | "relay_off" | "relay_token" | "relay_host" | "relay_address" | "relay_redirect" | "relay_dns" | "relay_refused" | "relay_tls" | "relay_timed_out" | "relay_limit" | "relay_failed";

export type Trouble = {
/**
 * The kind.
 */
reason: TroubleReason,
/**
 * Where to.
 */
url: string,
/**
 * More, for a person.
 */
detail?: string, };

export type HttpMessage = {
/**
 * Of a request.
 */
method?: string,
/**
 * Of a request.
 */
url?: string,
/**
 * Of a response; 0 if none came.
 */
status?: number,
/**
 * Name and value.
 */
headers: Array<[string, string]>,
/**
 * Bytes of the body.
 */
size: number,
/**
 * How many secrets are covered in it.
 */
masked: number,
/**
 * The body.
 */
payload?: Payload,
/**
 * What a signed request was signed over.
 */
string_to_sign?: string,
/**
 * Why no response came.
 */
trouble?: Trouble,
/**
 * Of a request. True: it went by the relay of the page's own server.
 */
relay?: boolean, };

export type StoreAction = "put" | "erase";

export type Success = "done" | "failed";

export type FaultKey = "credential" | "schedule" | "firmware" | "version";

export type FaultWhen = "before" | "after";

export type FaultMessage = "connect" | "connack" | "publish" | "puback" | "subscribe" | "suback" | "pingreq" | "pingresp" | "request" | "response" | "event";

export type FaultMatch = {
/**
 * Its kind.
 */
message: FaultMessage,
/**
 * Of `publish` and `puback`: which way; down if absent.
 */
direction?: Direction,
/**
 * Of `publish`, `subscribe`: a part of the topic.
 */
topic?: string,
/**
 * Of `request`, `response`: a part of the path.
 */
path?: string,
/**
 * A part of the payload or the body.
 */
text?: string,
/**
 * Of `event`: its name, such as `ready`; or, of a step, the step's, such as `step:store_secret`.
 */
event?: string, };

export type Fault = { "fault": "lose" } | { "fault": "delay",
/**
 * Milliseconds.
 */
ms: number, } | { "fault": "duplicate" } | { "fault": "reorder" } | { "fault": "wrong_id" } | { "fault": "refuse",
/**
 * 1 to 5; of SUBACK 128.
 */
code: number, } | { "fault": "vendor_code",
/**
 * As the vendor writes it.
 */
code: string, } | { "fault": "status",
/**
 * 100 to 599.
 */
status: number,
/**
 * And this body; none if absent.
 */
body?: string, } | { "fault": "clock_skew",
/**
 * Milliseconds; below zero it is slow.
 */
ms: number, } | { "fault": "clock_jump",
/**
 * Milliseconds; below zero it jumps back.
 */
ms: number, } | { "fault": "no_clock" } | { "fault": "network_loss",
/**
 * For so many milliseconds.
 */
ms: number, } | { "fault": "broker_restart",
/**
 * For so many milliseconds.
 */
ms: number, } | { "fault": "power_cut",
/**
 * When a value is stored under this name, instead of at a message.
 */
key?: FaultKey,
/**
 * Just before it is stored, or just after, when the device has not heard of it yet.
 */
when: FaultWhen,
/**
 * The power is back after so many milliseconds; it stays away if absent.
 */
restart_ms?: number, } | { "fault": "store_fail",
/**
 * Under which name.
 */
key: FaultKey, } | { "fault": "download_corrupt",
/**
 * How many.
 */
bytes: number,
/**
 * After so many that are right.
 */
after: number, } | { "fault": "download_truncate",
/**
 * After so many bytes.
 */
after: number, } | { "fault": "download_break",
/**
 * After so many bytes.
 */
after: number, } | { "fault": "download_stall",
/**
 * After so many bytes.
 */
after: number,
/**
 * Milliseconds.
 */
ms: number, } | { "fault": "download_slow",
/**
 * Bytes a second.
 */
bytes_per_s: number, } | { "fault": "download_status",
/**
 * 300 to 599.
 */
status: number, };

export type FaultTimes = number | "always";

export type WholeFaultRule = {
/**
 * Of the rules of a device, each has its own.
 */
id: string,
/**
 * To what, or when. Absent: to whatever the fault is about, or at once.
 */
on?: FaultMatch,
/**
 * From 1.
 */
nth: number,
/**
 * From 1.
 */
every: number,
/**
 * 0 to 1.
 */
chance: number,
/**
 * Of the chance.
 */
seed: number,
/**
 * How often.
 */
times: FaultTimes, } & ({ "fault": "lose" } | { "fault": "delay",
/**
 * Milliseconds.
 */
ms: number, } | { "fault": "duplicate" } | { "fault": "reorder" } | { "fault": "wrong_id" } | { "fault": "refuse",
/**
 * 1 to 5; of SUBACK 128.
 */
code: number, } | { "fault": "vendor_code",
/**
 * As the vendor writes it.
 */
code: string, } | { "fault": "status",
/**
 * 100 to 599.
 */
status: number,
/**
 * And this body; none if absent.
 */
body?: string, } | { "fault": "clock_skew",
/**
 * Milliseconds; below zero it is slow.
 */
ms: number, } | { "fault": "clock_jump",
/**
 * Milliseconds; below zero it jumps back.
 */
ms: number, } | { "fault": "no_clock" } | { "fault": "network_loss",
/**
 * For so many milliseconds.
 */
ms: number, } | { "fault": "broker_restart",
/**
 * For so many milliseconds.
 */
ms: number, } | { "fault": "power_cut",
/**
 * When a value is stored under this name, instead of at a message.
 */
key?: FaultKey,
/**
 * Just before it is stored, or just after, when the device has not heard of it yet.
 */
when: FaultWhen,
/**
 * The power is back after so many milliseconds; it stays away if absent.
 */
restart_ms?: number, } | { "fault": "store_fail",
/**
 * Under which name.
 */
key: FaultKey, } | { "fault": "download_corrupt",
/**
 * How many.
 */
bytes: number,
/**
 * After so many that are right.
 */
after: number, } | { "fault": "download_truncate",
/**
 * After so many bytes.
 */
after: number, } | { "fault": "download_break",
/**
 * After so many bytes.
 */
after: number, } | { "fault": "download_stall",
/**
 * After so many bytes.
 */
after: number,
/**
 * Milliseconds.
 */
ms: number, } | { "fault": "download_slow",
/**
 * Bytes a second.
 */
bytes_per_s: number, } | { "fault": "download_status",
/**
 * 300 to 599.
 */
status: number, });

export type ArmedFault = {
/**
 * How many messages or moments it has met.
 */
seen: number,
/**
 * How often it struck.
 */
struck: number,
/**
 * Of the rules of a device, each has its own.
 */
id: string,
/**
 * To what, or when. Absent: to whatever the fault is about, or at once.
 */
on?: FaultMatch,
/**
 * From 1.
 */
nth: number,
/**
 * From 1.
 */
every: number,
/**
 * 0 to 1.
 */
chance: number,
/**
 * Of the chance.
 */
seed: number,
/**
 * How often.
 */
times: FaultTimes, } & ({ "fault": "lose" } | { "fault": "delay",
/**
 * Milliseconds.
 */
ms: number, } | { "fault": "duplicate" } | { "fault": "reorder" } | { "fault": "wrong_id" } | { "fault": "refuse",
/**
 * 1 to 5; of SUBACK 128.
 */
code: number, } | { "fault": "vendor_code",
/**
 * As the vendor writes it.
 */
code: string, } | { "fault": "status",
/**
 * 100 to 599.
 */
status: number,
/**
 * And this body; none if absent.
 */
body?: string, } | { "fault": "clock_skew",
/**
 * Milliseconds; below zero it is slow.
 */
ms: number, } | { "fault": "clock_jump",
/**
 * Milliseconds; below zero it jumps back.
 */
ms: number, } | { "fault": "no_clock" } | { "fault": "network_loss",
/**
 * For so many milliseconds.
 */
ms: number, } | { "fault": "broker_restart",
/**
 * For so many milliseconds.
 */
ms: number, } | { "fault": "power_cut",
/**
 * When a value is stored under this name, instead of at a message.
 */
key?: FaultKey,
/**
 * Just before it is stored, or just after, when the device has not heard of it yet.
 */
when: FaultWhen,
/**
 * The power is back after so many milliseconds; it stays away if absent.
 */
restart_ms?: number, } | { "fault": "store_fail",
/**
 * Under which name.
 */
key: FaultKey, } | { "fault": "download_corrupt",
/**
 * How many.
 */
bytes: number,
/**
 * After so many that are right.
 */
after: number, } | { "fault": "download_truncate",
/**
 * After so many bytes.
 */
after: number, } | { "fault": "download_break",
/**
 * After so many bytes.
 */
after: number, } | { "fault": "download_stall",
/**
 * After so many bytes.
 */
after: number,
/**
 * Milliseconds.
 */
ms: number, } | { "fault": "download_slow",
/**
 * Bytes a second.
 */
bytes_per_s: number, } | { "fault": "download_status",
/**
 * 300 to 599.
 */
status: number, });

export type Link = "opening" | "open" | "closed";

export type What = { "kind": "event",
/**
 * Which.
 */
event: Event, } | { "kind": "app_event",
/**
 * Which.
 */
event: AppEvent, } | { "kind": "reply",
/**
 * Which.
 */
call: CallName,
/**
 * What came of it; a key is covered.
 */
result: CallResult, } | { "kind": "mqtt",
/**
 * Which way.
 */
direction: Direction,
/**
 * As a person reads it.
 */
packet: MqttPacket, } | { "kind": "http",
/**
 * Which way.
 */
direction: Direction,
/**
 * As a person reads it.
 */
message: HttpMessage,
/**
 * A response: which entry it answers.
 */
of?: number,
/**
 * A response: milliseconds after that one.
 */
latency?: number, } | { "kind": "store",
/**
 * Which of the two.
 */
action: StoreAction,
/**
 * Under which name.
 */
key: StoreKey,
/**
 * Bytes.
 */
size: number,
/**
 * What came of it.
 */
outcome: Success,
/**
 * Why not.
 */
reason?: string,
/**
 * Milliseconds it took.
 */
latency: number, } | { "kind": "install",
/**
 * Which version.
 */
version: string,
/**
 * Bytes.
 */
size: number,
/**
 * Lower-case hex.
 */
sha256: string,
/**
 * What came of it.
 */
outcome: Success,
/**
 * Why not.
 */
reason?: string, } | { "kind": "link",
/**
 * What happened to it.
 */
what: Link,
/**
 * Where to.
 */
url: string,
/**
 * What was found out about a failure.
 */
trouble?: Trouble,
/**
 * True: not straight to that address, but by the relay of the page's own server.
 */
relay?: boolean, } | { "kind": "fault",
/**
 * Which rule.
 */
rule: string,
/**
 * What was done.
 */
done: Fault,
/**
 * What became what.
 */
detail?: string,
/**
 * Of a message: which way.
 */
direction?: Direction,
/**
 * Done to this packet.
 */
packet?: MqttPacket,
/**
 * Done to this request or response.
 */
message?: HttpMessage, } | { "kind": "misuse",
/**
 * What.
 */
message: string, };

export type Entry = {
/**
 * 1, 2, 3 …
 */
seq: number,
/**
 * Milliseconds since the device was started.
 */
at: number,
/**
 * Milliseconds since 1970.
 */
unix: number, } & ({ "kind": "event",
/**
 * Which.
 */
event: Event, } | { "kind": "app_event",
/**
 * Which.
 */
event: AppEvent, } | { "kind": "reply",
/**
 * Which.
 */
call: CallName,
/**
 * What came of it; a key is covered.
 */
result: CallResult, } | { "kind": "mqtt",
/**
 * Which way.
 */
direction: Direction,
/**
 * As a person reads it.
 */
packet: MqttPacket, } | { "kind": "http",
/**
 * Which way.
 */
direction: Direction,
/**
 * As a person reads it.
 */
message: HttpMessage,
/**
 * A response: which entry it answers.
 */
of?: number,
/**
 * A response: milliseconds after that one.
 */
latency?: number, } | { "kind": "store",
/**
 * Which of the two.
 */
action: StoreAction,
/**
 * Under which name.
 */
key: StoreKey,
/**
 * Bytes.
 */
size: number,
/**
 * What came of it.
 */
outcome: Success,
/**
 * Why not.
 */
reason?: string,
/**
 * Milliseconds it took.
 */
latency: number, } | { "kind": "install",
/**
 * Which version.
 */
version: string,
/**
 * Bytes.
 */
size: number,
/**
 * Lower-case hex.
 */
sha256: string,
/**
 * What came of it.
 */
outcome: Success,
/**
 * Why not.
 */
reason?: string, } | { "kind": "link",
/**
 * What happened to it.
 */
what: Link,
/**
 * Where to.
 */
url: string,
/**
 * What was found out about a failure.
 */
trouble?: Trouble,
/**
 * True: not straight to that address, but by the relay of the page's own server.
 */
relay?: boolean, } | { "kind": "fault",
/**
 * Which rule.
 */
rule: string,
/**
 * What was done.
 */
done: Fault,
/**
 * What became what.
 */
detail?: string,
/**
 * Of a message: which way.
 */
direction?: Direction,
/**
 * Done to this packet.
 */
packet?: MqttPacket,
/**
 * Done to this request or response.
 */
message?: HttpMessage, } | { "kind": "misuse",
/**
 * What.
 */
message: string, });

export type NextWhy = "reply" | "retry" | "heartbeat" | "token" | "update" | "clock" | "keep_alive";

export type Next = {
/**
 * When: milliseconds since 1970.
 */
at: number,
/**
 * Why.
 */
why: NextWhy, };

export type ReplayInput = { "input": "birth",
/**
 * What was on its storage.
 */
stored: Array<StoreKey>, } | { "input": "snapshot" } | { "input": "timeout" } | { "input": "connected",
/**
 * Of which command.
 */
token: number, } | { "input": "closed",
/**
 * Of which command.
 */
token: number,
/**
 * CONNACK's code.
 */
code: number | null,
/**
 * What failed.
 */
failure: Failure | null, } | { "input": "message",
/**
 * Topic name.
 */
topic: string,
/**
 * Payload.
 */
payload: Payload, } | { "input": "acked",
/**
 * Of which command.
 */
token: number,
/**
 * The granted QoS of a subscription.
 */
qos: number | null,
/**
 * The subscription was refused.
 */
refused: boolean, } | { "input": "response",
/**
 * Of which command.
 */
token: number,
/**
 * Status code.
 */
status: number,
/**
 * Name and value.
 */
headers: Array<[string, string]>,
/**
 * Body.
 */
payload: Payload, } | { "input": "no_response",
/**
 * Of which command.
 */
token: number,
/**
 * Why.
 */
failure: Failure, } | { "input": "stored",
/**
 * Of which command.
 */
token: number,
/**
 * Why not.
 */
failure: LocalFailure | null, } | { "input": "progress",
/**
 * Of which command.
 */
token: number,
/**
 * Bytes.
 */
received: number,
/**
 * In all.
 */
total: number | null, } | { "input": "downloaded",
/**
 * Of which command.
 */
token: number,
/**
 * Bytes.
 */
size: number,
/**
 * Lower-case hex.
 */
sha256: string, } | { "input": "download_failed",
/**
 * Of which command.
 */
token: number,
/**
 * Why.
 */
failure: Failure, } | { "input": "installed",
/**
 * Of which command.
 */
token: number,
/**
 * Why not.
 */
failure: LocalFailure | null, } | { "input": "user",
/**
 * What, in the words of the API.
 */
intent: string,
/**
 * Properties to post.
 */
json: string | null, } | { "input": "unknown" };

export type ReplayOutput = { "output": "connect",
/**
 * Which command it is.
 */
token: number,
/**
 * Where to.
 */
url: string,
/**
 * ClientID.
 */
client_id: string,
/**
 * User name.
 */
username: string,
/**
 * Covered.
 */
password: string,
/**
 * Seconds.
 */
keep_alive: number, } | { "output": "close",
/**
 * That of the connect.
 */
token: number, } | { "output": "subscribe",
/**
 * Which command it is.
 */
token: number,
/**
 * Topic filter.
 */
topic: string,
/**
 * QoS.
 */
qos: number, } | { "output": "publish",
/**
 * Which command it is.
 */
token: number,
/**
 * Topic name.
 */
topic: string,
/**
 * QoS.
 */
qos: number,
/**
 * Payload.
 */
payload: Payload, } | { "output": "request",
/**
 * Which command it is.
 */
token: number,
/**
 * Method.
 */
method: string,
/**
 * URL.
 */
url: string,
/**
 * Name and value.
 */
headers: Array<[string, string]>,
/**
 * Body.
 */
payload: Payload,
/**
 * What it was signed over.
 */
string_to_sign: string | null, } | { "output": "store",
/**
 * Which command it is.
 */
token: number,
/**
 * Under which name.
 */
key: StoreKey,
/**
 * The value.
 */
payload: Payload, } | { "output": "erase",
/**
 * Which command it is.
 */
token: number,
/**
 * Under which name.
 */
key: StoreKey, } | { "output": "download",
/**
 * Which command it is.
 */
token: number,
/**
 * From where.
 */
url: string,
/**
 * Announced.
 */
size: number | null,
/**
 * Version.
 */
version: string, } | { "output": "cancel_download",
/**
 * That of the download.
 */
token: number, } | { "output": "install",
/**
 * Which command it is.
 */
token: number,
/**
 * Version.
 */
version: string,
/**
 * Lower-case hex.
 */
sha256: string, } | { "output": "event",
/**
 * What.
 */
event: Event, } | { "output": "timeout",
/**
 * By the monotonic clock; null: not at all.
 */
mono: number | null,
/**
 * What for.
 */
why: NextWhy | null, } | { "output": "unknown" };

export type ReplayField = {
/**
 * Its name in the code.
 */
name: string,
/**
 * Its value; null: it is not there any more.
 */
value: string | null,
/**
 * Whether this step changed it.
 */
changed: boolean,
/**
 * Its value before, if the step changed it; null: it was not there.
 */
before: string | null, };

export type ReplayPlace = {
/**
 * 0: before the first input; then the number of the input.
 */
at: number,
/**
 * Milliseconds by the monotonic clock.
 */
mono: number,
/**
 * Milliseconds since 1970, where the device knew.
 */
unix: number | null,
/**
 * What came.
 */
input: ReplayInput,
/**
 * The agent did not take it: why.
 */
refused: string | null,
/**
 * What the agent said. The last one is the time-out.
 */
outputs: Array<ReplayOutput>,
/**
 * Whether it said the same when it was recorded; null: nobody kept that.
 */
same: boolean | null,
/**
 * What it said then, where it said something else and that was kept.
 */
recorded: Array<ReplayOutput> | null,
/**
 * The word for what is awaited.
 */
word: string,
/**
 * The state.
 */
state: Array<ReplayField>, };

export type ReplayMark = {
/**
 * Milliseconds by the monotonic clock.
 */
mono: number,
/**
 * The number of the timeline's last entry when it came; 0 if there is none.
 */
seq: number,
/**
 * What kind of input.
 */
input: string, };

export type ReplayCheck = {
/**
 * Which cloud.
 */
platform: PlatformName,
/**
 * The version of the code that was recorded.
 */
core: string,
/**
 * The version of this code.
 */
this: string,
/**
 * Secrets were replaced by stand-ins.
 */
covered: boolean,
/**
 * How many inputs came before, and were let go.
 */
dropped: number,
/**
 * How many inputs there are.
 */
length: number,
/**
 * The first step at which this build says something else; null: none.
 */
differs: number | null,
/**
 * At how many steps nobody kept what was said.
 */
unknown: number, };

export type FleetState = "waiting" | "registering" | "login" | "online" | "retrying" | "rejected" | "failed" | "off" | "beyond" | "taken";

export type FleetCounts = { waiting: number, registering: number, login: number, online: number, retrying: number, rejected: number, failed: number, off: number, beyond: number, taken: number, };

export type FleetPhase = "idle" | "running" | "paused";

export type FleetQuantiles = {
/**
 * How often.
 */
count: number,
/**
 * The median.
 */
p50: number,
/**
 * 95 of 100 took at most this.
 */
p95: number,
/**
 * 99 of 100 took at most this.
 */
p99: number,
/**
 * The longest.
 */
max: number, };

export type FleetLatency = {
/**
 * Since the run began.
 */
all: FleetQuantiles,
/**
 * Since it was last told.
 */
recent: FleetQuantiles, };

export type FleetLatencies = {
/**
 * From the beginning of a handshake to the open WebSocket.
 */
connect: FleetLatency,
/**
 * From the beginning of its first handshake or request until the secret is stored.
 */
register: FleetLatency,
/**
 * From the beginning of the login's handshake (or of the first report, where there is no session) to `ready`.
 */
login: FleetLatency,
/**
 * From a report to its answer.
 */
report: FleetLatency, };

export type FleetRoom = {
/**
 * In use: open, on their way, or closing.
 */
used: number,
/**
 * Of these on their way.
 */
pending: number,
/**
 * Devices that wait for one.
 */
waiting: number,
/**
 * So many there may be; 0: there is no limit.
 */
most: number, };

export type FleetCause = {
/**
 * The first of its kind.
 */
error: Error,
/**
 * What a second look at the network said.
 */
trouble: TroubleReason | null,
/**
 * What a person may want to do; none: it is tried again by itself.
 */
advice: Advice | null,
/**
 * Devices that are held up by it now.
 */
devices: number,
/**
 * How often it happened.
 */
times: number,
/**
 * The device that it happened to first.
 */
example: string,
/**
 * When it happened first and last: milliseconds since 1970.
 */
first: number,
/**
 * See `first`.
 */
last: number, };

export type FleetStatus = {
/**
 * Milliseconds since 1970.
 */
unix: number,
/**
 * Milliseconds since the run began.
 */
at: number,
/**
 * What it does.
 */
phase: FleetPhase,
/**
 * Devices in the list.
 */
devices: number,
/**
 * How many are where.
 */
counts: FleetCounts,
/**
 * How many were ready at any time of this run.
 */
readied: number,
/**
 * How many got their secret in this run.
 */
registered: number,
/**
 * When the last of `readied` came, in milliseconds since the run began.
 */
readied_at: number,
/**
 * Reports that were accepted.
 */
reports: number,
/**
 * Reports that were due before the one before was answered.
 */
reports_late: number,
/**
 * Times that an online device was not online any more, unless it was asked to.
 */
lost: number,
/**
 * Milliseconds until the next one tries again, if any waits.
 */
retry_in: number | null,
/**
 * WebSockets.
 */
sockets: FleetRoom,
/**
 * HTTP requests.
 */
requests: FleetRoom,
/**
 * How long things take.
 */
latency: FleetLatencies,
/**
 * Failures by their causes, the most frequent first.
 */
causes: Array<FleetCause>,
/**
 * Failures of more kinds than are kept apart.
 */
other_causes: number,
/**
 * WebAssembly memory, in bytes.
 */
memory: number, };

export type FleetRow = {
/**
 * Its place in the list: 0, 1, 2 …
 */
n: number,
/**
 * As its cloud calls it.
 */
name: string,
/**
 * Its line in the list that it came from; 0: it came from none.
 */
line: number,
/**
 * Where it is.
 */
state: FleetState,
/**
 * Whether it got its secret in this run (`now`) or had it (`before`); empty as long as that is not known.
 */
registered: "" | "now" | "before",
/**
 * Since when it is there: milliseconds since 1970.
 */
since: number,
/**
 * When it tries again, in the same way.
 */
retry_at: number | null,
/**
 * What holds it up.
 */
error: Error | null,
/**
 * What a second look at the network said of it.
 */
trouble: TroubleReason | null,
/**
 * What a person may want to do about it.
 */
advice: Advice | null,
/**
 * Reports that were accepted.
 */
reports: number, };

export type FleetRows = {
/**
 * How many there are in all that were asked for.
 */
total: number,
/**
 * Those of the part that was asked for.
 */
rows: Array<FleetRow>, };

export type FleetProblem = {
/**
 * As editors count.
 */
line: number,
/**
 * The setting, where it is one.
 */
key: string,
/**
 * What would be right.
 */
problem: string, };

export type DeviceName = {
/**
 * ProductKey.
 */
product_key: string,
/**
 * DeviceName.
 */
device_name: string, };

export type CallName = "list" | "filter" | "token_check" | "token_bind" | "window_bind" | "cipher" | "permit" | "topo_remove" | "refresh";

export type ParameterError = {
/**
 * Which, by the document's name.
 */
parameter: string,
/**
 * What would be right.
 */
problem: string, };

export type AppStep = "list" | "filter" | "cipher" | "token" | "bind";

export type BindFailure = { "why": "call",
/**
 * How.
 */
error: Error, } | { "why": "parameter",
/**
 * Which.
 */
error: ParameterError, } | { "why": "nothing_to_bind" } | { "why": "not_among_them" } | { "why": "password" } | { "why": "no_token" } | { "why": "no_window" };

export type Bindable = {
/**
 * As asked.
 */
device: DeviceName,
/**
 * The product's name.
 */
product_name: string | null,
/**
 * 0 LoRa, 3 Wi-Fi, 4 Zigbee, 5 Bluetooth, 6 cellular, 7 Ethernet, 8 other.
 */
net_type: number | null,
/**
 * 0 device, 1 gateway.
 */
node_type: number | null,
/**
 * The category's identifier.
 */
category_key: string | null,
/**
 * The category's name.
 */
category_name: string | null,
/**
 * The category's number.
 */
category_id: number | null, };

export type DiscoveredDevice = {
/**
 * The device to be provisioned.
 */
enrollee: DeviceName,
/**
 * Its iotId.
 */
enrollee_iot_id: string | null,
/**
 * Its product's name.
 */
enrollee_product_name: string | null,
/**
 * The device that discovered it.
 */
registrar: DeviceName | null,
/**
 * That one's iotId.
 */
registrar_iot_id: string | null,
/**
 * That one's product's name.
 */
registrar_product_name: string | null,
/**
 * Router.
 */
bssid: string | null,
/**
 * Hotspot.
 */
ssid: string | null,
/**
 * Hotspot.
 */
rssi: string | null,
/**
 * The kind of the discovering device: 0 device, 1 router.
 */
kind: number | null,
/**
 * 0 initial, 1 being provisioned.
 */
status: number | null,
/**
 * Date or milliseconds, as sent.
 */
created: string | null,
/**
 * Date or milliseconds, as sent.
 */
modified: string | null, };

export type Discovered = {
/**
 * On all pages.
 */
total: number,
/**
 * On this page.
 */
items: Array<DiscoveredDevice>, };

export type TokenHolder = {
/**
 * The device.
 */
device: DeviceName,
/**
 * Its iotId.
 */
iot_id: string, };

export type AppEvent = { "event": "step",
/**
 * Which.
 */
step: AppStep, } | { "event": "discovered",
/**
 * Each.
 */
devices: Array<DeviceName>, } | { "event": "filtered",
/**
 * Each.
 */
devices: Array<Bindable>, } | { "event": "chosen",
/**
 * Which.
 */
device: DeviceName, } | { "event": "key_ready",
/**
 * For which device.
 */
device: DeviceName, } | { "event": "waiting",
/**
 * Milliseconds that are left.
 */
for_ms: number, } | { "event": "token_known",
/**
 * The device's iotId.
 */
iot_id: string, } | { "event": "bound",
/**
 * Which device.
 */
device: DeviceName,
/**
 * Its iotId.
 */
iot_id: string, } | { "event": "failed",
/**
 * In which step.
 */
step: AppStep,
/**
 * Why.
 */
failure: BindFailure, } | { "event": "cancelled" } | { "event": "retrying",
/**
 * Which.
 */
call: CallName,
/**
 * What happened.
 */
error: Error,
/**
 * How many tries have failed.
 */
failures: number,
/**
 * When, from now.
 */
in_ms: number, };

export type AppReply = { "reply": "discovered",
/**
 * The page.
 */
page: Discovered, } | { "reply": "filtered",
/**
 * Those that can be bound.
 */
devices: Array<Bindable>, } | { "reply": "token",
/**
 * Whose.
 */
holder: TokenHolder, } | { "reply": "bound",
/**
 * The device's.
 */
iot_id: string, } | { "reply": "key",
/**
 * AES-128.
 */
key: string, } | { "reply": "done" };

export type CallResult = { "ok": AppReply } | { "error": Error };

export type Action = { "action": "create_product",
/**
 * A name for people.
 */
name?: string,
/**
 * ProductSN, productId, ProductID or ProductKey.
 */
id?: string,
/**
 * ProductSecret or productKey.
 */
secret?: string,
/**
 * Switches and settings of the product, by the platform's names, as [`Action::Switch`] takes them.
 */
switches?: { [key in string]: string }, } | { "action": "list_products",
/**
 * With their secrets.
 */
reveal?: boolean, } | { "action": "import_devices",
/**
 * The product.
 */
product: string,
/**
 * CSV, RFC 4180.
 */
csv: string, } | { "action": "list_devices",
/**
 * The product.
 */
product: string,
/**
 * Only names after this one.
 */
after?: string,
/**
 * At most this many; 100 if absent, 1,000 at most.
 */
limit?: number,
/**
 * With their secrets.
 */
reveal?: boolean, } | { "action": "get_devices",
/**
 * The product.
 */
product: string,
/**
 * Their names, at most 1,000.
 */
devices: Array<string>,
/**
 * With their secrets.
 */
reveal?: boolean, } | { "action": "switch",
/**
 * The product.
 */
product?: string,
/**
 * Name, by the platform's documentation.
 */
name: string,
/**
 * `true`, `false`, or a value.
 */
value: string, } | { "action": "disable",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string,
/**
 * Whether it is to be forbidden.
 */
disabled: boolean, } | { "action": "reset",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string,
/**
 * Whether it is to get a new secret; this voids the one in the field.
 */
new_secret?: boolean, } | { "action": "delete_device",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string, } | { "action": "add_firmware",
/**
 * The product.
 */
product: string,
/**
 * UCloud's module; `default` if absent.
 */
module?: string,
/**
 * The version that the image is.
 */
version: string,
/**
 * Where devices fetch it.
 */
url: string,
/**
 * Bytes.
 */
size: number,
/**
 * Lower-case hex.
 */
md5: string,
/**
 * Lower-case hex.
 */
sha256: string, } | { "action": "list_firmware",
/**
 * The product.
 */
product: string, } | { "action": "push_upgrade",
/**
 * The product.
 */
product: string,
/**
 * UCloud's module; `default` if absent.
 */
module?: string,
/**
 * The version.
 */
version: string,
/**
 * These devices; all of the product if absent.
 */
devices?: Array<string>, } | { "action": "cancel_upgrade",
/**
 * The product.
 */
product: string,
/**
 * UCloud's module; `default` if absent.
 */
module?: string,
/**
 * These devices; all of the product if absent.
 */
devices?: Array<string>, } | { "action": "list_upgrades",
/**
 * The product.
 */
product: string, } | { "action": "set_properties",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string,
/**
 * JSON object of identifier and value.
 */
json: string, } | { "action": "list_reports",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string, } | { "action": "create_owner",
/**
 * Who.
 */
identity: string, } | { "action": "list_owners",
/**
 * With their tokens.
 */
reveal?: boolean, } | { "action": "add_topology",
/**
 * The gateway's product.
 */
product: string,
/**
 * The gateway.
 */
device: string,
/**
 * The sub-device's product.
 */
sub_product: string,
/**
 * The sub-device.
 */
sub_device: string, } | { "action": "remove_topology",
/**
 * The gateway's product.
 */
product: string,
/**
 * The gateway.
 */
device: string,
/**
 * The sub-device's product.
 */
sub_product: string,
/**
 * The sub-device.
 */
sub_device: string, } | { "action": "list_topology" } | { "action": "list_bind_tokens",
/**
 * With the tokens: who knows one can take the device.
 */
reveal?: boolean, } | { "action": "permit",
/**
 * The gateway's product.
 */
product: string,
/**
 * The gateway.
 */
device: string,
/**
 * Only for sub-devices of this product.
 */
sub_product?: string,
/**
 * 0 always, 1–65534 seconds, 65535 closed.
 */
seconds: number, };

export type Operation = {
/**
 * Whose cloud.
 */
platform: PlatformName, } & ({ "action": "create_product",
/**
 * A name for people.
 */
name?: string,
/**
 * ProductSN, productId, ProductID or ProductKey.
 */
id?: string,
/**
 * ProductSecret or productKey.
 */
secret?: string,
/**
 * Switches and settings of the product, by the platform's names, as [`Action::Switch`] takes them.
 */
switches?: { [key in string]: string }, } | { "action": "list_products",
/**
 * With their secrets.
 */
reveal?: boolean, } | { "action": "import_devices",
/**
 * The product.
 */
product: string,
/**
 * CSV, RFC 4180.
 */
csv: string, } | { "action": "list_devices",
/**
 * The product.
 */
product: string,
/**
 * Only names after this one.
 */
after?: string,
/**
 * At most this many; 100 if absent, 1,000 at most.
 */
limit?: number,
/**
 * With their secrets.
 */
reveal?: boolean, } | { "action": "get_devices",
/**
 * The product.
 */
product: string,
/**
 * Their names, at most 1,000.
 */
devices: Array<string>,
/**
 * With their secrets.
 */
reveal?: boolean, } | { "action": "switch",
/**
 * The product.
 */
product?: string,
/**
 * Name, by the platform's documentation.
 */
name: string,
/**
 * `true`, `false`, or a value.
 */
value: string, } | { "action": "disable",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string,
/**
 * Whether it is to be forbidden.
 */
disabled: boolean, } | { "action": "reset",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string,
/**
 * Whether it is to get a new secret; this voids the one in the field.
 */
new_secret?: boolean, } | { "action": "delete_device",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string, } | { "action": "add_firmware",
/**
 * The product.
 */
product: string,
/**
 * UCloud's module; `default` if absent.
 */
module?: string,
/**
 * The version that the image is.
 */
version: string,
/**
 * Where devices fetch it.
 */
url: string,
/**
 * Bytes.
 */
size: number,
/**
 * Lower-case hex.
 */
md5: string,
/**
 * Lower-case hex.
 */
sha256: string, } | { "action": "list_firmware",
/**
 * The product.
 */
product: string, } | { "action": "push_upgrade",
/**
 * The product.
 */
product: string,
/**
 * UCloud's module; `default` if absent.
 */
module?: string,
/**
 * The version.
 */
version: string,
/**
 * These devices; all of the product if absent.
 */
devices?: Array<string>, } | { "action": "cancel_upgrade",
/**
 * The product.
 */
product: string,
/**
 * UCloud's module; `default` if absent.
 */
module?: string,
/**
 * These devices; all of the product if absent.
 */
devices?: Array<string>, } | { "action": "list_upgrades",
/**
 * The product.
 */
product: string, } | { "action": "set_properties",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string,
/**
 * JSON object of identifier and value.
 */
json: string, } | { "action": "list_reports",
/**
 * The product.
 */
product: string,
/**
 * The device.
 */
device: string, } | { "action": "create_owner",
/**
 * Who.
 */
identity: string, } | { "action": "list_owners",
/**
 * With their tokens.
 */
reveal?: boolean, } | { "action": "add_topology",
/**
 * The gateway's product.
 */
product: string,
/**
 * The gateway.
 */
device: string,
/**
 * The sub-device's product.
 */
sub_product: string,
/**
 * The sub-device.
 */
sub_device: string, } | { "action": "remove_topology",
/**
 * The gateway's product.
 */
product: string,
/**
 * The gateway.
 */
device: string,
/**
 * The sub-device's product.
 */
sub_product: string,
/**
 * The sub-device.
 */
sub_device: string, } | { "action": "list_topology" } | { "action": "list_bind_tokens",
/**
 * With the tokens: who knows one can take the device.
 */
reveal?: boolean, } | { "action": "permit",
/**
 * The gateway's product.
 */
product: string,
/**
 * The gateway.
 */
device: string,
/**
 * Only for sub-devices of this product.
 */
sub_product?: string,
/**
 * 0 always, 1–65534 seconds, 65535 closed.
 */
seconds: number, });

export type ProductView = {
/**
 * ProductSN, productId, ProductID or ProductKey.
 */
id: string,
/**
 * A name for people.
 */
name: string,
/**
 * Only if asked for.
 */
secret: string | null,
/**
 * Switches and settings by the platform's names.
 */
switches: { [key in string]: string },
/**
 * How many devices it has.
 */
devices: number,
/**
 * Firmware versions known.
 */
firmware: Array<string>, };

export type DeviceView = {
/**
 * DeviceSN, deviceNo, DeviceID or DeviceName.
 */
name: string,
/**
 * `inactive`, `offline`, `online` or `disabled`.
 */
state: string,
/**
 * Only if asked for, and there is one.
 */
secret: string | null,
/**
 * The firmware version last reported.
 */
version: string | null,
/**
 * Unix milliseconds of the last sign of life.
 */
last_active: number | null,
/**
 * More, by the platform's names: iotId, deviceId, number type, …
 */
more: { [key in string]: string }, };

export type RejectedRow = {
/**
 * Counted from 1, the row of names included.
 */
line: number,
/**
 * Why.
 */
reason: string, };

export type UpgradeView = {
/**
 * The device.
 */
device: string,
/**
 * UCloud's module.
 */
module: string | null,
/**
 * The target version.
 */
version: string,
/**
 * `pending`, `sent`, `downloading`, `upgrading`, `succeeded`, `failed` or `cancelled`.
 */
state: string,
/**
 * Percent, or the reason of a failure.
 */
detail: string, };

export type ReportView = {
/**
 * Unix milliseconds.
 */
at: number,
/**
 * JSON.
 */
json: string, };

export type OwnerView = {
/**
 * Who.
 */
identity: string,
/**
 * The home.
 */
home_id: string,
/**
 * Only if asked for, or just made.
 */
iot_token: string | null,
/**
 * What an app gets another `iotToken` with; only if asked for, or just made.
 */
refresh_token: string | null,
/**
 * Unix milliseconds until which the `iotToken` is good.
 */
iot_token_until: number,
/**
 * Unix milliseconds until which another one can be got.
 */
refresh_token_until: number,
/**
 * `productKey/deviceName` of bound devices.
 */
devices: Array<string>, };

export type FirmwareView = {
/**
 * UCloud's and Alibaba's module; absent for the default one.
 */
module: string | null,
/**
 * The version that it is.
 */
version: string,
/**
 * Bytes.
 */
size: number,
/**
 * Lower-case hex.
 */
md5: string,
/**
 * Lower-case hex.
 */
sha256: string,
/**
 * Where devices fetch it.
 */
url: string, };

export type PermitView = {
/**
 * Only for sub-devices of this product.
 */
product: string | null,
/**
 * Unix milliseconds; absent: always.
 */
until: number | null, };

export type SubDeviceView = {
/**
 * Its ProductKey.
 */
product: string,
/**
 * Its DeviceName.
 */
device: string,
/**
 * As in [`DeviceView::state`].
 */
state: string, };

export type GatewayView = {
/**
 * Its ProductKey.
 */
product: string,
/**
 * Its DeviceName.
 */
device: string,
/**
 * As in [`DeviceView::state`].
 */
state: string,
/**
 * Who owns it.
 */
owner: string | null,
/**
 * Whether sub-devices may join.
 */
permit: PermitView | null,
/**
 * Its sub-devices.
 */
subs: Array<SubDeviceView>, };

export type BindTokenView = {
/**
 * Its ProductKey.
 */
product: string,
/**
 * Its DeviceName.
 */
device: string,
/**
 * Its token, if it reported one that is good; shown only if asked for.
 */
token: string | null,
/**
 * Unix milliseconds until which its token is good.
 */
token_until: number | null,
/**
 * Unix milliseconds until which it can be bound by time window.
 */
window_until: number | null,
/**
 * Whether an operator announced it.
 */
announced: boolean, };

export type OperationResult = { "result": "done" } | { "result": "product" } & ProductView | { "result": "products",
/**
 * Each.
 */
items: Array<ProductView>, } | { "result": "devices",
/**
 * How many the product has.
 */
total: number,
/**
 * Those asked for.
 */
items: Array<DeviceView>, } | { "result": "imported",
/**
 * New devices.
 */
added: number,
/**
 * Devices that were there already.
 */
existing: number,
/**
 * Rows that could not be taken, by line, with the reason.
 */
rejected: Array<RejectedRow>, } | { "result": "firmware",
/**
 * Each.
 */
items: Array<FirmwareView>, } | { "result": "upgrades",
/**
 * Each.
 */
items: Array<UpgradeView>, } | { "result": "ordered",
/**
 * Devices.
 */
devices: number, } | { "result": "reports",
/**
 * Each.
 */
items: Array<ReportView>, } | { "result": "owners",
/**
 * Each.
 */
items: Array<OwnerView>, } | { "result": "topology",
/**
 * Each, at most 1,000.
 */
items: Array<GatewayView>, } | { "result": "bind_tokens",
/**
 * Each, at most 1,000; those announced first, then as they reported.
 */
items: Array<BindTokenView>, };

export type OperationErrorKind = "not_found" | "exists" | "invalid" | "full" | "unsupported";

export type OperationError = {
/**
 * The kind of refusal.
 */
kind: OperationErrorKind,
/**
 * For a person, with the next move.
 */
message: string, };

export type LogWhat = "accepted" | "refused" | "secret_issued" | "activated" | "offline" | "closed" | "dropped" | "reported" | "update" | "bound" | "operated";

export type LogEntry = {
/**
 * Whose.
 */
platform: PlatformName,
/**
 * `product/device`, or a part of it, or empty.
 */
subject: string,
/**
 * What, in a word.
 */
what: LogWhat,
/**
 * For a person.
 */
detail: string, };

export type LogLine = {
/**
 * 1, 2, 3 …
 */
seq: number,
/**
 * Milliseconds since 1970.
 */
unix: number,
/**
 * Whose.
 */
platform: PlatformName,
/**
 * `product/device`, or a part of it, or empty.
 */
subject: string,
/**
 * What, in a word.
 */
what: LogWhat,
/**
 * For a person.
 */
detail: string, };

export type ToolStep = {
/**
 * What it is.
 */
name: string,
/**
 * It.
 */
value: string, };

export type NvsPlace = {
/**
 * Page, from 0.
 */
page: number,
/**
 * Entry in the page, from 0.
 */
entry: number,
/**
 * Where its first byte lies in the image.
 */
offset: number,
/**
 * How many entries of 32 bytes it takes.
 */
span: number,
/**
 * Empty for the entry of a namespace itself.
 */
namespace: string,
/**
 * Key, or the name of the namespace.
 */
key: string,
/**
 * `namespace`, `u8`, …, `string`, `blob`, `blob_data`, `blob_index`.
 */
kind: string,
/**
 * Bytes of the value; of a string with the zero behind it.
 */
bytes: number, };

export type HandoverOutput = {
/**
 * What to call it: platform and device, and the ending of its form.
 */
file: string,
/**
 * Its media type.
 */
media_type: string,
/**
 * Names of what it holds.
 */
names: Array<string>,
/**
 * Of NVS: what is written where.
 */
places: Array<NvsPlace>,
/**
 * What a person should know before using it.
 */
notes: Array<ToolStep>, };

export type CipherInput = {
/**
 * 3 by product, 4 by device, 6 Bluetooth by product, 7 Bluetooth by device.
 */
type: number,
/**
 * ProductSecret (3, 6) or DeviceSecret (4, 7).
 */
secret: string,
/**
 * 32 hex characters.
 */
random: string,
/**
 * MAC address as printed, for types 6 and 7.
 */
mac?: string, };

export type CipherOutput = {
/**
 * 64 hex characters.
 */
sha256: string,
/**
 * 32 hex characters: the first half.
 */
key: string,
/**
 * How.
 */
steps: Array<ToolStep>, };

export type WifiInput = {
/**
 * AES-128, 32 hex characters: what `/awss/cipher/get` returns.
 */
key: string,
/**
 * 32 hex characters: the initialisation vector.
 */
random: string,
/**
 * As a person types it.
 */
password?: string,
/**
 * Encrypted, hex.
 */
passwd?: string, };

export type WifiOutput = {
/**
 * As a person types it.
 */
password: string,
/**
 * Upper-case hex, as the device takes it.
 */
passwd: string,
/**
 * How.
 */
steps: Array<ToolStep>, };

export type SignInput = {
/**
 * `HmacSHA256` if absent, or `HmacSHA1`.
 */
algorithm?: string,
/**
 * AppSecret.
 */
secret: string,
/**
 * `POST` if absent.
 */
method?: string,
/**
 * Beginning with `/`.
 */
path: string,
/**
 * Name and value.
 */
query: Array<[string, string]>,
/**
 * Name and value, of a form body.
 */
form: Array<[string, string]>,
/**
 * Name and value.
 */
headers: Array<[string, string]>,
/**
 * Any other body.
 */
body?: string, };

export type SignOutput = {
/**
 * What is signed.
 */
string_to_sign: string,
/**
 * Of a body that is no form; null if there is none.
 */
content_md5: string | null,
/**
 * `X-Ca-Signature`.
 */
signature: string,
/**
 * `X-Ca-Signature-Headers`.
 */
signature_headers: string,
/**
 * Something that the gateway will refuse.
 */
warning: string | null,
/**
 * How.
 */
steps: Array<ToolStep>, };

export type CredentialsInput = {
/**
 * The platform.
 */
platform: PlatformName,
/**
 * One of [`credential_modes`], or another name that the vendor's papers use for it.
 */
mode: string,
/**
 * By any spelling of their names: `product_sn`, `ProductSN` and `productSn` are one.
 */
settings: { [key in string]: string }, };

export type CredentialsOutput = {
/**
 * ClientID.
 */
client_id?: string,
/**
 * User name.
 */
username?: string,
/**
 * Password.
 */
password?: string,
/**
 * Where the body is posted to.
 */
path?: string,
/**
 * What the password or the signature is the HMAC of.
 */
string_to_sign?: string,
/**
 * The signature in the body.
 */
sign?: string,
/**
 * The body.
 */
body?: string,
/**
 * How.
 */
steps: Array<ToolStep>, };

export type CredentialMode = {
/**
 * Its name.
 */
mode: string,
/**
 * Which settings it needs.
 */
settings: Array<string>,
/**
 * Which it also takes.
 */
optional: Array<string>, };

export type CmeiBuildInput = {
/**
 * 8 digits.
 */
tui: string,
/**
 * 0 to 999999.
 */
serial: number,
/**
 * The last digit: `0` to `9`, `luhn` (if absent) or `random`.
 */
digit?: string, };

export type CmeiBatchInput = {
/**
 * 8 digits.
 */
tui: string,
/**
 * The first serial number.
 */
first: number,
/**
 * How many.
 */
count: number,
/**
 * The last digit: `0` to `9`, `luhn` (if absent) or `random`.
 */
digit?: string, };

export type Parts = {
/**
 * 8 digits that China Mobile gave out.
 */
tui: string,
/**
 * 6 digits.
 */
serial: string,
/**
 * The last digit.
 */
free_digit: number,
/**
 * What it would be by Luhn.
 */
luhn_digit: number,
/**
 * Whether it is.
 */
luhn: boolean, };

export type CmeiCheck = {
/**
 * As given.
 */
cmei: string,
/**
 * Whether the platform takes it.
 */
valid: boolean,
/**
 * Why, or why not, where there is something to say.
 */
why?: string,
/**
 * 8 digits that China Mobile gave out.
 */
tui: string,
/**
 * 6 digits.
 */
serial: string,
/**
 * The last digit.
 */
free_digit: number,
/**
 * What it would be by Luhn.
 */
luhn_digit: number,
/**
 * Whether it is.
 */
luhn: boolean, };

export type CmeiBatch = {
/**
 * How many.
 */
count: number,
/**
 * They.
 */
cmeis: Array<string>, };

export type ImeiCheck = {
/**
 * As given.
 */
imei: string,
/**
 * Whether it is one.
 */
valid: boolean,
/**
 * Why not.
 */
why?: string,
/**
 * Names the model.
 */
tac?: string,
/**
 * 6 digits.
 */
serial?: string,
/**
 * The last digit.
 */
check_digit?: number,
/**
 * What it should be.
 */
luhn_digit?: number,
/**
 * Whether it is.
 */
luhn?: boolean, };
