// What can be set, by the platforms' own names. Types, defaults and ranges are those of src/platform/*/config.rs.

import type { PlatformName } from "../muster/types";
import { isSecretSetting } from "./mask";

export type Both = { en: string; zh: string };
export type Group = "who" | "where" | "firmware" | "report" | "login" | "timing" | "assumed";
export const GROUPS: readonly Group[] = ["who", "where", "login", "report", "firmware", "timing", "assumed"];

export type Kind =
  | { type: "text" }
  | { type: "secret" }
  | { type: "url"; schemes: readonly string[] }
  | { type: "number"; min: number; max: number }
  | { type: "choice"; values: readonly string[] }
  | { type: "flag" };

export type Setting = {
  key: string;
  /** As the vendor's document calls it. */
  vendor: string;
  group: Group;
  kind: Kind;
  /** What holds if nothing is set. */
  default?: string;
  required?: boolean;
  help: Both;
};

const text: Kind = { type: "text" };
const secret: Kind = { type: "secret" };
const flag: Kind = { type: "flag" };
const number = (min: number, max: number): Kind => ({ type: "number", min, max });
const choice = (...values: string[]): Kind => ({ type: "choice", values });
const BROKER: Kind = { type: "url", schemes: ["wss", "ws", "mqtts", "mqtt"] };
const HTTP: Kind = { type: "url", schemes: ["https", "http"] };

const brokerHelp: Both = {
  en: "A browser itself opens WebSockets alone: ws:// or wss://. mqtt:// and mqtts:// go by the relay.",
  zh: "浏览器自身只能建立 WebSocket 连接：ws:// 或 wss://；mqtt:// 和 mqtts:// 须经中继。",
};
const ownSecret: Both = {
  en: "The device's own secret, where it is known already: then nothing is registered, and it beats a stored one.",
  zh: "设备自己的密钥（已知时填写）：填写后不再注册，并且优先于已保存的密钥。",
};
const versionHelp: Both = { en: "What the device says it runs.", zh: "设备上报的当前版本。" };
const maxSize: Both = { en: "Bytes. A larger image is not fetched.", zh: "字节。超过此大小的固件不会下载。" };
const timeout: Both = {
  en: "Milliseconds that an answer is waited for.",
  zh: "等待应答的时间，单位毫秒。",
};
const retries: Both = {
  en: "How often a request without an answer is repeated before the device stops and asks a person.",
  zh: "请求没有应答时的重试次数；用完后设备停下，等待人工处理。",
};
const matching: Both = {
  en: "Assumed, because the vendor's pictures are missing. Off: any issue is taken.",
  zh: "厂商文档缺图，此为假定。关闭后接受任意颁发报文。",
};
const tableHelp: Both = {
  en: "Assumed name in the registration's bodies. The cloud has to use the same.",
  zh: "注册报文中的假定名称，须与云端一致。",
};

export const SETTINGS: Record<PlatformName, readonly Setting[]> = {
  ucloud: [
    { key: "product_sn", vendor: "ProductSN", group: "who", kind: text, required: true, help: { en: "4 to 24 letters, digits, - and _; the console gives it out.", zh: "4 到 24 位字母、数字、- 或 _，由控制台分配。" } },
    { key: "product_secret", vendor: "ProductSecret", group: "who", kind: secret, help: { en: "Needed to register dynamically (one secret for each product).", zh: "动态注册（一型一密）时必填。" } },
    { key: "device_sn", vendor: "DeviceSN", group: "who", kind: text, required: true, help: { en: "4 to 64 letters, digits, - _ @ and :; imported on the console, unless pre-registration is off.", zh: "4 到 64 位字母、数字、- _ @ 或 :；除非关闭了预注册，否则需先在控制台导入。" } },
    { key: "device_secret", vendor: "DeviceSecret", group: "who", kind: secret, help: ownSecret },
    { key: "broker", vendor: "MQTT broker", group: "where", kind: BROKER, required: true, help: brokerHelp },
    { key: "keep_alive", vendor: "Keep Alive", group: "timing", kind: number(30, 1200), default: "240", help: { en: "Seconds. The platform refuses anything but 30 to 1200.", zh: "秒。平台只接受 30 到 1200。" } },
    { key: "firmware_version", vendor: "Version", group: "firmware", kind: text, default: "1.0.0", help: versionHelp },
    { key: "module", vendor: "Module", group: "firmware", kind: text, default: "default", help: { en: "The firmware module that this device is.", zh: "设备的固件模块名。" } },
    { key: "firmware_max_size", vendor: "–", group: "firmware", kind: number(1, 4294967296), default: "10485760", help: maxSize },
    { key: "reply_timeout_ms", vendor: "–", group: "timing", kind: number(1000, 600000), default: "10000", help: timeout },
    { key: "request_retries", vendor: "–", group: "timing", kind: number(0, 10), default: "3", help: retries },
    { key: "credential_retries", vendor: "–", group: "timing", kind: number(0, 100), default: "10", help: { en: "How often the connection may break during one registration before the device stops.", zh: "一次注册过程中允许断线的次数，超过后设备停下。" } },
  ],
  cmcc: [
    { key: "product_id", vendor: "productId", group: "who", kind: text, required: true, help: { en: "13 digits, from the platform.", zh: "13 位数字，由平台分配。" } },
    { key: "product_key", vendor: "productKey", group: "who", kind: secret, required: true, help: { en: "The product's secret, shown beside its id.", zh: "产品密钥，与产品 ID 一同显示。" } },
    { key: "device_no_type", vendor: "deviceNoType", group: "who", kind: choice("SN", "IMEI", "CMEI"), default: "SN", help: { en: "IMEI for cellular products, CMEI or SN for others.", zh: "蜂窝产品用 IMEI，其他产品用 CMEI 或 SN。" } },
    { key: "device_no", vendor: "deviceNo", group: "who", kind: text, help: { en: "The number that was imported on the platform.", zh: "在平台导入的设备号。" } },
    { key: "device_no_from", vendor: "–", group: "who", kind: choice("setting", "product_id"), default: "setting", help: { en: "product_id: the product's id serves as number. The vendor does not recommend it.", zh: "product_id：用产品 ID 作设备号，厂商不推荐。" } },
    { key: "environment", vendor: "–", group: "where", kind: choice("production", "test", "local"), default: "production", help: { en: "The document's two addresses; local needs a base URL.", zh: "文档给出的两个地址；选 local 时必须填写基础 URL。" } },
    { key: "base_url", vendor: "–", group: "where", kind: HTTP, help: { en: "Takes the place of the environment's address. A browser reaches it if the server lets web pages in (CORS), or by the relay.", zh: "代替环境的默认地址。服务器须允许网页跨域访问（CORS），或经中继访问。" } },
    { key: "strategy", vendor: "–", group: "report", kind: choice("interval", "daily"), default: "interval", help: { en: "interval: every 12 hours or so. daily: at the first use of a day.", zh: "interval：约每 12 小时一次。daily：每天首次使用时。" } },
    { key: "interval_s", vendor: "–", group: "report", kind: number(1, 86400), default: "43200", help: { en: "Seconds from one report to the next.", zh: "两次上报的间隔，单位秒。" } },
    { key: "jitter_s", vendor: "–", group: "report", kind: number(0, 43200), default: "900", help: { en: "Random seconds, so that a fleet does not report in one minute.", zh: "随机偏移秒数，避免大量设备同时上报。" } },
    { key: "limit_s", vendor: "–", group: "report", kind: number(10, 86400), default: "86400", help: { en: "At the latest after this many seconds; the vendor says a day.", zh: "最迟上报时间，单位秒；厂商要求 24 小时内。" } },
    { key: "cellular", vendor: "–", group: "report", kind: flag, default: "false", help: { en: "Whether it is a cellular product: then it needs an imei, else a cmei.", zh: "是否蜂窝产品：是则须有 imei，否则须有 cmei。" } },
    { key: "imei", vendor: "imei", group: "report", kind: text, help: { en: "15 digits; empty if it cannot be read.", zh: "15 位数字；读不到时留空。" } },
    { key: "cmei", vendor: "cmei", group: "report", kind: text, help: { en: "15 digits that begin with 11; empty if it cannot be read.", zh: "以 11 开头的 15 位数字；读不到时留空。" } },
    { key: "mac", vendor: "mac", group: "report", kind: text, help: { en: "Sent as 50-5A-65-51-82-13, however it is written here.", zh: "无论此处如何书写，都按 50-5A-65-51-82-13 格式上报。" } },
    { key: "inner_ip", vendor: "innerIp", group: "report", kind: text, default: "127.0.0.1", help: { en: "Up to 16 addresses with commas between them.", zh: "最多 16 个地址，用逗号分隔。" } },
    { key: "net_type", vendor: "netType", group: "report", kind: text, default: "wifi", help: { en: "Sent as it is.", zh: "原样上报。" } },
    { key: "net_speed", vendor: "netSpeed", group: "report", kind: text, default: "0Mbps", help: { en: "The document's own value for “unknown” is 0Mbps.", zh: "未知时按文档填 0Mbps。" } },
    { key: "os", vendor: "platform", group: "report", kind: text, default: "RTOS", help: { en: "The device's operating system.", zh: "设备的操作系统。" } },
    { key: "sdk_version", vendor: "sdkVersion", group: "report", kind: text, default: "ai_http_1.0", help: { en: "Has to begin with ai_.", zh: "必须以 ai_ 开头。" } },
    { key: "firmware_version", vendor: "firmwareVersion", group: "report", kind: text, default: "1.0.0", help: versionHelp },
    { key: "reply_timeout_ms", vendor: "–", group: "timing", kind: number(100, 600000), default: "15000", help: timeout },
    { key: "request_retries", vendor: "–", group: "timing", kind: number(0, 100), default: "3", help: retries },
  ],
  krtyun: [
    { key: "product_id", vendor: "ProductID", group: "who", kind: text, required: true, help: { en: "One level of a topic: no /, + or #.", zh: "主题中的一级，不能含 /、+、#。" } },
    { key: "product_secret", vendor: "ProductSecret", group: "who", kind: secret, help: { en: "Needed to register, unless the device's own secret is given.", zh: "注册时必填；已填写设备密钥时可省略。" } },
    { key: "device_id", vendor: "DeviceID", group: "who", kind: text, required: true, help: { en: "One level of a topic. With AutoCreate the cloud makes unknown ones.", zh: "主题中的一级。开启 AutoCreate 时云端会自动创建。" } },
    { key: "device_secret", vendor: "DeviceSecret", group: "who", kind: secret, help: ownSecret },
    { key: "broker", vendor: "MQTT broker", group: "where", kind: BROKER, required: true, help: brokerHelp },
    { key: "hardware_version", vendor: "HW_VERSION", group: "firmware", kind: text, default: "1.0.0", help: { en: "As reported.", zh: "上报的硬件版本。" } },
    { key: "firmware_version", vendor: "FW_VERSION", group: "firmware", kind: text, default: "1.0.0", help: versionHelp },
    { key: "firmware_sha256", vendor: "–", group: "firmware", kind: text, help: { en: "The only image to accept. The protocol has no digest of its own, so without this nothing protects the image.", zh: "唯一接受的固件摘要。协议本身没有摘要，不填则固件没有任何保护。" } },
    { key: "firmware_max_size", vendor: "–", group: "firmware", kind: number(1, 1099511627776), default: "67108864", help: maxSize },
    { key: "report_interval_s", vendor: "–", group: "report", kind: number(0, 31536000), default: "3600", help: { en: "Seconds between reports of the version; 0: only after a login.", zh: "版本上报间隔，单位秒；0 表示仅在登录后上报。" } },
    { key: "keep_alive", vendor: "Keep Alive", group: "timing", kind: number(0, 65535), default: "60", help: { en: "Seconds; 0: none.", zh: "秒；0 表示不使用。" } },
    { key: "reply_timeout_ms", vendor: "–", group: "timing", kind: number(100, 600000), default: "10000", help: timeout },
    { key: "request_retries", vendor: "–", group: "timing", kind: number(0, 20), default: "3", help: retries },
    { key: "register.match_id", vendor: "ID", group: "assumed", kind: flag, default: "true", help: matching },
    { key: "register.match_cmd", vendor: "CMD", group: "assumed", kind: flag, default: "true", help: matching },
    { key: "cmd.register_request", vendor: "CMD", group: "assumed", kind: text, default: "20", help: tableHelp },
    { key: "cmd.register_issue", vendor: "CMD", group: "assumed", kind: text, default: "21", help: tableHelp },
    { key: "cmd.register_confirm", vendor: "CMD", group: "assumed", kind: text, default: "21", help: tableHelp },
    { key: "key.product_id", vendor: "–", group: "assumed", kind: text, default: "PRODUCT_ID", help: tableHelp },
    { key: "key.device_id", vendor: "–", group: "assumed", kind: text, default: "DEVICE_ID", help: tableHelp },
    { key: "key.device_secret", vendor: "–", group: "assumed", kind: text, default: "DEVICE_SECRET", help: tableHelp },
    { key: "back.refused", vendor: "BACK", group: "assumed", kind: text, default: "ERROR", help: tableHelp },
  ],
  alibaba: [
    { key: "product_key", vendor: "ProductKey", group: "who", kind: text, required: true, help: { en: "The product's name on the platform; no secret.", zh: "产品在平台上的标识，不是密钥。" } },
    { key: "product_secret", vendor: "ProductSecret", group: "who", kind: secret, help: { en: "Needed to register dynamically.", zh: "动态注册时必填。" } },
    { key: "device_name", vendor: "DeviceName", group: "who", kind: text, required: true, help: { en: "1 to 64 letters, digits and - _ @ . :", zh: "1 到 64 位字母、数字或 - _ @ . :" } },
    { key: "device_secret", vendor: "DeviceSecret", group: "who", kind: secret, help: ownSecret },
    { key: "broker", vendor: "MQTT broker", group: "where", kind: BROKER, required: true, help: brokerHelp },
    { key: "auth_url", vendor: "–", group: "where", kind: HTTP, help: { en: "Where to register over HTTP, such as https://iot-auth.cn-shanghai.aliyuncs.com.", zh: "HTTP 动态注册地址，例如 https://iot-auth.cn-shanghai.aliyuncs.com。" } },
    { key: "registration", vendor: "–", group: "login", kind: choice("http", "mqtt"), default: "http", help: { en: "How the secret is asked for.", zh: "获取密钥的方式。" } },
    { key: "auth_type", vendor: "authType", group: "login", kind: choice("register", "regnwl"), default: "register", help: { en: "Over MQTT: regnwl registers devices that nobody imported.", zh: "MQTT 方式：regnwl 为免白名单注册。" } },
    { key: "instance_id", vendor: "instanceId", group: "login", kind: text, help: { en: "Of an Enterprise instance; named in registrations over MQTT.", zh: "企业版实例 ID，用于 MQTT 动态注册。" } },
    { key: "sign_method", vendor: "signmethod", group: "login", kind: choice("hmacsha256", "hmacsha1", "hmacmd5"), default: "hmacsha256", help: { en: "Of registration and login.", zh: "注册和登录的签名算法。" } },
    { key: "secure_mode", vendor: "securemode", group: "login", kind: choice("2", "3", "-2"), help: { en: "2 TLS, 3 plain, -2 without whitelist; by default what the broker's address says.", zh: "2 为 TLS，3 为明文，-2 为免白名单；默认由 broker 地址决定。" } },
    { key: "firmware_version", vendor: "version", group: "firmware", kind: text, default: "1.0.0", help: versionHelp },
    { key: "firmware_max_size", vendor: "–", group: "firmware", kind: number(1, 1099511627776), default: "67108864", help: maxSize },
    { key: "bind_token", vendor: "token", group: "report", kind: flag, default: "true", help: { en: "Announce a bind token after each login, for the owner's app.", zh: "每次登录后上报绑定 token，供用户 App 使用。" } },
    { key: "bind_token_life_s", vendor: "–", group: "report", kind: number(1, 1800), default: "60", help: { en: "Seconds that the device stands by a token.", zh: "设备认可一个 token 的秒数。" } },
    { key: "gateway", vendor: "–", group: "report", kind: flag, default: "true", help: { en: "Take a gateway's messages: joining and topology.", zh: "处理网关消息：允许入网和拓扑变化。" } },
    { key: "keep_alive", vendor: "Keep Alive", group: "timing", kind: number(30, 1200), default: "300", help: { en: "Seconds, 30 to 1200.", zh: "秒，30 到 1200。" } },
    { key: "reply_timeout_ms", vendor: "–", group: "timing", kind: number(100, 600000), default: "10000", help: timeout },
    { key: "request_retries", vendor: "–", group: "timing", kind: number(0, 20), default: "3", help: retries },
  ],
};

/** The owner's app (Alibaba). */
export const APP_SETTINGS: readonly Setting[] = [
  { key: "app_key", vendor: "AppKey", group: "who", kind: text, required: true, help: { en: "The app's name at the gateway.", zh: "App 在网关的标识。" } },
  { key: "app_secret", vendor: "AppSecret", group: "who", kind: secret, required: true, help: { en: "Signs every call.", zh: "用于为每次调用签名。" } },
  { key: "iot_token", vendor: "iotToken", group: "who", kind: secret, help: { en: "The owner's session; good for two hours.", zh: "用户会话，有效期两小时。" } },
  { key: "refresh_token", vendor: "refreshToken", group: "who", kind: secret, help: { en: "Gets another iotToken when the last one has run out, once for each call.", zh: "iotToken 过期后用它换取新的，每次调用最多一次。" } },
  { key: "identity_id", vendor: "identityId", group: "who", kind: text, help: { en: "Sent along with the refreshToken.", zh: "与 refreshToken 一同发送。" } },
  { key: "home_id", vendor: "homeId", group: "who", kind: text, help: { en: "The home that devices are bound to.", zh: "设备绑定到的家庭。" } },
  { key: "base_url", vendor: "–", group: "where", kind: HTTP, required: true, help: { en: "The gateway, such as https://api.link.aliyun.com.", zh: "网关地址，例如 https://api.link.aliyun.com。" } },
  { key: "stage", vendor: "X-Ca-Stage", group: "where", kind: choice("RELEASE", "PRE", "TEST"), default: "RELEASE", help: { en: "Which stage of the API.", zh: "API 的环境。" } },
  { key: "sign_method", vendor: "X-Ca-Signature-Method", group: "login", kind: choice("HmacSHA256", "HmacSHA1"), default: "HmacSHA256", help: { en: "HmacSHA1 signs in the style of the phone's SDK.", zh: "HmacSHA1 按手机 SDK 的方式签名。" } },
  { key: "language", vendor: "language", group: "login", kind: text, default: "en-US", help: { en: "Of the cloud's messages.", zh: "云端消息的语言。" } },
  { key: "sub_iot_id_key", vendor: "–", group: "assumed", kind: choice("subIotId", "subIotid"), default: "subIotId", help: { en: "The document spells it in two ways.", zh: "文档中有两种写法。" } },
  { key: "reply_seconds", vendor: "–", group: "timing", kind: number(1, 300), default: "10", help: { en: "Seconds that a reply is waited for.", zh: "等待应答的秒数。" } },
  { key: "retries", vendor: "–", group: "timing", kind: number(0, 10), default: "3", help: { en: "How often a call without a reply is made again.", zh: "没有应答时的重试次数。" } },
  { key: "poll_seconds", vendor: "–", group: "timing", kind: number(1, 60), default: "2", help: { en: "Seconds between two looks for the token, or for the window.", zh: "两次查询 token 或时间窗口之间的秒数。" } },
  { key: "deadline_seconds", vendor: "–", group: "timing", kind: number(1, 3600), default: "180", help: { en: "Seconds that a guided bind waits for the device.", zh: "引导绑定等待设备的秒数。" } },
];

export function valueOf(setting: Setting, settings: Record<string, string>): string {
  return settings[setting.key] ?? setting.default ?? "";
}

/** Settings without those that say nothing: empty, or what holds anyway. An explicitly empty imei or cmei is a statement. */
export function cleaned(platform: PlatformName, settings: Record<string, string>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [key, raw] of Object.entries(settings)) {
    const value = raw.trim();
    const setting = SETTINGS[platform].find((s) => s.key === key);
    if (setting !== undefined && value === setting.default) continue;
    if (value === "" && !(platform === "cmcc" && (key === "imei" || key === "cmei"))) continue;
    out[key] = value;
  }
  return out;
}

export type Problem = { key: string; problem: "required" | "number" | "url" | "scheme" };

/** What a person can be told before anything runs. The core checks the rest, and is the judge. */
export function problems(list: readonly Setting[], settings: Record<string, string>): Problem[] {
  const out: Problem[] = [];
  for (const { key, kind, required, default: fallback } of list) {
    const value = (settings[key] ?? "").trim();
    if (value === "") {
      if (required === true && fallback === undefined) out.push({ key, problem: "required" });
    } else if (kind.type === "number") {
      const n = Number(value);
      if (!/^\d+$/.test(value) || n < kind.min || n > kind.max) out.push({ key, problem: "number" });
    } else if (kind.type === "url") {
      const scheme = /^([a-z]+):\/\/[^/\s]/i.exec(value)?.[1]?.toLowerCase();
      if (scheme === undefined) out.push({ key, problem: "url" });
      else if (!kind.schemes.includes(scheme)) out.push({ key, problem: "scheme" });
    }
  }
  return out;
}

const NAMES: Record<PlatformName, { product: string; device: string }> = {
  ucloud: { product: "product_sn", device: "device_sn" },
  cmcc: { product: "product_id", device: "device_no" },
  krtyun: { product: "product_id", device: "device_id" },
  alibaba: { product: "product_key", device: "device_name" },
};

export function nameKeys(platform: PlatformName): { product: string; device: string } {
  return NAMES[platform];
}

/** The settings with another device's name. China Mobile's kind of number follows from its shape. */
export function withDevice(platform: PlatformName, settings: Record<string, string>, device: string): Record<string, string> {
  const out = { ...settings, [NAMES[platform].device]: device };
  if (platform !== "cmcc") return out;
  delete out["imei"];
  delete out["cmei"];
  delete out["cellular"];
  if (/^11\d{13}$/.test(device)) return { ...out, device_no_type: "CMEI", cmei: device };
  if (/^\d{15}$/.test(device)) return { ...out, device_no_type: "IMEI", cellular: "true", imei: device };
  return { ...out, device_no_type: "SN", cmei: "" };
}

/** A demo's settings for this page: brokers over WebSocket and HTTP at the page's own origin. */
export function atOrigin(platform: PlatformName, settings: Record<string, string>, page: { origin: string; host: string; protocol: string }): Record<string, string> {
  const out = { ...settings };
  if ("broker" in out) out["broker"] = `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}/mqtt/${platform}`;
  for (const key of ["base_url", "auth_url"]) if (key in out) out[key] = page.origin;
  return out;
}

export function isSecret(platform: PlatformName, key: string): boolean {
  return isSecretSetting(platform, key);
}
