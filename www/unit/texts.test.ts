import { afterEach, describe, expect, it, vi } from "vitest";
import { clockText, i18n, t, waitText } from "../src/i18n";
import { en as mainEn } from "../src/i18n/en";
import { operator as operatorEn } from "../src/i18n/en-cloud";
import { panel as faultsEn, ready as readyEn } from "../src/i18n/en-fault-panel";
import { panel as scriptEn } from "../src/i18n/en-script-panel";
import { zh as mainZh } from "../src/i18n/zh";
import { operator as operatorZh } from "../src/i18n/zh-cloud";
import { panel as faultsZh, ready as readyZh } from "../src/i18n/zh-fault-panel";
import { panel as scriptZh } from "../src/i18n/zh-script-panel";
import type { Advice, Entry, Error, Event, PlatformName, Update, Warning } from "../src/muster/types";
import { explain } from "../src/state/explain";
import { PRESETS } from "../src/state/presets";
import { APP_SETTINGS, SETTINGS, type Both } from "../src/state/settings";
import { entryText, errorText, eventText, methodOf, shortTopic } from "../src/state/texts";
import { TEMPLATES } from "../src/state/templates";
import { CIPHER, CMEI, IMEI, SIGN, TOOL_TEXTS } from "../src/state/tools";

vi.stubGlobal("document", { documentElement: { lang: "" } });
vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });
afterEach(() => i18n.set("en"));

const PLATFORMS: PlatformName[] = ["ucloud", "cmcc", "krtyun", "alibaba"];

// With the texts that come later, with their view.
const en = { ...mainEn, operator: operatorEn, faultPanel: faultsEn, readyFaults: readyEn, scriptPanel: scriptEn };
const zh = { ...mainZh, operator: operatorZh, faultPanel: faultsZh, readyFaults: readyZh, scriptPanel: scriptZh };

/** Every text of a dictionary with its path; functions are called with arguments that show. */
function leaves(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return [[path, String((value as (...args: unknown[]) => string)(7, "x7", 7, 7))]];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, `${path}.${key}`));
}

/** Words that are the same in both languages. */
const SAME = /^(Muster|WebAssembly|QoS|ClientID|SHA-256|HTTP|WebSocket|UCloud|App|JSON|CSV|2\.?|x7:? ?.*|7 \/ x7|x7)$/;

describe("the dictionary", () => {
  it("has every key in both languages, and the same ones", () => {
    const keys = (dict: unknown) => leaves(dict).map(([path]) => path).sort();
    expect(keys(zh)).toEqual(keys(en));
  });

  /** The vendor's own names, and those of radios. */
  const NAMES = /^(AppKey|iotToken|cipherType|productKey|deviceName|ProductSecret|DeviceSecret|contentByteArray|passwd: AES-128-CBC|SSID|LoRa|Zigbee|Wi-Fi|curl|code 7)$/;

  /** What a script may call. */
  const CODE = /^\.scriptPanel\.api\.\d+\.0$/;

  it("leaves no text untranslated", () => {
    const english = new Map(leaves(en));
    const left = leaves(zh).filter(([path, text]) => text !== "" && text === english.get(path) && !SAME.test(text) && !NAMES.test(text) && !CODE.test(path) && /[a-z]{3}/i.test(text));
    expect(left).toEqual([]);
  });

  it("writes no Chinese in English and no empty text in Chinese", () => {
    expect(leaves(en).filter(([, text]) => /[\u4e00-\u9fff]/.test(text))).toEqual([]);
    const english = new Map(leaves(en));
    expect(leaves(zh).filter(([path, text]) => text === "" && english.get(path) !== "")).toEqual([]);
  });

  it("uses Chinese punctuation in Chinese sentences", () => {
    const odd = leaves(zh).filter(([, text]) => /[\u4e00-\u9fff][,;:?!]/.test(text));
    expect(odd).toEqual([]);
  });
});

/** What a text puts in quotation marks and did not get from its arguments (`x7`, `7`). */
const quoted = (text: string): string[] => [...text.matchAll(/“([^”]*)”/g)].map((found) => found[1] ?? "").filter((name) => !/^(x7|7)$/.test(name));

describe("a button or a part that is named in quotation marks", () => {
  /** Of the search's syntax, and of what a time may be written as. */
  const SYNTAX = /^(a phrase|短语|now)$/;
  const bare = (text: string) => text.replace(/…$/, "");

  for (const [language, dict] of [["en", en], ["zh", zh]] as const) {
    it(`has that name on the page, in ${language}`, () => {
      const names = new Set(leaves(dict).map(([, text]) => bare(text)));
      const beside = PLATFORMS.flatMap((platform) => [...TEMPLATES[platform].flatMap(({ id, name, when }): [string, string][] => [[`template ${id}`, name[language]], [`template ${id}`, when[language]]])]);
      const inFlow = explain({ seq: 1, at: 0, unix: 0, kind: "fault" } as Entry, "ucloud", () => undefined);
      const all = [...leaves(dict), ...beside, ["fault", inFlow.source[language]] as [string, string]].flatMap(([path, text]) => quoted(text).map((name) => [path, name] as const));
      expect(all.length).toBeGreaterThan(5);
      expect(all.filter(([, name]) => !SYNTAX.test(name) && !names.has(bare(name)))).toEqual([]);
    });
  }
});

describe("one thing", () => {
  it("has one name in Chinese", () => {
    const texts = [...leaves(zh), ...PLATFORMS.flatMap((platform) => [...SETTINGS[platform].map((s): [string, string] => [s.key, s.help.zh]), ...TEMPLATES[platform].map((t): [string, string] => [t.id, t.when.zh])])];
    // Bind token, operator, string to sign; and nobody is addressed in two ways.
    expect(texts.filter(([, text]) => /令牌|运营|待签名字符串|[你您]/.test(text))).toEqual([]);
  });
});

describe("texts beside the dictionary", () => {
  const both: Both[] = [
    ...PLATFORMS.flatMap((platform) => [...SETTINGS[platform].map((s) => s.help), ...PRESETS[platform].flatMap((p) => [p.name, p.note])]),
    ...APP_SETTINGS.map((s) => s.help),
    ...Object.values(TOOL_TEXTS).map((text) => text.what),
    ...[...CIPHER, ...SIGN, ...CMEI, ...IMEI].map((input) => input.label),
  ];
  it("exist in both languages", () => {
    for (const { en, zh } of both) {
      expect(en).not.toBe("");
      expect(zh).toMatch(/[\u4e00-\u9fff]|^\d$|CMEI|IMEI/);
      expect(en).not.toMatch(/[\u4e00-\u9fff]/);
    }
  });
});

const ERRORS: Error[] = [
  { blame: "codec", error: "not_json" },
  { blame: "codec", error: { missing: "Password" } },
  { blame: "peer_misbehaved", how: "wrong_request_id" },
  { blame: "rejected", by: { how: "connack", code: 4 } },
  { blame: "rejected", by: { how: "connack", code: 77 } },
  { blame: "rejected", by: { how: "suback", topic: "/a" } },
  { blame: "rejected", by: { how: "code", code: "6289", message: "" } },
  { blame: "rejected", by: { how: "code", code: "500", message: "设备或产品不存在" } },
  { blame: "rejected", by: { how: "http", status: 403, message: "Unauthorized" } },
  { blame: "network", failure: "dns" },
  { blame: "network", failure: { status: 404 } },
  { blame: "no_reply", step: "request_secret" },
  { blame: "local", failure: "store" },
  { blame: "local", failure: { missing_setting: "x" } },
];
const ADVICE: Advice[] = ["check_product_secret", "import_device", "already_registered", "check_device", "check_storage", "check_network", "ask_vendor"];
const UPDATES: Update[] = [
  { phase: "offered", from: "1", to: "2", size: 5 },
  { phase: "downloading", received: 1, total: null },
  { phase: "downloading", received: 1, total: 2 },
  { phase: "verified", digest: true },
  { phase: "verified", digest: false },
  { phase: "installed", from: "1", to: "2" },
  { phase: "reported", version: "2" },
  { phase: "failed", reason: { refused: 403 } },
  { phase: "failed", reason: { download: "lost" } },
  { phase: "cancelled" },
];
const WARNINGS: Warning[] = [
  { kind: "ignored", error: { blame: "codec", error: "not_json" } },
  { kind: "product_id_as_device_number" },
  { kind: "imei_check_digit" },
  { kind: "clock_jumped" },
  { kind: "unprotected_image" },
  { kind: "subscribe_refused", topic: "/t" },
  { kind: "secret_configured" },
];

describe("errors and events", () => {
  it("are told in both languages, and never as code", () => {
    const events: Event[] = [
      ...ERRORS.map((error): Event => ({ event: "retrying", error, failures: 1, in_ms: 1500 })),
      ...ADVICE.map((advice): Event => ({ event: "stopped", error: ERRORS[0]!, advice })),
      ...UPDATES.map((update): Event => ({ event: "update", update })),
      ...WARNINGS.map((warning): Event => ({ event: "warning", warning })),
      { event: "registered", identity: { platform: "ucloud", product: "p", device: "d" } },
      { event: "ready" },
      { event: "heartbeat", next: 1, next_unix: 2, why: "period_with_jitter" },
      { event: "scheduled", next: 1, next_unix: null, why: "limit" },
      { event: "properties_set", json: "{}" },
      { event: "properties_posted" },
      { event: "bind_token", token: "T", for_ms: 60_000 },
      { event: "permit", seconds: 65_535, product: null },
      { event: "permit", seconds: 60, product: "p" },
      { event: "topology", status: 1, devices: ["a/b"] },
      { event: "topology", status: 99, devices: ["a/b"] },
    ];
    for (const language of ["en", "zh"] as const) {
      i18n.set(language);
      for (const event of events) {
        for (const platform of PLATFORMS) {
          const text = eventText(event, platform);
          expect(text).not.toMatch(/undefined|\[object|_[a-z]/);
          if (language === "zh") expect(text).toMatch(/[\u4e00-\u9fff]/);
        }
      }
    }
  });

  it("names the vendor's own code", () => {
    expect(errorText(ERRORS[3]!, "ucloud")).toBe("UCloud refused the login: wrong user name or password (CONNACK 4)");
    expect(errorText(ERRORS[7]!, "cmcc")).toBe("China Mobile said no: code 500, no such device or product (“设备或产品不存在”)");
    i18n.set("zh");
    expect(errorText(ERRORS[3]!, "ucloud")).toBe("UCloud 拒绝登录：用户名或密码错误（CONNACK 4）");
  });

  it("has a next move for every advice and a cause for every trouble", () => {
    expect(Object.keys(t().advice).sort()).toEqual([...ADVICE].sort());
    for (const blame of ["codec", "peer_misbehaved", "rejected", "network", "no_reply", "local"] as const) expect(t().trouble.blame[blame]).not.toBe("");
  });
});

describe("rows", () => {
  const mqtt = (packet: Record<string, unknown>): Entry => ({ seq: 1, at: 0, unix: 0, kind: "mqtt", direction: "up", packet: { size: 1, masked: 0, ...packet } }) as Entry;
  it("shorten topics by what all of a device's topics share", () => {
    expect(shortTopic("/$system/p/d/password_reply")).toBe("…/password_reply");
    expect(shortTopic("/sys/p/d/thing/awss/enrollee/match")).toBe("…/thing/awss/enrollee/match");
    expect(shortTopic("/ota/device/inform/p/d")).toBe("/ota/device/inform/…");
    expect(shortTopic("/ext/register")).toBe("/ext/register");
  });
  it("say what a body is about", () => {
    expect(methodOf('{"Method":"report_version"}')).toBe("report_version");
    expect(methodOf('{"CMD":21,"ID":"1"}')).toBe("CMD 21");
    expect(methodOf('{"code":200}')).toBe("code 200");
    expect(methodOf("{broken")).toBe("");
    expect(methodOf("[1]")).toBe("");
  });
  it("say whether a login was taken", () => {
    expect(entryText(mqtt({ type: "CONNACK", return_code: 0 }), "ucloud").rest).toBe("accepted");
    expect(entryText(mqtt({ type: "CONNACK", return_code: 5 }), "ucloud").rest).toBe("refused (5)");
    expect(entryText(mqtt({ type: "SUBACK", return_code: 0x80 }), "ucloud").rest).toBe("refused (128)");
  });
  it("are explained by the flow that they are in", () => {
    const none = () => undefined;
    expect(explain(mqtt({ type: "CONNECT", username: "p|d|2" }), "ucloud", none).title.en).toBe("Pre-authentication");
    expect(explain(mqtt({ type: "CONNECT", username: "p|d|1" }), "ucloud", none).title.en).toBe("Login with its own password");
    expect(explain(mqtt({ type: "CONNECT", client_id: "d.p|random=1,authType=regnwl|" }), "alibaba", none).title.en).toBe("Dynamic registration over MQTT");
    expect(explain(mqtt({ type: "PUBLISH", topic: "/sys/p/d/thing/register/set" }), "krtyun", none).assumed).toBeDefined();
    const request = { seq: 3, at: 0, unix: 0, kind: "http", direction: "up", message: { method: "POST", url: "http://h/v2/customer/device/secret/info", headers: [], size: 1, masked: 0 } } as Entry;
    const answer = { seq: 4, at: 0, unix: 0, kind: "http", direction: "down", of: 3, message: { status: 200, headers: [], size: 1, masked: 0 } } as Entry;
    expect(explain(request, "cmcc", none).title.en).toBe("Ask for the device's information");
    expect(explain(answer, "cmcc", (seq) => (seq === 3 ? request : undefined)).title.en).toBe("Answer");
  });
});

describe("stretches of time", () => {
  it("are said in their own units", () => {
    expect([900, 59_000, 240_000, 1_800_000, 43_260_000, 259_200_000].map((ms) => waitText(ms).replaceAll("\u00a0", " "))).toEqual(["1 s", "59 s", "4 min 0 s", "30 min", "12 h 1 min", "3 days"]);
    i18n.set("zh");
    expect(waitText(43_260_000)).toBe("12\u00a0小时 1\u00a0分");
    expect(clockText(0)).toMatch(/^\d\d:\d\d:\d\d$/);
  });
});
