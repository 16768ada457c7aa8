// The calculators: their inputs, and a worked example for each.

import type { PlatformName, Tools } from "../muster/types";
import type { Both } from "./settings";

export type ToolName = "cipher" | "sign" | "credentials" | "cmei" | "imei";
export const TOOLS: readonly ToolName[] = ["cipher", "sign", "credentials", "cmei", "imei"];

export type Input = { name: string; label: Both; example: string; lines?: number; choices?: readonly { value: string; text: Both }[] };

const b = (en: string, zh: string): Both => ({ en, zh });

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
  cmei: {
    name: b("CMEI", "CMEI"),
    what: b("China Mobile's number for devices that are not cellular: TUI (8 digits that begin with 11), serial number (6), and one free digit, which may be a Luhn check digit.", "中国移动为非蜂窝设备定义的号码：TUI（以 11 开头的 8 位）、序列号（6 位）和 1 位自由位，可用 Luhn 校验位。"),
  },
  imei: {
    name: b("IMEI", "IMEI"),
    what: b("The number of a cellular device: TAC (8 digits), serial number (6), and a Luhn check digit. A modem may transmit 0 in its place, so a wrong digit is a warning.", "蜂窝设备号码：TAC（8 位）、序列号（6 位）和 Luhn 校验位。模组可能以 0 代替，因此校验位错误只是警告。"),
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
  { name: "secret", label: b("ProductSecret (3, 6) or DeviceSecret (4, 7)", "ProductSecret（3、6）或 DeviceSecret（4、7）"), example: "ffFnFlKQW3HYjjPR" },
  { name: "random", label: b("Random, 32 hex characters", "随机数，32 个十六进制字符"), example: "281f2e4eefbd12d3b9f7ee5a1740cc2b" },
  { name: "mac", label: b("MAC address (6, 7)", "MAC 地址（6、7）"), example: "11:22:33:44:55:66" },
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

/** `["name", "value"]` on one line: as people write headers. */
function pairsInALine(json: string): string {
  return json.replace(/\[\s+("(?:[^"\\]|\\.)*"),\s+("(?:[^"\\]|\\.)*")\s+\]/g, "[$1, $2]");
}

export const SIGN: readonly Input[] = [{ name: "request", label: b("Request as JSON", "请求（JSON）"), example: pairsInALine(JSON.stringify(SIGN_EXAMPLE, null, 2)), lines: 22 }];

export const CMEI: readonly Input[] = [
  {
    name: "do",
    label: b("What to do", "操作"),
    example: "check",
    choices: [
      { value: "check", text: b("Check one", "检查一个") },
      { value: "build", text: b("Build one", "生成一个") },
      { value: "batch", text: b("Build many", "批量生成") },
    ],
  },
  { name: "cmei", label: b("CMEI, 15 digits", "CMEI，15 位"), example: "111234561234569" },
  { name: "tui", label: b("TUI, 8 digits", "TUI，8 位"), example: "11123456" },
  { name: "serial", label: b("Serial number, the first one for many", "序列号（批量时为起始值）"), example: "1" },
  { name: "count", label: b("How many", "数量"), example: "10" },
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

const CMEI_USES: Record<string, readonly string[]> = { check: ["cmei"], build: ["tui", "serial", "digit"], batch: ["tui", "serial", "count", "digit"] };

export const IMEI: readonly Input[] = [{ name: "imei", label: b("IMEI, 15 digits", "IMEI，15 位"), example: "490154203237518" }];

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
  if (tool === "cmei") return inputs.filter((input) => input.name === "do" || (CMEI_USES[values["do"] ?? "check"] ?? []).includes(input.name));
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
    case "sign":
      return tools.sign(JSON.parse(get("request")) as Parameters<Tools["sign"]>[0]);
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
