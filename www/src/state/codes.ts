// What a vendor's codes mean, as far as docs/protocols says so.

import type { PlatformName } from "../muster/types";
import type { Both } from "./settings";

type Code = Both & { assumed?: true };

const b = (en: string, zh: string): Code => ({ en, zh });
/** No document gives the number: the local clouds answer with it, and a device is ready for it. */
const a = (en: string, zh: string): Code => ({ en, zh, assumed: true });

const CODES: Record<PlatformName, Record<string, Code>> = {
  ucloud: {
    "140": a("dynamic registration is closed", "未开启动态注册"),
    "240": a("the device is active already", "设备已激活"),
    "100008": a("the device is not imported, or was deleted", "设备未导入或已删除"),
    "100019": a("the product is full", "产品的设备数已满"),
    "100072": a("the device is disabled", "设备已禁用"),
  },
  cmcc: {
    "500": b("no such device or product", "设备或产品不存在"),
  },
  krtyun: {},
  alibaba: {
    "401": b("not authorized: signature or iotToken", "未通过认证：签名或 iotToken"),
    "403": a("dynamic registration is off", "未开启动态注册"),
    "404": b("no such call", "没有这个接口"),
    "460": b("a parameter is missing or not allowed", "参数缺失或不允许"),
    "2063": b("no such iotId", "没有这个 iotId"),
    "2066": b("the device belongs to somebody else", "设备不属于该用户"),
    "5005": b("no such product", "产品不存在"),
    "6100": b("no such device", "设备不存在"),
    "6204": b("the device is disabled", "设备已禁用"),
    "6289": b("the device is active already", "设备已激活"),
    "6608": b("the token is unknown or ran out, or the time window is not open", "token 未知或已过期，或时间窗口未打开"),
  },
};

/** The gateway's texts, of page 43906. */
const GATEWAY: readonly [RegExp, Code][] = [
  [/^Invalid HttpMethod/, b("the gateway takes POST alone", "网关只接受 POST")],
  [/^Invalid AppKey/, b("the AppKey is unknown", "AppKey 不存在")],
  [/^Unauthorized/, b("the AppKey may not call this", "AppKey 没有调用权限")],
  [/^Empty Signature/, b("there is no signature", "缺少签名")],
  [/^Invalid Signature/, b("the signature is wrong: check the AppSecret", "签名错误：请检查 AppSecret")],
  [/^(Invalid Timestamp|Timestamp Expired)/, b("the timestamp is off by more than 15 minutes: check this machine's clock", "时间戳偏差超过 15 分钟：请检查本机时钟")],
  [/^Invalid Content-MD5/, b("the body is not the one that was signed", "正文与签名时不一致")],
  [/^Nonce Used/, b("this request was seen before", "请求重复")],
  [/^Throttled/, b("too many calls; wait a little", "调用过于频繁，请稍候")],
  [/^(Empty|Invalid) Request Body/, b("the body is no JSON object", "正文不是 JSON 对象")],
];

export function codeMeaning(platform: PlatformName, code: string): Code | undefined {
  const codes = CODES[platform];
  return Object.hasOwn(codes, code) ? codes[code] : undefined;
}

export function gatewayMeaning(message: string): Code | undefined {
  return GATEWAY.find(([pattern]) => pattern.test(message))?.[1];
}
