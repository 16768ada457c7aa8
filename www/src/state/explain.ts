// What an entry is in the vendor's flow, and where that is written. The facts are those of docs/protocols/*.md.

import type { Entry, MqttPacket, PlatformName } from "../muster/types";
import type { Both } from "./settings";

export type Explanation = { title: Both; text: Both; source: Both; assumed?: Both };

const b = (en: string, zh: string): Both => ({ en, zh });

const MQTT = b("MQTT 3.1.1", "MQTT 3.1.1");
const UCLOUD_PAGE = b("UCloud, “dynamic registration” (2019-07-30)", "UCloud《动态注册》（2019-07-30）");
const UCLOUD_DOC = b("UCloud, uiot-core documentation", "UCloud uiot-core 文档");
const CMCC_DOC = b("China Mobile, device access protocol V1.0", "中国移动《设备接入协议》V1.0");
const KRTYUN_DOC = b("krtyun, device OTA and dynamic registration (2019-12-10)", "科睿特《设备OTA升级》《设备动态注册》（2019-12-10）");
const ALIBABA_REG = b("help.aliyun.com, unique-certificate-per-product", "help.aliyun.com《一型一密》");
const ALIBABA_OTA = b("help.aliyun.com 89307, OTA", "help.aliyun.com 89307《OTA 升级》");
const ALIBABA_BIND = b("iotkit-embedded, dev_bind", "iotkit-embedded dev_bind");
const ALIBABA_PROPERTIES = b("help.aliyun.com, device properties", "help.aliyun.com《设备属性》");
const ALIBABA_GATEWAY = b("iotkit-embedded, impl_linkkit.c; help.aliyun.com, topology", "iotkit-embedded impl_linkkit.c；help.aliyun.com《拓扑关系》");
const ALIBABA_SEED = b("Alibaba, “Device provisioning service”", "阿里云《设备配网服务》");
const NO_BODY = b("The body: the vendor's pictures are missing.", "报文内容：厂商文档缺图。");
const CODES = b("The number of the code: no document gives it.", "返回码数值：没有文档说明。");

const TABLE = {
  fault: {
    title: b("A fault that was armed on this page", "本页布置的故障"),
    text: b("It was done at the device's end: the cloud sends and receives what it always does, and knows nothing of it. Of a message that was changed this is what the device was shown.", "故障只作用在设备一侧：云端照常收发，并不知情。报文被改动时，这里是设备看到的内容。"),
    source: b("Panel “Faults”", "“故障注入”面板"),
  },
  uConnect2: {
    title: b("Pre-authentication", "预认证"),
    text: b("The device knows only its product's secret. ClientID is ProductSN.DeviceSN, the user name ends in 2. In this session it may do one thing: ask for its own password.", "设备只知道产品密钥。ClientID 为 ProductSN.DeviceSN，用户名以 2 结尾。此会话只能做一件事：请求设备自己的密码。"),
    source: UCLOUD_PAGE,
  },
  uConnect1: {
    title: b("Login with its own password", "用自己的密码登录"),
    text: b("The user name ends in 1. The first login of this kind activates the device; from then on dynamic registration is closed for it until an operator resets it.", "用户名以 1 结尾。首次这样登录会激活设备，此后动态注册关闭，直到运维重置设备。"),
    source: UCLOUD_PAGE,
  },
  uSubPassword: {
    title: b("Subscribe before asking", "先订阅再请求"),
    text: b("The password comes on this topic. The device waits for the SUBACK before it asks, so that no answer can be missed.", "密码通过此主题下发。设备收到 SUBACK 后才发出请求，避免漏掉应答。"),
    source: UCLOUD_PAGE,
  },
  uAskPassword: {
    title: b("Ask for the device's password", "请求设备密码"),
    text: b("The RequestID ties the reply to this request. A repeated request keeps it, so that a late reply still counts.", "RequestID 用于匹配应答。重发时保持不变，迟到的应答仍然有效。"),
    source: UCLOUD_PAGE,
  },
  uPassword: {
    title: b("Password issued", "下发密码"),
    text: b("The platform answers this until the device has logged in with its own password. After that, asking again is refused until an operator resets the device. The device stores the password before it does anything else.", "在设备用自己的密码登录之前，平台会一直应答。之后再请求会被拒绝，直到运维重置设备。设备先保存密码，再做其他事。"),
    source: UCLOUD_PAGE,
  },
  uUpstream: {
    title: b("Report about firmware", "固件上报"),
    text: b("report_version says what runs; request_firmware asks for an update; report_progress, report_success and report_fail tell how one goes. The end is repeated until the cloud acknowledges it.", "report_version 上报版本；request_firmware 请求升级；report_progress、report_success、report_fail 汇报过程。最终结果会重复上报，直到云端确认。"),
    source: UCLOUD_DOC,
  },
  uDownstream: {
    title: b("Order about firmware", "固件指令"),
    text: b("update_firmware names version, address, MD5 and size. The device stores the order before it begins, so that a power cut does not lose it. cancel_update takes it back.", "update_firmware 给出版本、地址、MD5 和大小。设备先保存指令再执行，断电也不会丢失。cancel_update 撤回升级。"),
    source: UCLOUD_DOC,
  },
  uProperty: {
    title: b("Thing model: properties", "物模型：属性"),
    text: b("post sends values up, set brings them down; each is answered with RetCode 0. One post is under way at a time, and one that is lost with the connection is posted again.", "post 上报属性，set 下发属性，各自以 RetCode 0 应答。一次只进行一个上报，随连接丢失的会重新上报。"),
    source: UCLOUD_DOC,
  },
  kConnect: {
    title: b("Connect", "连接"),
    text: b("ClientID is the ProductID, the user name the DeviceID. The password is the ProductSecret to register, and the device's own secret ever after. All devices of a product share a ClientID, so the user name tells them apart.", "ClientID 为 ProductID，用户名为 DeviceID。注册时密码为 ProductSecret，之后为设备自己的密钥。同一产品的设备共用 ClientID，靠用户名区分。"),
    source: KRTYUN_DOC,
  },
  kRegisterSub: {
    title: b("Subscribe before asking", "先订阅再请求"),
    text: b("The secret is issued on register/set, once. Who has not subscribed gets nothing.", "密钥在 register/set 上只颁发一次。没有订阅则收不到。"),
    source: KRTYUN_DOC,
  },
  kRegisterPost: {
    title: b("Ask, or confirm", "请求或确认"),
    text: b("First the request for the secret; then, once it is stored, BACK OK with the issue's ID. The confirmation makes the device active, and the platform closes the socket.", "先请求密钥；保存后以颁发报文的 ID 回复 BACK OK。确认后设备激活，平台关闭连接。"),
    source: KRTYUN_DOC,
    assumed: NO_BODY,
  },
  kRegisterSet: {
    title: b("Secret issued", "颁发密钥"),
    text: b("Issued once. It has to be stored, then confirmed. After the confirmation the platform does not answer requests any more.", "只颁发一次。须先保存再确认。确认之后平台不再回复。"),
    source: KRTYUN_DOC,
    assumed: NO_BODY,
  },
  kOtaPost: {
    title: b("Version, or the answer to an order", "版本上报或应答升级"),
    text: b("CMD 10 reports hardware and firmware version: after every login, and on a schedule. CMD 11 answers an order with BACK OK or ERROR.", "CMD 10 上报硬件和固件版本：每次登录后以及定时上报。CMD 11 以 BACK OK 或 ERROR 应答升级指令。"),
    source: KRTYUN_DOC,
  },
  kOtaSet: {
    title: b("Order to update", "升级指令"),
    text: b("Names version and address; only http:// is allowed. The protocol has no digest, size or signature: without firmware_sha256 in the settings nothing protects the image.", "给出版本和地址，只允许 http://。协议没有摘要、大小或签名：设置中没有 firmware_sha256 时固件没有任何保护。"),
    source: KRTYUN_DOC,
  },
  cInfo: {
    title: b("Ask for the device's information", "获取设备信息"),
    text: b("Once for a device number. Body in the document's key order; no signature, no timestamp. The answer brings deviceId and deviceSecret, which are stored before they are used.", "每个设备号一次。报文键序与文档一致，没有签名和时间戳。应答带回 deviceId 和 deviceSecret，先保存再使用。"),
    source: CMCC_DOC,
  },
  cReport: {
    title: b("Report: the heartbeat", "上报：心跳"),
    text: b("At least once in 24 hours. T_next = T_current + 12 h ± 15 min at random, so that devices do not all report at once. Every key of params is always there.", "至少 24 小时一次。T_next = T_current + 12 小时 ± 15 分钟随机，避免设备同时上报。params 的每个键都会出现。"),
    source: CMCC_DOC,
  },
  cAnswer: {
    title: b("Answer", "应答"),
    text: b("A success has HTTP status 200, code 200 (string or number) and a success that is not false. Code 500 on a report stops the device: it never asks for a new secret on its own.", "成功：HTTP 状态 200、code 200（字符串或数字）且 success 不为 false。上报得到 500 时设备停下，不会自行再次获取密钥。"),
    source: CMCC_DOC,
  },
  aRegister: {
    title: b("Dynamic registration over HTTP", "HTTP 动态注册"),
    text: b("A form with productKey, deviceName, random and their HMAC by the ProductSecret. Until the first login each registration makes a new DeviceSecret, and the last one counts.", "表单含 productKey、deviceName、random 及用 ProductSecret 计算的 HMAC。首次登录之前每次注册都产生新的 DeviceSecret，以最后一次为准。"),
    source: ALIBABA_REG,
  },
  aRegisterAnswer: {
    title: b("DeviceSecret issued", "下发 DeviceSecret"),
    text: b("Code 200 with a secret for this very device. It is stored, and only then is the device registered. 6289 means active already; then an operator has to reset it.", "code 200 且密钥属于该设备。先保存，才算注册完成。6289 表示已激活，需要运维重置。"),
    source: ALIBABA_REG,
  },
  aConnectRegister: {
    title: b("Dynamic registration over MQTT", "MQTT 动态注册"),
    text: b("The client id carries random, authType and signmethod; the password is the HMAC by the ProductSecret. Nothing is subscribed to: the server pushes the secret and ends the session.", "客户端 ID 携带 random、authType、signmethod，密码为用 ProductSecret 计算的 HMAC。无需订阅，服务器推送密钥后结束会话。"),
    source: ALIBABA_REG,
  },
  aConnect: {
    title: b("Login", "登录"),
    text: b("The password is the HMAC by the DeviceSecret over clientId, deviceName, productKey and timestamp; the secret itself never travels. The first login activates the device.", "密码为用 DeviceSecret 对 clientId、deviceName、productKey、timestamp 计算的 HMAC，密钥本身不传输。首次登录激活设备。"),
    source: b("help.aliyun.com, MQTT sign-in; vendor SDKs", "help.aliyun.com《MQTT 连接签名》；厂商 SDK"),
  },
  aToken: {
    title: b("Bind token", "绑定 token"),
    text: b("16 random bytes that the device reports here and announces on its local network. An app that knows it is near the device. A new one after each login; the device stands by it for 60 seconds, counted from the cloud's answer.", "16 字节随机数，设备在此上报并在本地网络公布。App 知道它即说明在设备附近。每次登录后更新，从云端应答起有效 60 秒。"),
    source: ALIBABA_BIND,
  },
  aInform: {
    title: b("Version report", "版本上报"),
    text: b("What runs. An update has succeeded when the ordered version is reported here.", "上报当前版本。在此上报目标版本即表示升级成功。"),
    source: ALIBABA_OTA,
  },
  aUpgrade: {
    title: b("Order to update", "升级指令"),
    text: b("Version, address, size and digest (MD5 or SHA256). The order is stored before it is worked on, and the digest compared before anything is installed.", "版本、地址、大小和摘要（MD5 或 SHA256）。先保存指令再执行，比对摘要后才安装。"),
    source: ALIBABA_OTA,
  },
  aProgress: {
    title: b("Progress of the update", "升级进度"),
    text: b("1 to 100; −1 update, −2 download, −3 verification, −4 installation failed.", "1 到 100；−1 升级失败，−2 下载失败，−3 校验失败，−4 安装失败。"),
    source: ALIBABA_OTA,
  },
  aProperty: {
    title: b("Properties", "属性"),
    text: b("post sends values up, set brings them down. The cloud's messages are answered with the id that they came with.", "post 上报，set 下发。对云端消息按其 id 应答。"),
    source: ALIBABA_PROPERTIES,
  },
  aGateway: {
    title: b("Gateway", "网关"),
    text: b("permit opens joining: 0 always, seconds, 65535 closed. topo/change tells which sub-devices were added or removed.", "permit 打开入网：0 为一直，或秒数，65535 为关闭。topo/change 通知子设备增减。"),
    source: ALIBABA_GATEWAY,
  },
  aCall: {
    title: b("A call of the owner's app", "用户 App 的调用"),
    text: b("POST with id, version, apiVer, iotToken and params. The API Gateway signature covers method, headers and path; the body only through Content-MD5.", "POST，含 id、version、apiVer、iotToken 和 params。API 网关签名覆盖方法、请求头和路径；正文仅由 Content-MD5 保护。"),
    source: ALIBABA_SEED,
  },
  aCallAnswer: {
    title: b("Answer to the app", "给 App 的应答"),
    text: b("HTTP 200 with code and message. 401: another iotToken is needed; 6608: the token is not known (yet); 2066: the device belongs to somebody else.", "HTTP 200，含 code 和 message。401：需要新的 iotToken；6608：token（尚）未知；2066：设备属于他人。"),
    source: ALIBABA_SEED,
  },
  connack: {
    title: b("The cloud's answer to CONNECT", "对 CONNECT 的应答"),
    text: b("0: accepted. 1 protocol version, 2 identifier, 3 not available, 4 user name or password, 5 not authorized.", "0：接受。1 协议版本，2 标识，3 不可用，4 用户名或密码，5 未授权。"),
    source: MQTT,
  },
  connackRefused: {
    title: b("Login refused", "登录被拒绝"),
    text: b("1 protocol version, 2 identifier, 3 not available, 4 user name or password, 5 not authorized. 3 is tried again; the others stop the device, because repeating them changes nothing.", "1 协议版本，2 标识，3 不可用，4 用户名或密码，5 未授权。3 会重试；其余会让设备停下，因为重复没有意义。"),
    source: MQTT,
    assumed: CODES,
  },
  suback: {
    title: b("Subscription answered", "订阅应答"),
    text: b("The granted QoS, or 0x80 for a refusal. Only now is it safe to ask for something that is answered on this topic.", "给出授予的 QoS，0x80 表示拒绝。此时再请求由该主题应答的内容才安全。"),
    source: MQTT,
  },
  subscribe: {
    title: b("Subscribe", "订阅"),
    text: b("The device listens to this topic from the SUBACK on.", "收到 SUBACK 后，设备开始接收此主题。"),
    source: MQTT,
  },
  puback: {
    title: b("Acknowledged", "已确认"),
    text: b("QoS 1: the other side has the message. MQTT 3.1.1 has no negative answer, so this does not mean that it agreed.", "QoS 1：对方已收到。MQTT 3.1.1 没有否定应答，因此不代表对方同意。"),
    source: MQTT,
  },
  ping: {
    title: b("Keep alive", "保活"),
    text: b("Nothing was sent for a while, so the device shows that it is there. A cloud drops a device that stays silent for one and a half keep alives.", "一段时间没有发送数据，设备以此表明仍在线。沉默超过 1.5 个保活周期会被云端断开。"),
    source: MQTT,
  },
  disconnect: {
    title: b("Leave", "断开"),
    text: b("A clean goodbye: the session ends here, and the next one is logged in anew.", "正常告别：会话到此结束，下一次重新登录。"),
    source: MQTT,
  },
  publish: {
    title: b("Message", "消息"),
    text: b("A message of this topic.", "该主题的一条消息。"),
    source: MQTT,
  },
  storePut: {
    title: b("Persist, then acknowledge", "先保存，再确认"),
    text: b("The value is on storage before anything that depends on it is sent. A power cut here loses nothing that the cloud relies on.", "依赖该值的内容发送之前，值已落盘。此时断电不会丢失云端所依赖的内容。"),
    source: b("Muster, docs/architecture.md", "Muster docs/architecture.md"),
  },
  storeErase: {
    title: b("Erase", "清除"),
    text: b("Only a person's decision, or an update that is over, removes a value.", "只有人的决定或升级结束才会删除。"),
    source: b("Muster, docs/architecture.md", "Muster docs/architecture.md"),
  },
  install: {
    title: b("Install", "安装"),
    text: b("The page simulates this: nothing is flashed, and the new version is reported from now on.", "页面只作模拟：不会真正烧录，此后上报新版本。"),
    source: b("Muster", "Muster"),
  },
  linkOpening: {
    title: b("Opening a connection", "建立连接"),
    text: b("The browser opens a WebSocket with subprotocol mqtt, or sends an HTTP request. At most eight wait at once, because browsers pace them.", "浏览器建立子协议为 mqtt 的 WebSocket，或发送 HTTP 请求。浏览器会限速，因此最多同时等待八个。"),
    source: b("Muster", "Muster"),
  },
  linkClosed: {
    title: b("Connection closed", "连接关闭"),
    text: b("Browsers do not tell why a connection failed. The page takes a second look to find out.", "浏览器不说明连接失败的原因，页面会再探测一次以查明。"),
    source: b("Muster", "Muster"),
  },
  event: {
    title: b("The device says", "设备报告"),
    text: b("No packet: what the device's core found out.", "不是报文，而是设备核心得出的结论。"),
    source: b("Muster", "Muster"),
  },
  download: {
    title: b("Fetch the image", "下载固件"),
    text: b("The image is hashed while it streams; size and digest are compared before anything is installed.", "边下载边计算摘要；比对大小和摘要后才安装。"),
    source: b("Muster, docs/device.md", "Muster docs/device.md"),
  },
} satisfies Record<string, Explanation>;

export type ExplanationId = keyof typeof TABLE;

export function explain(entry: Entry, platform: PlatformName, seen: (seq: number) => Entry | undefined): Explanation {
  return TABLE[explanationId(entry, platform, seen)];
}

export function explanationId(entry: Entry, platform: PlatformName, seen: (seq: number) => Entry | undefined): ExplanationId {
  switch (entry.kind) {
    case "mqtt":
      return mqttId(entry.packet, platform);
    case "http": {
      const request = entry.direction === "up" ? entry : entry.of === undefined ? undefined : seen(entry.of);
      const url = request?.kind === "http" ? (request.message.url ?? "") : "";
      const up = entry.direction === "up";
      if (url.includes("/secret/info")) return up ? "cInfo" : "cAnswer";
      if (platform === "cmcc" && url.includes("/report")) return up ? "cReport" : "cAnswer";
      if (url.includes("/auth/register/")) return up ? "aRegister" : "aRegisterAnswer";
      if (url.includes("/awss/") || url.includes("/thing/") || url.includes("/account/")) return up ? "aCall" : "aCallAnswer";
      if (platform === "cmcc") return up ? "cReport" : "cAnswer";
      return "download";
    }
    case "store":
      return entry.action === "put" ? "storePut" : "storeErase";
    case "install":
      return "install";
    case "link":
      return entry.what === "closed" ? "linkClosed" : "linkOpening";
    case "reply":
      return "aCallAnswer";
    case "fault":
      return "fault";
    default:
      return "event";
  }
}

function mqttId(packet: MqttPacket, platform: PlatformName): ExplanationId {
  const topic = packet.topic ?? "";
  switch (packet.type) {
    case "CONNECT":
      if (platform === "krtyun") return "kConnect";
      if (platform === "ucloud") return packet.username?.endsWith("|2") === true ? "uConnect2" : "uConnect1";
      return /authType=(register|regnwl)/.test(packet.client_id ?? "") ? "aConnectRegister" : "aConnect";
    case "CONNACK":
      return packet.return_code === 0 ? "connack" : "connackRefused";
    case "SUBSCRIBE":
      if (topic.endsWith("/password_reply")) return "uSubPassword";
      if (topic.endsWith("/register/set")) return "kRegisterSub";
      return "subscribe";
    case "SUBACK":
      return "suback";
    case "PUBACK":
      return "puback";
    case "PINGREQ":
    case "PINGRESP":
      return "ping";
    case "DISCONNECT":
      return "disconnect";
    case "PUBLISH":
      return publishId(topic);
    default:
      return "publish";
  }
}

const TOPICS: readonly [RegExp, ExplanationId][] = [
  [/\/password_reply$/, "uPassword"],
  [/^\/\$system\/.*\/password$/, "uAskPassword"],
  [/\/ota\/upstream$/, "uUpstream"],
  [/\/ota\/downstream$/, "uDownstream"],
  [/\/tmodel\//, "uProperty"],
  [/\/register\/post$/, "kRegisterPost"],
  [/\/register\/set$/, "kRegisterSet"],
  [/\/ota\/post$/, "kOtaPost"],
  [/\/ota\/set$/, "kOtaSet"],
  [/^\/ext\/reg/, "aRegisterAnswer"],
  [/\/awss\/enrollee\/match/, "aToken"],
  [/^\/ota\/device\/inform/, "aInform"],
  [/^\/ota\/device\/upgrade/, "aUpgrade"],
  [/^\/ota\/device\/progress/, "aProgress"],
  [/\/thing\/(gateway|topo)\//, "aGateway"],
  [/\/thing\/(event|service)\/property/, "aProperty"],
];

function publishId(topic: string): ExplanationId {
  return TOPICS.find(([pattern]) => pattern.test(topic))?.[1] ?? "publish";
}
