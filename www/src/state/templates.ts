// Ready-made beginnings for a device: the ways in which each platform's documents let one come to life. A template says
// which settings make the way, which it does without, and what the platform has to allow.

import type { PlatformName } from "../muster/types";
import { SETTINGS, type Both } from "./settings";

export type Template = {
  id: string;
  name: Both;
  /** When to use it, and what it takes on the platform's side. */
  when: Both;
  set: Record<string, string>;
  /** What this way does without. */
  without: readonly string[];
  /** What a person has to have for it. */
  needs: readonly string[];
};

export const TEMPLATES: Record<PlatformName, readonly Template[]> = {
  ucloud: [
    {
      id: "dynamic",
      name: { en: "Dynamic registration, device added before", zh: "动态注册，设备已预先添加" },
      when: {
        en: "One firmware for all: each device gets its own password at its first start. Dynamic registration is switched on for the product, and the DeviceSN is on the console's list.",
        zh: "一型一密：所有设备烧录同一固件，首次启动时各自取得设备密码。产品需打开动态注册，DeviceSN 需先在控制台添加。",
      },
      set: {},
      without: ["device_secret"],
      needs: ["product_secret"],
    },
    {
      id: "dynamic-open",
      name: { en: "Dynamic registration of any device", zh: "动态注册，无需预先添加" },
      when: {
        en: "As before, with pre-registration switched off: the platform makes an unknown DeviceSN, such as a MAC, at its first login. Whoever has the product's secret can add devices.",
        zh: "同上，但关闭预注册：平台在首次登录时自动创建未知的 DeviceSN（例如 MAC）。持有产品密码者都能添加设备。",
      },
      set: {},
      without: ["device_secret"],
      needs: ["product_secret"],
    },
    {
      id: "static",
      name: { en: "Static registration, own password", zh: "静态注册，自带设备密码" },
      when: {
        en: "The password was given on the console and put into the device at the factory. Nothing is registered; the product's secret is not needed. Of a local cloud's device, Cloud shows it.",
        zh: "一机一密：设备密码由控制台给出并在生产时写入。无需注册，也不需要产品密码。本地云的设备密码可在云端视图查看。",
      },
      set: {},
      without: ["product_secret"],
      needs: ["device_secret"],
    },
  ],
  cmcc: [
    {
      id: "cmei",
      name: { en: "Wi-Fi device with a CMEI", zh: "Wi-Fi 设备，CMEI 设备号" },
      when: {
        en: "A device without a cellular module whose 15 digits begin with 11. It reports every 12 hours, give or take 15 minutes (the document's strategy 2).",
        zh: "没有蜂窝模组、设备号为 11 开头 15 位数字的设备。约每 12 小时上报一次，随机偏移 15 分钟（文档策略 2）。",
      },
      set: { device_no_type: "CMEI", cellular: "false", strategy: "interval", device_no_from: "setting" },
      without: ["imei", "cmei"],
      needs: ["device_no"],
    },
    {
      id: "sn",
      name: { en: "Wi-Fi device with a serial number", zh: "Wi-Fi 设备，SN 设备号" },
      when: {
        en: "A device known by the maker's own serial number, imported on the platform. Its CMEI is reported as unknown. It reports every 12 hours or so.",
        zh: "以厂商自有序列号（已在平台导入）标识的设备，CMEI 按读不到上报。约每 12 小时上报一次。",
      },
      set: { device_no_type: "SN", cellular: "false", strategy: "interval", device_no_from: "setting", cmei: "" },
      without: ["imei"],
      needs: ["device_no"],
    },
    {
      id: "imei",
      name: { en: "Cellular device with an IMEI", zh: "蜂窝设备，IMEI 设备号" },
      when: {
        en: "A device with a cellular module: its IMEI is its number. It reports every 12 hours or so.",
        zh: "带蜂窝模组、以 IMEI 作设备号的设备。约每 12 小时上报一次。",
      },
      set: { device_no_type: "IMEI", cellular: "true", strategy: "interval", device_no_from: "setting" },
      without: ["imei", "cmei"],
      needs: ["device_no"],
    },
    {
      id: "daily",
      name: { en: "Reports at the first use of a day", zh: "每天首次使用时上报" },
      when: {
        en: "For what people switch on and use, such as a speaker (the document's strategy 1): a report at the day's first use, and on days without one shortly before 24 hours are over. “Used today” stands for the use.",
        zh: "适合由人使用的设备，例如音箱（文档策略 1）：每天首次使用时上报；当天未使用则在满 24 小时前上报。“今日使用”按钮代表一次使用。",
      },
      set: { device_no_type: "CMEI", cellular: "false", strategy: "daily", device_no_from: "setting" },
      without: ["imei", "cmei"],
      needs: ["device_no"],
    },
    {
      id: "product-number",
      name: { en: "Product id as device number", zh: "以产品 ID 作设备号" },
      when: {
        en: "For a device that cannot read any number of its own (the document's Q&A 4). All such devices are one to the platform; the vendor does not recommend it.",
        zh: "适合读不到任何设备号的设备（文档问答 4）。平台会把这些设备视为同一台，厂商不推荐。",
      },
      set: { device_no_type: "SN", cellular: "false", strategy: "interval", device_no_from: "product_id", cmei: "" },
      without: ["device_no", "imei"],
      needs: [],
    },
  ],
  krtyun: [
    {
      id: "auto",
      name: { en: "Dynamic registration, made by the platform", zh: "动态注册，平台自动创建" },
      when: {
        en: "The product's registration switch is on, and so is AutoCreate: a DeviceID that nobody entered is made at its first login, up to the product's limit.",
        zh: "产品已打开动态注册和自动创建：未录入的 DeviceID 在首次登录时自动创建，不超过产品上限。",
      },
      set: {},
      without: ["device_secret"],
      needs: ["product_secret"],
    },
    {
      id: "listed",
      name: { en: "Dynamic registration of a listed device", zh: "动态注册，设备已录入" },
      when: {
        en: "The registration switch is on, AutoCreate is off: only a DeviceID that was entered on the platform may ask for its secret, once.",
        zh: "打开动态注册、关闭自动创建：只有已在平台录入的 DeviceID 才能请求密钥，且只下发一次。",
      },
      set: {},
      without: ["device_secret"],
      needs: ["product_secret"],
    },
    {
      id: "own",
      name: { en: "Own secret, no registration", zh: "自带设备密钥，不注册" },
      when: {
        en: "One secret for each device, put into it at the factory. It logs in at once; the product's secret is not needed.",
        zh: "一机一密：设备密钥在生产时写入，直接登录，不需要产品密钥。",
      },
      set: {},
      without: ["product_secret"],
      needs: ["device_secret"],
    },
  ],
  alibaba: [
    {
      id: "http",
      name: { en: "One secret for the product, registered over HTTP", zh: "一型一密预注册，HTTP" },
      when: {
        en: "The DeviceName is on the platform, dynamic registration is on. The device asks for its DeviceSecret over HTTPS. Until its first login a second registration voids the first secret.",
        zh: "DeviceName 已在平台添加并打开动态注册，设备通过 HTTPS 获取 DeviceSecret。首次登录前再次注册会使之前的密钥失效。",
      },
      set: { registration: "http", auth_type: "register" },
      without: ["device_secret"],
      needs: ["product_secret", "auth_url"],
    },
    {
      id: "mqtt",
      name: { en: "One secret for the product, registered over MQTT", zh: "一型一密预注册，MQTT" },
      when: {
        en: "The same over MQTT: no HTTP, so nothing that a browser's rules for pages (CORS) could refuse.",
        zh: "同上，但通过 MQTT：不使用 HTTP，因此不受网页跨域（CORS）限制。",
      },
      set: { registration: "mqtt", auth_type: "register" },
      without: ["device_secret"],
      needs: ["product_secret"],
    },
    {
      id: "regnwl",
      name: { en: "One secret for the product, without pre-registration", zh: "一型一密免预注册" },
      when: {
        en: "Nobody enters the DeviceName: the platform makes it, and answers with a client id and a token in place of a secret. Over MQTT alone; the product has to allow it (locally: RegisterWithoutWhitelist).",
        zh: "无需预先添加 DeviceName：平台自动创建，并返回 clientId 和 token 代替密钥。只能通过 MQTT，产品需允许免白名单（本地云为 RegisterWithoutWhitelist）。",
      },
      set: { registration: "mqtt", auth_type: "regnwl" },
      without: ["device_secret"],
      needs: ["product_secret"],
    },
    {
      id: "own",
      name: { en: "One secret for each device", zh: "一机一密" },
      when: {
        en: "ProductKey, DeviceName and DeviceSecret were put into the device at the factory. It logs in at once. Of a local cloud's device, Cloud shows the secret.",
        zh: "ProductKey、DeviceName 和 DeviceSecret 在生产时写入，直接登录。本地云的设备密钥可在云端视图查看。",
      },
      set: { registration: "http", auth_type: "register" },
      without: ["product_secret"],
      needs: ["device_secret"],
    },
    {
      id: "living",
      name: { en: "Living Link, bound by token", zh: "生活物联网，用 token 绑定" },
      when: {
        en: "Registered over HTTP; after each login it announces a token that it stands by for a minute, and its owner's app binds it. Start the owner's side beside it to see both halves.",
        zh: "通过 HTTP 注册；每次登录后公布一个 60 秒内有效的 token，由用户的 App 绑定。可在旁边启动用户侧，观察绑定的两端。",
      },
      set: { registration: "http", auth_type: "register", bind_token: "true", bind_token_life_s: "60" },
      without: ["device_secret"],
      needs: ["product_secret", "auth_url"],
    },
    {
      id: "cloud-only",
      name: { en: "Without an owner", zh: "不绑定用户" },
      when: {
        en: "For a product that nobody's app binds: no token is announced, and a gateway's messages are left alone.",
        zh: "适合不由用户 App 绑定的产品：不公布 token，也不处理网关消息。",
      },
      set: { registration: "http", auth_type: "register", bind_token: "false", gateway: "false" },
      without: ["device_secret"],
      needs: ["product_secret", "auth_url"],
    },
  ],
};

/** Settings that any template of the platform is about. */
function concerned(platform: PlatformName): Set<string> {
  return new Set(TEMPLATES[platform].flatMap(({ set, without }) => [...Object.keys(set), ...without]));
}

/** The settings by this template. What another template changed is as it was in `before`; all else stays. */
export function withTemplate(platform: PlatformName, template: Template, settings: Record<string, string>, before: Record<string, string>): Record<string, string> {
  const out = { ...settings };
  for (const key of concerned(platform)) {
    const value = template.set[key] ?? (template.without.includes(key) ? undefined : before[key]);
    if (value === undefined) delete out[key];
    else out[key] = value;
  }
  return out;
}

/** Whether the settings go this template's way. */
export function follows(platform: PlatformName, template: Template, settings: Record<string, string>): boolean {
  const value = (key: string) => settings[key]?.trim() ?? SETTINGS[platform].find((setting) => setting.key === key)?.default ?? "";
  return Object.entries(template.set).every(([key, wanted]) => value(key) === wanted) && template.without.every((key) => (settings[key] ?? "").trim() === "");
}
