import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { i18n } from "../src/i18n";
import type { Error } from "../src/muster/types";
import { codeMeaning, gatewayMeaning } from "../src/state/codes";
import { messageText, problemText } from "../src/state/messages";
import { errorText } from "../src/state/texts";

vi.stubGlobal("document", { documentElement: { lang: "" } });
vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
beforeEach(() => i18n.set("zh"));
afterEach(() => i18n.set("en"));

const CORE = join(import.meta.dirname, "../../src");
const CHINESE = /[\u4e00-\u9fff]/;

function sources(folder: string): string[] {
  return readdirSync(join(CORE, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".rs"))
    .map((name) => join(folder, name));
}

/** The texts of a Rust source without its comments and tests; a line that ends in `\` goes on. */
function texts(file: string): string[] {
  const code = readFileSync(join(CORE, file), "utf8").split(/^#\[cfg\(test\)\]$/m)[0] ?? "";
  const plain = code.replace(/^\s*\/\/.*$/gm, "");
  return [...plain.matchAll(/"((?:[^"\\]|\\[\s\S])*)"/g)].map(([, text = ""]) => text.replace(/\\\n\s*/g, ""));
}

/** Beginnings of sentences that say what is wrong. */
const WRONG = /^(is missing|is not |has to |must |must not |starts from|is required|regnwl needs|and jitter_s|an IMEI has|a CMEI has|a TUI has|it has to |cipher types|the secret is|the (?:sign|signature|cipher|MAC|password|last) |random has|this platform has|these lead|serial number \{|what is stored|the snapshot|the CSV|a CSV field|empty: |is one |is none |is too large|the device is not|the broker refused|the connection closed)/;
/** What the program puts in, in place of what a source leaves open. */
const filled = (text: string) =>
  text
    .replace(/\{first:06\}/g, "000001")
    .replace(/\{(?:\w+)?\}/g, "7")
    .replace(/( digits, not |from | known are |has to be one of |schemes |has to be )$/, (end) => `${end}7`)
    .replace(/^(an IMEI has 15 digits, not |a CMEI has 15|a TUI has 8)$/, (part) => (part.endsWith(" ") ? `${part}7` : `${part} digits, not 7`))
    .replace(/from 7$/, "from 7 to 7");

describe("what the core says is wrong", () => {
  const files = ["settings.rs", "error.rs", ...sources("platform").filter((name) => !name.includes("/cloud")), ...sources("tool"), "web/values.rs", "web/read.rs", "web/tool.rs", "web/device.rs", "web/driver/raw.rs"];
  const found = files.flatMap((file) => texts(file).filter((text) => WRONG.test(text) && text !== "has to be ").map((text) => [file, filled(text)] as const));

  it("is found in the core's sources", () => {
    expect(found.length).toBeGreaterThan(60);
  });

  it.each(found)("%s: %s", (_, text) => {
    expect(messageText(text)).toMatch(CHINESE);
  });
});

describe("what a cloud refuses its operator", () => {
  const files = [...sources("cloud"), ...sources("platform").filter((name) => name.includes("/cloud"))];
  const refusals = files.flatMap((file) => {
    const code = readFileSync(join(CORE, file), "utf8").replace(/^\s*\/\/.*$/gm, "");
    return [...code.matchAll(/OperationError::(?:invalid|exists|full|not_found)\(\s*"((?:[^"\\]|\\[\s\S])*)"/g)].map(([, text = ""]) => text.replace(/\\\n\s*/g, ""));
  });

  it("is told in Chinese, but for a few rare ones", () => {
    expect(refusals.length).toBeGreaterThan(30);
    const left = [...new Set(refusals)].filter((text) => !CHINESE.test(messageText(text)));
    // Calls that this page does not make.
    const rare = /app ?key|AppKey|token|\bcode\b|gateway|owner|identity|modules|krtyun's switches|^seconds: /;
    expect(left.filter((text) => !rare.test(text))).toEqual([]);
  });
});

describe("messages", () => {
  it("names the setting as it is called, and says the rest in Chinese", () => {
    expect(messageText("setting `keep_alive`: has to be a number from 30 to 1200")).toBe("设置 keep_alive：应为 30 到 1200 的整数");
    expect(messageText("setting `broker`: has to be a URL with one of the schemes mqtt, mqtts, ws, wss")).toBe("设置 broker：应为完整地址，协议为以下之一：mqtt, mqtts, ws, wss");
    expect(messageText("setting `device_sn`: is missing")).toBe("设置 device_sn：缺失");
    expect(messageText("setting `x`: is not a setting of this platform")).toBe("设置 x：不是此平台的设置");
  });

  it("names the input of a calculator", () => {
    expect(messageText("random: random has to be 32 hex characters (16 bytes)")).toBe("random：随机数应为 32 个十六进制字符（16 字节）");
    expect(messageText("tui: a TUI has 8 digits, not 3")).toBe("tui：TUI 应有 8 位数字，现为 3 位");
    expect(messageText("serial has to be a whole number of at most 32 bits")).toBe("serial：应为不超过 32 位的整数");
    expect(messageText("headers is missing")).toBe("headers：缺失");
  });

  it("keeps numbers in their order", () => {
    expect(problemText("a TUI has serial numbers up to 999999: 5 are left from 999995 on, not 10; ask China Mobile for another TUI")).toBe(
      "TUI 的序列号最大为 999999：从 999995 起还剩 5 个，不足 10 个；请向中国移动申请新的 TUI",
    );
  });

  it("leaves what it does not know as it is", () => {
    for (const text of ["", "something else", "setting `x`: is odd", "key: value", "https://h/ failed", "$1"]) expect(messageText(text)).toBe(text === "setting `x`: is odd" ? "设置 x：is odd" : text);
  });

  it("leaves English alone", () => {
    i18n.set("en");
    expect(messageText("setting `device_sn`: is missing")).toBe("setting `device_sn`: is missing");
    expect(problemText("is missing")).toBe("is missing");
  });
});

describe("codes of the vendors", () => {
  const rejected = (code: string, message: string): Error => ({ blame: "rejected", by: { how: "code", code, message } });

  it("are explained in both languages, with the cloud's own words", () => {
    expect(errorText(rejected("6289", "device is already active"), "alibaba")).toBe("阿里云拒绝：代码 6289，设备已激活（“device is already active”）");
    expect(errorText(rejected("500", "设备或产品不存在"), "cmcc")).toBe("中国移动拒绝：代码 500，设备或产品不存在");
    i18n.set("en");
    expect(errorText(rejected("500", "设备或产品不存在"), "cmcc")).toBe("China Mobile said no: code 500, no such device or product (“设备或产品不存在”)");
    expect(errorText(rejected("140", ""), "ucloud")).toBe("UCloud said no: code 140, dynamic registration is closed (assumed)");
  });

  it("are not invented", () => {
    expect(codeMeaning("krtyun", "500")).toBeUndefined();
    expect(codeMeaning("ucloud", "constructor")).toBeUndefined();
    expect(gatewayMeaning("hello")).toBeUndefined();
    expect(errorText(rejected("9", "what"), "ucloud")).toBe("UCloud 拒绝：代码 9，what");
  });

  it("explain the gateway's texts", () => {
    const error: Error = { blame: "rejected", by: { how: "http", status: 400, message: "Invalid Signature, Server StringToSign:`POST#…`" } };
    expect(errorText(error, "alibaba")).toContain("签名错误：请检查 AppSecret");
  });
});
