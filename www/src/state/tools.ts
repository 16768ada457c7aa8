// The calculators: their inputs, and a worked example for each.

import type { PlatformName, Tools } from "../muster/types";
import type { Both } from "./settings";

export type ToolName = "credentials" | "sign" | "cipher" | "wifi" | "cmei" | "imei" | "nvs" | "time" | "topics";
export const TOOLS: readonly ToolName[] = ["credentials", "sign", "cipher", "wifi", "cmei", "imei", "nvs", "time", "topics"];

export type Input = {
  name: string;
  label: Both;
  example: string;
  lines?: number;
  choices?: readonly { value: string; text: Both }[];
  /** Not to be seen over a shoulder. */
  secret?: true;
  /** What is wrong with a value, as it is typed. */
  check?: (value: string, values: Record<string, string>) => Both | null;
};

const b = (en: string, zh: string): Both => ({ en, zh });

const needed = (value: string): Both | null => (value.trim() === "" ? b("Is missing", "不能为空") : null);

function matches(pattern: RegExp, rule: Both): (value: string) => Both | null {
  return (value) => (pattern.test(value.trim()) ? null : rule);
}

/** How many there are is said: that is what one sees last. */
function hex(length: number): (value: string) => Both | null {
  return (value) => {
    const text = value.trim();
    if (/[^0-9a-f]/i.test(text)) return b("Hex digits only: 0–9, a–f", "只能是十六进制字符：0–9、a–f");
    return text.length === length ? null : b(`${length} hex digits, these are ${text.length}`, `应为 ${length} 个十六进制字符，现为 ${text.length} 个`);
  };
}

function digits(length: number): (value: string) => Both | null {
  return (value) => {
    const text = value.trim();
    if (/\D/.test(text)) return b("Digits only", "只能是数字");
    return text.length === length ? null : b(`${length} digits, these are ${text.length}`, `应为 ${length} 位，现为 ${text.length} 位`);
  };
}

function between(low: number, high: number): (value: string) => Both | null {
  return (value) => {
    const text = value.trim();
    return /^\d+$/.test(text) && Number(text) >= low && Number(text) <= high ? null : b(`A whole number from ${low} to ${high}`, `${low} 到 ${high} 的整数`);
  };
}

/** Each line that is not empty has to look like this. */
function pairsOf(pattern: RegExp, rule: Both): (value: string) => Both | null {
  return (value) => {
    const wrong = value.split("\n").findIndex((line) => line.trim() !== "" && !pattern.test(line.trim()));
    return wrong < 0 ? null : b(`Line ${wrong + 1}: write ${rule.en}`, `第 ${wrong + 1} 行：应写成 ${rule.zh}`);
  };
}

export type ToolText = { name: Both; what: Both };

export const TOOL_TEXTS: Record<ToolName, ToolText> = {
  cipher: {
    name: b("Provisioning keys", "配网密钥"),
    what: b(
      "Alibaba. The AES-128 key of a device being provisioned is the first half of SHA-256 over secret, one comma byte 2C, the MAC address for Bluetooth, another comma, and 16 random bytes.",
      "阿里云。配网设备的 AES-128 密钥是 SHA-256 的前半部分，输入依次为密钥、一个逗号字节 2C、（蓝牙时）MAC 地址和逗号、16 字节随机数。",
    ),
  },
  sign: {
    name: b("API Gateway signature", "API 网关签名"),
    what: b(
      "Alibaba. The signature is the Base64 of an HMAC over the text below: method, four fixed headers, the signed headers in order, and path with parameters. The body is protected by Content-MD5 alone.",
      "阿里云。签名是对下方文本计算 HMAC 后的 Base64：方法、四个固定请求头、按序排列的签名头、路径与参数。正文仅由 Content-MD5 保护。",
    ),
  },
  credentials: {
    name: b("MQTT credentials", "MQTT 登录信息"),
    what: b("ClientID, user name and password of a device, for each platform and way to log in. China Mobile has no MQTT: its credential travels in each body.", "各平台、各登录方式下设备的 ClientID、用户名和密码。中国移动没有 MQTT，凭证在每个请求正文中。"),
  },
  wifi: {
    name: b("Wi-Fi password", "Wi-Fi 密码"),
    what: b(
      "Alibaba. A device in access-point mode gets the Wi-Fi password encrypted: AES-128-CBC under the provisioning key, the random as initialisation vector, filled up with zeros to whole blocks of 16 bytes.",
      "阿里云。设备处于热点模式时，Wi-Fi 密码加密下发：以配网密钥做 AES-128-CBC，随机数作初始向量，末尾补零到 16 字节的整数倍。",
    ),
  },
  cmei: {
    name: b("CMEI", "CMEI"),
    what: b("China Mobile's number for devices that are not cellular: TUI (8 digits that begin with 11), serial number (6), and one free digit, which may be a Luhn check digit.", "中国移动为非蜂窝设备定义的号码：TUI（以 11 开头的 8 位）、序列号（6 位）和 1 位自由位，可用 Luhn 校验位。"),
  },
  imei: {
    name: b("IMEI", "IMEI"),
    what: b("The number of a cellular device: TAC (8 digits), serial number (6), and a Luhn check digit. A modem may transmit 0 in its place, so a wrong digit is a warning.", "蜂窝设备号码：TAC（8 位）、序列号（6 位）和 Luhn 校验位。模组可能以 0 代替，因此校验位错误只是警告。"),
  },
  nvs: {
    name: b("NVS partition", "NVS 分区"),
    what: b(
      "ESP32. Espressif's CSV (key, type, encoding, value) becomes the image of an NVS partition, byte for byte as Espressif's generator makes it, with a table of what lies in which page and entry.",
      "ESP32。把乐鑫的 CSV（key、type、encoding、value）生成 NVS 分区镜像，与乐鑫的生成工具逐字节一致，并列出每一页、每个条目的内容。",
    ),
  },
  time: {
    name: b("Times", "时间"),
    what: b(
      "One moment in every form that these platforms write: seconds, milliseconds, the Date header, a plain date. Most wrong signatures with a right secret are a time in the wrong unit.",
      "同一时刻在各平台的写法：秒、毫秒、Date 请求头、日期。密钥正确而签名错误，多半是时间单位不对。",
    ),
  },
  topics: {
    name: b("MQTT topics", "MQTT 主题"),
    what: b("Every topic that a device of a platform publishes to or subscribes to, with its names put in.", "各平台设备发布和订阅的全部主题，已填入产品与设备名称。"),
  },
};

export const CIPHER: readonly Input[] = [
  {
    name: "type",
    label: b("Type", "类型"),
    example: "3",
    choices: [
      { value: "3", text: b("3 · by product", "3 · 按产品") },
      { value: "4", text: b("4 · by device", "4 · 按设备") },
      { value: "6", text: b("6 · Bluetooth, by product", "6 · 蓝牙，按产品") },
      { value: "7", text: b("7 · Bluetooth, by device", "7 · 蓝牙，按设备") },
    ],
  },
  { name: "secret", label: b("ProductSecret (3, 6) or DeviceSecret (4, 7)", "ProductSecret（3、6）或 DeviceSecret（4、7）"), example: "ffFnFlKQW3HYjjPR", secret: true, check: needed },
  { name: "random", label: b("Random, 32 hex characters", "随机数，32 个十六进制字符"), example: "281f2e4eefbd12d3b9f7ee5a1740cc2b", check: hex(32) },
  { name: "mac", label: b("MAC address (6, 7)", "MAC 地址（6、7）"), example: "11:22:33:44:55:66", check: matches(/^[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}$/i, b("12 hex digits, with : or - between the bytes or without", "12 个十六进制字符，字节间可用 : 或 - 分隔")) },
];

/** The document's own list call. */
export const SIGN_EXAMPLE = {
  algorithm: "HmacSHA256",
  app_key: "23456789",
  secret: "0123456789abcdef0123456789abcdef",
  method: "POST",
  path: "/awss/enrollee/list/get",
  query: [],
  form: [],
  headers: [
    ["Accept", "application/json; charset=utf-8"],
    ["Content-MD5", "lAZXYJYqVAxOD1upa8nVvQ=="],
    ["Content-Type", "application/octet-stream; charset=utf-8"],
    ["Date", "Tue, 05 Jun 2018 04:18:33 GMT"],
    ["X-Ca-Key", "23456789"],
    ["X-Ca-Nonce", "b931bc77-645a-4299-b24b-f3669be577ac"],
    ["X-Ca-Signature-Method", "HmacSHA256"],
    ["X-Ca-Stage", "RELEASE"],
    ["X-Ca-Timestamp", "1528172313487"],
  ],
  body: '{"id":"1509086454180","version":"1.0","request":{"apiVer":"1.0.7","iotToken":"4f1b3d6a9c2e4b70a6d5f8e7c1b2a394"},"params":{"pageSize":10,"pageNum":1}}',
};

export const SIGN: readonly Input[] = [
  {
    name: "algorithm",
    label: b("Algorithm", "算法"),
    example: SIGN_EXAMPLE.algorithm,
    choices: [
      { value: "HmacSHA256", text: b("HmacSHA256", "HmacSHA256") },
      { value: "HmacSHA1", text: b("HmacSHA1", "HmacSHA1") },
    ],
  },
  { name: "secret", label: b("AppSecret", "AppSecret（应用密钥）"), example: SIGN_EXAMPLE.secret, secret: true, check: needed },
  { name: "method", label: b("Method", "方法"), example: SIGN_EXAMPLE.method, check: matches(/^[A-Za-z]+$/, b("Letters, such as POST", "字母，如 POST")) },
  { name: "path", label: b("Path", "路径"), example: SIGN_EXAMPLE.path, check: matches(/^\/[^?#\s]*$/, b("Begins with /, without a query", "以 / 开头，不含查询参数")) },
  { name: "headers", label: b("Headers, one a line: Name: value", "请求头，每行一个：名称: 值"), example: SIGN_EXAMPLE.headers.map(([name, value]) => `${name}: ${value}`).join("\n"), lines: 10, check: pairsOf(/^[^:\s]+:/, b("Name: value", "名称: 值")) },
  { name: "query", label: b("Query, one a line: name=value", "查询参数，每行一个：名称=值"), example: "", lines: 2, check: pairsOf(/^[^=]+/, b("name=value", "名称=值")) },
  { name: "form", label: b("Form body, one a line: name=value", "表单正文，每行一个：名称=值"), example: "", lines: 2, check: pairsOf(/^[^=]+/, b("name=value", "名称=值")) },
  { name: "body", label: b("Any other body", "其他正文"), example: SIGN_EXAMPLE.body, lines: 5 },
];

/** Lines of names and values. */
export function pairs(text: string, separator: ":" | "="): [string, string][] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const at = line.indexOf(separator);
      return at < 0 ? [line, ""] : [line.slice(0, at).trim(), separator === ":" ? line.slice(at + 1).trim() : line.slice(at + 1)];
    });
}

export const WIFI: readonly Input[] = [
  {
    name: "do",
    label: b("What to do", "操作"),
    example: "encrypt",
    choices: [
      { value: "encrypt", text: b("Encrypt", "加密") },
      { value: "decrypt", text: b("Decrypt", "解密") },
    ],
  },
  { name: "key", label: b("AES-128 key, 32 hex characters", "AES-128 密钥，32 个十六进制字符"), example: "677d48332214926363dc5f19bd59fe74", secret: true, check: hex(32) },
  { name: "random", label: b("Random, 32 hex characters", "随机数，32 个十六进制字符"), example: "281f2e4eefbd12d3b9f7ee5a1740cc2b", check: hex(32) },
  { name: "password", label: b("Password", "密码"), example: "12345678", secret: true, check: needed },
  { name: "passwd", label: b("Encrypted, hex", "密文，十六进制"), example: "", check: matches(/^([0-9a-f]{32})+$/i, b("Whole blocks: 32 hex digits, 64, 96, …", "整块：32、64、96……个十六进制字符")) },
];

export const CMEI: readonly Input[] = [
  {
    name: "do",
    label: b("What to do", "操作"),
    example: "check",
    choices: [
      { value: "check", text: b("Check one", "检查一个") },
      { value: "build", text: b("Build one", "生成一个") },
      { value: "batch", text: b("Build many", "批量生成") },
      { value: "list", text: b("Check a list", "检查列表") },
    ],
  },
  { name: "cmei", label: b("CMEI, 15 digits", "CMEI，15 位"), example: "111234561234569", check: digits(15) },
  { name: "tui", label: b("TUI, 8 digits", "TUI，8 位"), example: "11123456", check: matches(/^11\d{6}$/, b("8 digits that begin with 11", "以 11 开头的 8 位数字")) },
  { name: "serial", label: b("Serial number, the first one for many", "序列号（批量时为起始值）"), example: "1", check: between(0, 999_999) },
  { name: "count", label: b("How many", "数量"), example: "10", check: between(1, 100_000) },
  { name: "list", label: b("Numbers: one a line, or the first column of a CSV", "号码：每行一个，或 CSV 的第一列"), example: "111234561234569\n111234561234567\n111234561234569\n12345", lines: 12, check: needed },
  {
    name: "digit",
    label: b("Last digit", "末位"),
    example: "luhn",
    choices: [
      { value: "luhn", text: b("Luhn check digit", "Luhn 校验位") },
      { value: "random", text: b("random", "随机") },
      ...Array.from({ length: 10 }, (_, i) => ({ value: String(i), text: b(String(i), String(i)) })),
    ],
  },
];

const CMEI_USES: Record<string, readonly string[]> = { check: ["cmei"], build: ["tui", "serial", "digit"], batch: ["tui", "serial", "count", "digit"], list: ["list"] };
const IMEI_USES: Record<string, readonly string[]> = { check: ["imei"], list: ["list"] };
const WIFI_USES: Record<string, readonly string[]> = { encrypt: ["key", "random", "password"], decrypt: ["key", "random", "passwd"] };

export const IMEI: readonly Input[] = [
  {
    name: "do",
    label: b("What to do", "操作"),
    example: "check",
    choices: [
      { value: "check", text: b("Check one", "检查一个") },
      { value: "list", text: b("Check a list", "检查列表") },
    ],
  },
  { name: "imei", label: b("IMEI, 15 digits", "IMEI，15 位"), example: "490154203237518", check: digits(15) },
  { name: "list", label: b("Numbers: one a line, or the first column of a CSV", "号码：每行一个，或 CSV 的第一列"), example: "490154203237518\n490154203237526\n490154203237519\n490154203237518", lines: 12, check: needed },
];

export const NVS: readonly Input[] = [
  { name: "csv", label: b("CSV", "CSV"), example: "key,type,encoding,value\nmuster,namespace,,\nproduct_sn,data,string,70ly1tvowt696r15\ndevice_sn,data,string,112233445566\nboot_count,data,u32,0\n", lines: 12, check: needed },
  { name: "size", label: b("Size of the partition, such as 0x6000", "分区大小，如 0x6000"), example: "0x6000", check: (value) => (partitionSize(value) === null ? b("A multiple of 4096 (0x1000), at most 16 MiB", "4096（0x1000）的整数倍，最大 16 MiB") : null) },
  {
    name: "format",
    label: b("Format of blobs", "blob 格式"),
    example: "2",
    choices: [
      { value: "2", text: b("2 · any ESP-IDF since 3.2", "2 · ESP-IDF 3.2 及以后") },
      { value: "1", text: b("1 · before 3.2", "1 · 3.2 之前") },
    ],
  },
];

/** Bytes of a partition, as partition tables write them; null: none. */
export function partitionSize(text: string): number | null {
  const value = text.trim();
  const match = /^(0x[0-9a-f]+|\d+)([KM]?)$/i.exec(value);
  if (match === null) return null;
  const size = Number(match[1]) * ({ K: 1024, M: 1024 * 1024 }[(match[2] ?? "").toUpperCase()] ?? 1);
  return size > 0 && size % 4096 === 0 && size <= 16 * 1024 * 1024 ? size : null;
}

export const INPUTS: Partial<Record<ToolName, readonly Input[]>> = { cipher: CIPHER, sign: SIGN, wifi: WIFI, cmei: CMEI, imei: IMEI, nvs: NVS };

/** Values that are invented or published demo ones. */
const CREDENTIAL_EXAMPLES: Record<string, string> = {
  product_sn: "70ly1tvowt696r15",
  device_sn: "112233445566",
  product_id: "20191210",
  device_id: "10001",
  product_key: "a1X2bEnP82z",
  device_name: "example1",
  product_secret: "ffFnFlKQW3HYjjPR",
  device_secret: "ga7XA6KdlEeiPXQPpRbAjOZXwG8ydgSe",
  random: "7y4Jg5xdKCy9W2i",
  timestamp: "2524608000000",
  auth_type: "register",
  secure_mode: "2",
  sign_method: "hmacsha256",
  instance_id: "",
  style: "muster",
  client_id: "c1d2e3f4",
  device_token: "0123456789abcdef",
  device_no_type: "SN",
  device_no: "MUSTER-SN-0001",
};

export function credentialExample(platform: PlatformName, setting: string): string {
  if (platform === "cmcc") {
    if (setting === "product_id") return "1234567890123";
    if (setting === "product_key") return "0123456789abcdef";
    if (setting === "device_id") return "d1029384756";
  }
  return CREDENTIAL_EXAMPLES[setting] ?? "";
}

/** Inputs that matter for the choices made. */
export function usedInputs(tool: ToolName, inputs: readonly Input[], values: Record<string, string>): readonly Input[] {
  if (tool === "cipher") return inputs.filter((input) => input.name !== "mac" || values["type"] === "6" || values["type"] === "7");
  const uses = { cmei: CMEI_USES, imei: IMEI_USES, wifi: WIFI_USES }[tool as string];
  if (uses !== undefined) return inputs.filter((input) => input.name === "do" || (uses[values["do"] ?? ""] ?? []).includes(input.name));
  return inputs;
}

export function examples(inputs: readonly Input[]): Record<string, string> {
  return Object.fromEntries(inputs.map((input) => [input.name, input.example]));
}

/** Asks the calculator. */
export async function calculate(tools: Tools, tool: ToolName, values: Record<string, string>): Promise<unknown> {
  const get = (name: string) => (values[name] ?? "").trim();
  switch (tool) {
    case "cipher": {
      const type = Number(get("type"));
      const input = { type, secret: get("secret"), random: get("random") };
      return tools.cipher(type === 6 || type === 7 ? { ...input, mac: get("mac") } : input);
    }
    case "sign": {
      const body = values["body"] ?? "";
      return tools.sign({
        algorithm: get("algorithm"),
        secret: get("secret"),
        method: get("method"),
        path: get("path"),
        query: pairs(get("query"), "="),
        form: pairs(get("form"), "="),
        headers: pairs(get("headers"), ":"),
        ...(body === "" ? {} : { body }),
      });
    }
    case "wifi": {
      const input = { key: get("key"), random: get("random") };
      return tools.wifi(get("do") === "decrypt" ? { ...input, passwd: get("passwd") } : { ...input, password: values["password"] ?? "" });
    }
    case "credentials": {
      const { platform = "ucloud", mode = "", ...settings } = values;
      const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value.trim() !== ""));
      return tools.credentials({ platform: platform as PlatformName, mode, settings: given });
    }
    case "cmei": {
      if (get("do") === "check") return tools.cmeiCheck(get("cmei"));
      const parts = { tui: get("tui"), digit: get("digit") };
      if (get("do") === "build") return tools.cmeiBuild({ ...parts, serial: Number(get("serial")) });
      return tools.cmeiBatch({ ...parts, first: Number(get("serial")), count: Number(get("count")) });
    }
    case "imei":
      return tools.imeiCheck(get("imei"));
    case "nvs":
      return tools.nvs({ csv: values["csv"] ?? "", size: partitionSize(get("size")) ?? 0, format: Number(get("format")) });
    case "time":
    case "topics":
      // Made in the page.
      return {};
  }
}

export type ResultLine = { name: string; value: string };
export type Result = { lines: ResultLine[]; steps: ResultLine[]; text: string | null; warning: string | null; list: string[] };

/** A result, flat enough to be shown: values beside their names, steps apart, a text to sign, a list of numbers. */
export function readResult(value: unknown): Result {
  const out: Result = { lines: [], steps: [], text: null, warning: null, list: [] };
  if (typeof value !== "object" || value === null) return { ...out, lines: [{ name: "", value: String(value) }] };
  for (const [name, item] of Object.entries(value)) {
    if (name === "steps" && Array.isArray(item)) {
      out.steps = item.map((step: Partial<ResultLine>) => ({ name: String(step.name ?? ""), value: String(step.value ?? "") }));
    } else if (name === "string_to_sign" && typeof item === "string") {
      out.text = item;
    } else if (name === "warning") {
      out.warning = typeof item === "string" ? item : null;
    } else if (Array.isArray(item)) {
      out.list = item.map((entry) => (typeof entry === "string" ? entry : JSON.stringify(entry)));
    } else if (item !== null && item !== undefined) {
      out.lines.push({ name, value: typeof item === "object" ? JSON.stringify(item, null, 2) : String(item) });
    }
  }
  return out;
}

/** What is wrong with each input, as far as the page can tell; by name. */
export function wrongInputs(tool: ToolName, inputs: readonly Input[], values: Record<string, string>): Map<string, Both> {
  const wrong = new Map<string, Both>();
  for (const input of usedInputs(tool, inputs, values)) {
    const problem = input.check?.(values[input.name] ?? "", values) ?? null;
    if (problem !== null) wrong.set(input.name, problem);
  }
  return wrong;
}

const SECRETS = new Set(["product_secret", "device_secret", "device_token"]);

/** Whether an input of a login is a secret. */
export function isSecretInput(platform: string, name: string): boolean {
  return SECRETS.has(name) || (platform === "cmcc" && name === "product_key");
}

const utf8 = new TextEncoder();
const hexOf = (text: string) => [...utf8.encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Covers secrets in a text, as they are and as hex: as many `*` as they had characters. */
export function covered(text: string, secrets: readonly string[]): string {
  const all = secrets.filter((secret) => secret.length > 2).flatMap((secret) => [secret, encodeURIComponent(secret), hexOf(secret), hexOf(secret).toUpperCase()]);
  // The longest first: one may begin with another.
  return all.sort((a, b) => b.length - a.length).reduce((rest, secret) => rest.replaceAll(secret, "*".repeat(Math.max(4, secret.length))), text);
}
