// Real clouds: the environments that the vendors' documents name, each with where the fact is from. What no document
// gives is left for the person to fill in. The relay's list (host/src/up/relay/allow.rs) holds the same hosts; a test
// compares the two.

import type { PlatformName } from "../muster/types";
import type { Both } from "./settings";

export type Preset = {
  id: string;
  name: Both;
  /** What it fills in. `{product_key}` stands for that setting. */
  settings: Record<string, string>;
  note: Both;
  /** Which document says so. */
  source: string;
};

const UCLOUD_REGIONS: readonly [string, Both][] = [
  ["cn-sh2", { en: "Shanghai", zh: "上海" }],
  ["cn-gd", { en: "Guangzhou", zh: "广州" }],
];
const UCLOUD_SOURCE = "UCloud, product_introduction/available_region_url";

/** Regions with public instances of IoT Platform. */
const ALIBABA_REGIONS: readonly [string, Both][] = [
  ["cn-shanghai", { en: "China (Shanghai)", zh: "华东 2（上海）" }],
  ["ap-southeast-1", { en: "Singapore", zh: "新加坡" }],
  ["ap-northeast-1", { en: "Japan (Tokyo)", zh: "日本（东京）" }],
  ["eu-central-1", { en: "Germany (Frankfurt)", zh: "德国（法兰克福）" }],
  ["us-west-1", { en: "US (Silicon Valley)", zh: "美国（硅谷）" }],
  ["us-east-1", { en: "US (Virginia)", zh: "美国（弗吉尼亚）" }],
];

function ucloud([region, city]: (typeof UCLOUD_REGIONS)[number]): Preset[] {
  const host = `mqtt-${region}.iot.ucloud.cn`;
  const name = (en: string, zh: string): Both => ({ en: `${city.en} (${region}), ${en}`, zh: `${city.zh}（${region}），${zh}` });
  return [
    {
      id: `${region}-wss`,
      name: name("WebSocket with TLS", "WebSocket（TLS）"),
      settings: { broker: `wss://${host}:443` },
      note: { en: "MQTT over WebSocket on port 443, with a certificate that browsers know.", zh: "443 端口的 MQTT over WebSocket，证书为浏览器所信任。" },
      source: UCLOUD_SOURCE,
    },
    {
      id: `${region}-tls`,
      name: name("TLS, as devices do", "TLS，与真实设备相同"),
      settings: { broker: `mqtts://${host}:8883` },
      note: {
        en: "Port 8883 has a certificate of UCloud's own authority: download that from the vendor, and start muster up with --relay-ca FILE.",
        zh: "8883 端口使用 UCloud 自建 CA 的证书：请从厂商下载该 CA 证书，并用 --relay-ca FILE 启动 muster up。",
      },
      source: UCLOUD_SOURCE,
    },
    {
      id: `${region}-tcp`,
      name: name("TCP, as devices do", "TCP，与真实设备相同"),
      settings: { broker: `mqtt://${host}:1883` },
      note: { en: "Nothing is encrypted: whoever is between can read the product's secret.", zh: "不加密：途经的任何一方都能读到产品密钥。" },
      source: UCLOUD_SOURCE,
    },
  ];
}

function alibaba([region, city]: (typeof ALIBABA_REGIONS)[number]): Preset[] {
  const host = `{product_key}.iot-as-mqtt.${region}.aliyuncs.com`;
  const auth = { auth_url: `https://iot-auth.${region}.aliyuncs.com` };
  const source = "Alibaba Cloud IoT Platform, “Manage instance endpoints”, “Establish MQTT over WebSocket connections”, “Establish MQTT connections over TCP”";
  return [
    {
      id: `${region}-wss`,
      name: { en: `${city.en}, WebSocket with TLS`, zh: `${city.zh}，WebSocket（TLS）` },
      settings: { broker: `wss://${host}:443`, ...auth },
      note: {
        en: "For public instances; an Enterprise instance's own address is in its console. Registration over HTTP needs the relay if the server does not let web pages in; registration over MQTT does not.",
        zh: "适用于公共实例；企业版实例的地址见其控制台。若注册服务器不允许网页跨域访问，HTTP 注册需经中继；MQTT 注册则不需要。",
      },
      source,
    },
    {
      id: `${region}-tls`,
      name: { en: `${city.en}, TLS as devices do`, zh: `${city.zh}，TLS（与真实设备相同）` },
      settings: { broker: `mqtts://${host}:1883`, ...auth },
      note: { en: "Port 1883 takes TLS too (securemode=2).", zh: "1883 端口同样支持 TLS（securemode=2）。" },
      source,
    },
  ];
}

/** Real clouds. */
export const PRESETS: Record<PlatformName, readonly Preset[]> = {
  ucloud: UCLOUD_REGIONS.flatMap(ucloud),
  cmcc: [
    {
      id: "production",
      name: { en: "Production", zh: "正式环境" },
      settings: { environment: "production" },
      note: {
        en: "The document's Q&A advises to use this one. It says nothing of web pages (CORS); by the relay they need no leave, and the relay adds X-AI-IP as a vendor's server has to.",
        zh: "文档问答建议直接使用此环境。文档未提及网页跨域（CORS）；经中继访问不受限制，且中继会按要求添加 X-AI-IP（非设备接入时必传）。",
      },
      source: "中国移动《设备接入协议》，环境配置",
    },
    {
      id: "test",
      name: { en: "Test", zh: "测试环境" },
      settings: { environment: "test" },
      note: { en: "The document's Q&A advises to use production instead.", zh: "文档的问答建议直接使用正式环境。" },
      source: "中国移动《设备接入协议》，环境配置",
    },
  ],
  krtyun: [
    {
      id: "krtyun-tcp",
      name: { en: "krtyun, TCP", zh: "科睿特，TCP" },
      settings: { broker: "mqtt://iot.krtyun.com:16007" },
      note: {
        en: "The document's address. The console's own code calls 16007 the TLS port, so if plain TCP gets no answer, try the next one.",
        zh: "文档给出的地址。平台控制台的代码将 16007 称为 TLS 端口，若 TCP 无应答请换用下一项。",
      },
      source: "科睿特《设备动态注册》 (tcp://iot.krtyun.com:16007)",
    },
    {
      id: "krtyun-tls",
      name: { en: "krtyun, TLS", zh: "科睿特，TLS" },
      settings: { broker: "mqtts://iot.krtyun.com:16007" },
      note: { en: "By the console's code, not by the document. No document names a WebSocket.", zh: "依据平台控制台的代码，文档并未写明。文档没有给出 WebSocket 地址。" },
      source: "docs/protocols/krtyun.md",
    },
  ],
  alibaba: ALIBABA_REGIONS.flatMap(alibaba),
};

/** The preset whose addresses these are. */
export function presetOf(platform: PlatformName, settings: Record<string, string>): Preset | undefined {
  return PRESETS[platform].find((preset) => {
    const wanted = Object.entries(preset.settings);
    if (platform === "cmcc" && (settings["base_url"] ?? "") !== "") return false;
    return wanted.every(([key, value]) => {
      const given = settings[key] ?? (platform === "cmcc" && key === "environment" ? "production" : "");
      return given === value || given === filled(value, settings);
    });
  });
}

/** An address with its `{…}` filled in, as far as the settings know. */
export function filled(value: string, settings: Record<string, string>): string {
  return value.replace(/\{(\w+)\}/g, (whole, key: string) => {
    const known = (settings[key] ?? "").trim();
    return known === "" ? whole : known;
  });
}

/** Settings whose addresses name what they have to name. */
export function filledIn(settings: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, key === "broker" || key === "auth_url" || key === "base_url" ? filled(value, settings) : value]));
}
