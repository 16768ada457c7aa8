// The core says in English what is wrong with a setting, an input or an operation. Here its wordings are told again in
// Chinese, by patterns; what no pattern knows stays as it is. unit/messages.test.ts reads the core's sources and fails
// when a wording is new.

import { i18n } from "../i18n";

/** Matched against a whole problem, that is: without the setting or input that it is about. `$1` is what stood there. */
const PROBLEMS: readonly [RegExp, string][] = [
  // Settings: src/settings.rs
  [/^is missing$/, "缺失"],
  [/^is missing: give it for dynamic registration, or give `device_secret`$/, "缺失：动态注册时须填写，或改填 `device_secret`"],
  [/^is missing: registration over HTTP needs it, such as (\S+)$/, "缺失：HTTP 注册需要它，例如 $1"],
  [/^is missing: the platform shows it beside the product id$/, "缺失：平台将它与产品 ID 一同显示"],
  [/^is missing: environment local has no preset$/, "缺失：环境 local 没有预设地址"],
  [/^is missing; a device that cannot read its own may set device_no_from=product_id, which the vendor does not recommend$/, "缺失；读不到自身设备号的设备可设 device_no_from=product_id，厂商不推荐"],
  [/^is missing; it may be absent only if device_secret is set$/, "缺失；只有填写了 device_secret 才可省略"],
  [/^is not a setting of this platform$/, "不是此平台的设置"],
  [/^is not an entry of the table$/, "不在报文表中"],
  [/^has to be a (?:whole )?number from (-?\d+) to (-?\d+)$/, "应为 $1 到 $2 的整数"],
  [/^has to be true or false$/, "应为 true 或 false"],
  [/^has to be one of (.+)$/, "应为以下之一：$1"],
  [/^has to be a URL with one of the schemes (.+)$/, "应为完整地址，协议为以下之一：$1"],
  [/^has to be (\d+) to (\d+) letters, digits and (.+)$/, "应为 $1 到 $2 位字母、数字或 $3"],
  [/^has to be (\d+) to (\d+) letters, digits, (.+) or (\S+)$/, "应为 $1 到 $2 位字母、数字或 $3、$4"],
  [/^has to be (\d+) to (\d+) printable ASCII characters$/, "应为 $1 到 $2 个可打印的 ASCII 字符"],
  [/^has to be (\d+) to (\d+) printable ASCII characters without spaces$/, "应为 $1 到 $2 个可打印的 ASCII 字符，不含空格"],
  [/^has to be (\d+) to (\d+) printable ASCII characters without space, (.+) or (\S+)$/, "应为 $1 到 $2 个可打印的 ASCII 字符，不含空格和 $3 $4"],
  [/^has to be (\d+) to (\d+) characters without white space$/, "应为 $1 到 $2 个字符，不含空白"],
  [/^has to be up to (\d+) letters and digits, as the platform shows it$/, "应为最多 $1 位字母和数字，与平台显示的一致"],
  [/^has to be at most (\d+) printable characters$/, "最多 $1 个可打印字符"],
  [/^has to be at most interval_s$/, "不能大于 interval_s"],
  [/^and jitter_s together have to leave a 48th of limit_s \(half an hour of a day\) for retries$/, "与 jitter_s 之和须为重试留出 limit_s 的 1/48（以一天计为半小时）"],
  [/^must have neither query nor fragment$/, "不能带查询参数或片段"],
  [/^must not be set together with device_no_from=product_id$/, "不能与 device_no_from=product_id 同时设置"],
  [/^has to be SN if the product id is the device number$/, "以产品 ID 作设备号时应为 SN"],
  [/^has to be set for a cellular product \(set it to nothing if it cannot be read\)$/, "蜂窝产品必须设置（读不到时设为空）"],
  [/^has to be set for a product that is not cellular \(set it to nothing if it cannot be read\)$/, "非蜂窝产品必须设置（读不到时设为空）"],
  [/^has to be six bytes in hex, such as (\S+), or nothing$/, "应为六个十六进制字节，例如 $1，或留空"],
  [/^has to begin with (\S+)$/, "应以 $1 开头"],
  [/^has to be up to (\d+) IP addresses with commas between them$/, "最多 $1 个 IP 地址，用逗号分隔"],
  [/^regnwl needs `registration` = mqtt$/, "regnwl 要求 `registration` 为 mqtt"],
  [/^has to be (\d+) hex digits$/, "应为 $1 位十六进制数字"],
  [/^has to be anything but OK$/, "不能为 OK"],
  [/^has to be printable text of at most (\d+) characters$/, "应为最多 $1 个可打印字符"],
  [/^has to be digits and dots$/, "应由数字和点组成"],
  [/^has to have neither query nor fragment$/, "不能带查询参数或片段"],
  [/^is missing: without a device_secret, and with nothing stored, only the product's secret can register this device$/, "缺失：没有 device_secret，也没有已保存的密钥，只有产品密钥才能注册此设备"],
  // Numbers: src/platform/cmcc/{cmei,imei}.rs
  [/^an IMEI has (\d+) digits, not (\d+)$/, "IMEI 应有 $1 位数字，现为 $2 位"],
  [/^a CMEI has (\d+) digits, not (\d+)$/, "CMEI 应有 $1 位数字，现为 $2 位"],
  [/^a TUI has (\d+) digits, not (\d+)$/, "TUI 应有 $1 位数字，现为 $2 位"],
  [/^character (\d+) is no digit from 0 to 9 \(full-width digits do not count\)$/, "第 $1 个字符不是 0 到 9 的数字（全角数字无效）"],
  [/^it has to begin with 11, the mark of hardware that is not cellular$/, "应以 11 开头，这是非蜂窝设备的标志"],
  [/^serial number (\d+) has more than six digits$/, "序列号 $1 超过六位"],
  [/^the last digit has to be 0 to 9, not (.+)$/, "末位应为 0 到 9，现为 $1"],
  [/^a TUI has serial numbers up to 999999: (\d+) are left from (\d+) on, not (\d+); ask China Mobile for another TUI$/, "TUI 的序列号最大为 999999：从 $2 起还剩 $1 个，不足 $3 个；请向中国移动申请新的 TUI"],
  [/^empty: the device could not read its CMEI$/, "留空：设备读不到自己的 CMEI"],
  // Calculators: src/tool, src/platform/alibaba/{cipher,credentials,sign}.rs
  [/^has to be 3, 4, 6 or 7$/, "应为 3、4、6 或 7"],
  [/^the cipher type has to be 3, 4, 6 or 7$/, "密钥类型应为 3、4、6 或 7"],
  [/^random has to be 32 hex characters \(16 bytes\)$/, "随机数应为 32 个十六进制字符（16 字节）"],
  [/^the MAC address has to be 12 hex digits, bare or in pairs with : or -$/, "MAC 地址应为 12 位十六进制数字，可两位一组用 : 或 - 分隔"],
  [/^cipher types 6 and 7 need the device's MAC address$/, "密钥类型 6 和 7 需要设备的 MAC 地址"],
  [/^the secret is empty$/, "密钥为空"],
  [/^the password has to be hex of 1 to 16 whole AES blocks$/, "密码应为 1 到 16 个完整 AES 分组的十六进制"],
  [/^the sign method has to be (\S+), (\S+) or (\S+)$/, "签名算法应为 $1、$2 或 $3"],
  [/^the signature method has to be (\S+) or (\S+)$/, "签名方法应为 $1 或 $2"],
  [/^has to be dynamic or static; for alibaba also dynamic-http, regnwl or token$/, "应为 dynamic 或 static；阿里云还可为 dynamic-http、regnwl 或 token"],
  [/^this platform has dynamic and static$/, "此平台只有 dynamic 和 static"],
  [/^is not used here; known are (.+)$/, "此处不使用；可用的有 $1"],
  [/^is not known here; known are (.+)$/, "此处未知；可用的有 $1"],
  [/^these lead to no login$/, "这些设置无法登录"],
  [/^has to be 2, 3 or -2$/, "应为 2、3 或 -2"],
  [/^has to be register or regnwl$/, "应为 register 或 regnwl"],
  [/^has to be muster, c, python or node$/, "应为 muster、c、python 或 node"],
  [/^has to be 0 to 9, luhn or random$/, "应为 0 到 9、luhn 或 random"],
  [/^has to be json, header, csv or nvs$/, "应为 json、header、csv 或 nvs"],
  [/^has to be 1 or 2$/, "应为 1 或 2"],
  [/^has to be 0 or 1$/, "应为 0 或 1"],
  [/^has to be a multiple of 4096 \(0x1000\), at most 16 MiB; usual is 0x6000$/, "应为 4096（0x1000）的倍数，最大 16 MiB；常用 0x6000"],
  [/^must not be set together with password$/, "不能与 password 同时填写"],
  [/^has to be 1 to 256 bytes without NUL$/, "应为 1 到 256 字节，不含 NUL"],
  [/^gives no text under this key and random$/, "用此密钥和随机数解密后不是文本"],
  [/^is not JSON$/, "不是 JSON"],
  [/^is not a JSON object$/, "不是 JSON 对象"],
  [/^is not UTF-8$/, "不是 UTF-8 编码"],
  [/^has to be at most (\d+)$/, "最大为 $1"],
  [/^has to be at most (\d+) MiB$/, "最大为 $1 MiB"],
  [/^has to be an object$/, "应为对象"],
  [/^has to be a text$/, "应为文本"],
  [/^has to be a list$/, "应为列表"],
  [/^has to be a list of texts$/, "应为文本列表"],
  [/^has to be a whole number of at most 32 bits$/, "应为不超过 32 位的整数"],
  [/^has to be pairs of name and text$/, "应为名称与文本的成对列表"],
  [/^has to be pairs of name and bytes$/, "应为名称与字节的成对列表"],
  // The app's calls: src/platform/alibaba/app/call.rs
  [/^has to be (\d+) to (\d+)$/, "应为 $1 到 $2"],
  [/^has to be 0 \(always\), 1 to 65534 seconds, or 65535 \(closed\)$/, "应为 0（始终）、1 到 65534 秒或 65535（关闭）"],
  [/^starts from 1$/, "从 1 开始"],
  [/^has to hold 1 to 200 devices$/, "应包含 1 到 200 个设备"],
  [/^has to be given with a deviceName$/, "须与 deviceName 一同给出"],
  [/^is required for per-device keys \(types 4 and 7\)$/, "按设备的密钥（类型 4 和 7）必填"],
  [/^has to be hexadecimal for Bluetooth devices$/, "蓝牙设备应为十六进制"],
  [/^is required for Bluetooth devices$/, "蓝牙设备必填"],
  [/^is required for non-Bluetooth devices$/, "非蓝牙设备必填"],
  [/^has to be text of (\d+) to (\d+) bytes$/, "应为 $1 到 $2 字节的文本"],
  // Packets beside the core: src/web/driver/raw.rs
  [/^is one on which the device itself speaks$/, "为设备自身使用的主题"],
  [/^is one more than 1,000 of this session$/, "超出本次会话 1,000 个的上限"],
  [/^is none that MQTT allows$/, "不是 MQTT 允许的主题"],
  [/^is too large$/, "过大"],
  [/^has to wait: too many packets are under way$/, "须稍候：未确认的报文过多"],
  [/^has to have 1 to 256 bytes, without \+ and #$/, "应为 1 到 256 字节，不含 + 和 #"],
];

/** Whole messages: misuse, storage, and what a cloud answers to its operator. */
const WHOLE: readonly [RegExp, string][] = [
  // Packets beside the core: src/web/driver/raw.rs, www/src/state/devices.ts
  [/^the device is off$/, "设备已停止"],
  [/^the device is not logged in$/, "设备尚未登录"],
  [/^the broker refused the subscription$/, "服务器拒绝了订阅"],
  [/^the connection closed before it was acknowledged$/, "确认之前连接已断开"],
  // Calculators, what a step's rule is and what to look out for: src/tool
  [/^ClientID is ProductSN\.DeviceSN; the user name ends in 2 \(dynamic registration\); the password is the ProductSecret\.$/, "ClientID 为 ProductSN.DeviceSN；用户名以 2 结尾（动态注册）；密码为 ProductSecret。"],
  [/^ClientID is ProductSN\.DeviceSN; the user name ends in 1 \(static registration\); the password is the device's own secret\.$/, "ClientID 为 ProductSN.DeviceSN；用户名以 1 结尾（静态注册）；密码为设备自己的密钥。"],
  [/^ClientID is the ProductID, the user name the DeviceID, the password the ProductSecret\.$/, "ClientID 为 ProductID，用户名为 DeviceID，密码为 ProductSecret。"],
  [/^ClientID is the ProductID, the user name the DeviceID, the password the device's own secret\.$/, "ClientID 为 ProductID，用户名为 DeviceID，密码为设备自己的密钥。"],
  [/^The password is the HMAC by the (\w+) of (\S+)\.$/, "密码为用 $1 对 $2 计算的 HMAC。"],
  [/^The sign is the HMAC by the ProductSecret of (\S+); the body is a form\.$/, "签名为用 ProductSecret 对 $1 计算的 HMAC；正文为表单。"],
  [/^The password is the token that registration without import gave\.$/, "密码为免预注册时取得的 token。"],
  [/^This platform has no MQTT login\. The credential is part of the body\.$/, "此平台没有 MQTT 登录，凭证是正文的一部分。"],
  [/^the Content-MD5 among the headers is not that of the body: the gateway answers "Invalid Content-MD5"$/, "请求头中的 Content-MD5 与正文不符：网关会返回“Invalid Content-MD5”"],
  [/^there is a body and no Content-MD5 header: the line of Content-MD5 is empty; add the header$/, "有正文而没有 Content-MD5 请求头：待签名串中该行为空；请添加此请求头"],
  [/^what is stored belongs to another device than the one in the settings$/, "保存的内容属于另一个设备，与设置不符"],
  [/^give this device a name of its own in the storage$/, "请在存储中为该设备使用独立的名称"],
  [/^what is stored as `(\w+)` cannot be read$/, "保存的 `$1` 无法读取"],
  [/^the snapshot is of another schema or another platform$/, "快照属于其他版本或其他平台"],
  [/^this platform has no such thing to do$/, "此平台没有这个操作"],
  [/^it was stopped$/, "它已停止"],
  [/^start another one$/, "请另行启动一个"],
  [/^it was closed$/, "它已关闭"],
  [/^there is no such calculator$/, "没有这个计算器"],
  [/^there is no crypto\.getRandomValues here$/, "此处没有 crypto.getRandomValues"],
  [/^another tab of this browser runs it$/, "本浏览器的另一个标签页正在运行它"],
  [/^stop it there, or give this one another name$/, "请在那里停止它，或为这一个改名"],
  [/^not stored: (.+)$/, "未能保存：$1"],
  [/^this browser keeps nothing: (.+)$/, "本浏览器无法保存：$1"],
  [/^make room, leave private browsing, or keep it in memory$/, "请腾出空间、退出无痕浏览，或改为保存在内存"],
  [/^an image has 1 byte to 64 MiB$/, "固件大小应为 1 字节到 64 MiB"],
  // Operators: src/cloud, src/platform/*/cloud
  [/^the CSV has no rows$/, "CSV 中没有数据行"],
  [/^the CSV is not UTF-8$/, "CSV 不是 UTF-8 编码"],
  [/^a CSV field is longer than (\d+) bytes$/, "CSV 字段超过 $1 字节"],
  [/^at most ([\d,]+) rows in one import$/, "一次最多导入 $1 行"],
  [/^no such product\b.*$/, "没有这个产品"],
  [/^no such device\b.*$/, "没有这个设备"],
  [/^no such image\b.*$|^no image of this version\b.*$/, "没有这个版本的固件：请先上传"],
  [/^there is a product (?:with|of) this .+$/, "已有使用此标识的产品"],
  [/^another product has this productId$/, "另一个产品已使用此 productId"],
  [/^(?:this version(?: of the module)? is known.*|there is an image of this version)$/, "此版本已存在：请换一个版本号"],
  [/^(?:the product has as many devices as it may have)$/, "该产品的设备数已达上限"],
  [/^(?:the product has as many images as it may have|no more images: the limit is reached)$/, "该产品的固件数已达上限"],
  [/^(?:the platform has as many products as it may have|the platform takes no more products|no more products: the limit is reached|there are as many products as there may be)$/, "产品数已达上限"],
  [/^(?:the platform has as many owners as it may have)$/, "用户数已达上限"],
  [/^a ProductKey has (\d+) to (\d+) letters and digits$/, "ProductKey 应为 $1 到 $2 位字母和数字"],
  [/^a ProductSN has (\d+) to (\d+) letters, digits, `-` or `_`$/, "ProductSN 应为 $1 到 $2 位字母、数字、`-` 或 `_`"],
  [/^the ProductID has to be .+$/, "ProductID 应为 1 到 64 个可打印的 ASCII 字符，不含空格和 / + #"],
  [/^the version has to be .+$/, "版本应为 1 到 64 个可打印的 ASCII 字符，不含空格"],
  [/^a secret has (\d+) to (\d+) printable characters$/, "密钥应为 $1 到 $2 个可打印字符"],
  [/^a name has at most (\d+) printable characters$/, "名称最多 $1 个可打印字符"],
  [/^a name has at most (\d+) bytes, no control characters$/, "名称最多 $1 字节，不含控制字符"],
  [/^a product id has 1 to 32 letters and digits; .+$/, "产品 ID 应为 1 到 32 位字母和数字；平台自己的为 13 位数字"],
  [/^a product key has (\d+) to (\d+) printable ASCII characters$/, "产品密钥应为 $1 到 $2 个可打印的 ASCII 字符"],
  [/^the URL has to begin with http:\/\/ .+$/, "地址应以 http:// 开头（厂商文档不允许其他协议）"],
  [/^no such switch of (?:a product|the platform); (?:known|there) are (.+)$/, "没有这个开关；可用的有 $1"],
  [/^the name is longer than (\d+) bytes$/, "名称超过 $1 字节"],
  [/^version and module have (\d+) to (\d+) bytes$/, "版本和模块名应为 $1 到 $2 字节"],
  [/^(?:the value has to be true or false|a switch is true or false)$/, "值应为 true 或 false"],
  [/^the value has to be a number from (\d+) to (\d+)$/, "值应为 $1 到 $2 的整数"],
  [/^the value has to be (\S+) or (\S+)$/, "值应为 $1 或 $2"],
  [/^there is no such switch; there are (.+)$/, "没有这个开关；可用的有 $1"],
  [/^at most (\d+) bytes without control characters$/, "最多 $1 字节，不含控制字符"],
  [/^netType has to be (.+)$/, "netType 应为 $1"],
  [/^productId has to be 1 to 64 hex digits$/, "productId 应为 1 到 64 位十六进制数字"],
  [/^(?:json|properties) (?:has|have) to be (?:an object of identifier and value|a JSON object)$/, "属性应为由标识符和值组成的 JSON 对象"],
  [/^the device is offline\b.*$/, "设备离线：属性只能在线设置"],
  [/^at most ([\d,]+) devices at a time$/, "一次最多 $1 台设备"],
  [/^the sub-device is not under this gateway$/, "该子设备不在此网关之下"],
  // How an update stands: src/platform/*/cloud
  [/^it runs this version already$|^ran it already$/, "已是此版本"],
  [/^sent before: the device may still follow it$/, "已下发过：设备仍可能照做"],
  [/^the device answered BACK (.*)$/s, "设备回复 BACK $1"],
  [/^success was reported for version (.+)$/, "上报成功的版本是 $1"],
  [/^HTTP (\d+)$/, "HTTP 状态 $1"],
  [/^Failed to fetch$/, "本地云没有应答"],
  // This page: src/state/{devices,fleet}.ts
  [/^another device of this page is this one, with the same secrets$/, "页面上已有同一台设备在运行，使用同一份密钥"],
  [/^faults has more than (\d+) rules$/, "faults：一台设备最多 $1 条规则"],
  [/^disarm some that have struck$/, "请先移除一些已触发过的规则"],
  [/^the list has (\d+) devices, and no place for another one$/, "列表中已有 $1 台设备，不能再加"],
  [/^take one off the list$/, "请先从列表中移除一台"],
  [/^a fleet on a real cloud needs a list of its devices$/, "真实云上的设备群需要设备清单"],
  [/^a list has at most (\d+) devices$/, "清单最多 $1 台设备"],
  [/^give a list$/, "请提供清单"],
  [/^line (\d+) of the common settings is no key=value$/, "共用设置的第 $1 行不是 key=value"],
  [/^stop it, or give this one another name$/, "请先停止它，或为此设备更换名称"],
];

function find(table: readonly [RegExp, string][], text: string): string | null {
  for (const [pattern, chinese] of table) if (pattern.test(text)) return text.replace(pattern, chinese);
  return null;
}

/** What is wrong with a setting or input, in the language in use. */
export function problemText(problem: string): string {
  return i18n.language === "zh" ? (find(PROBLEMS, problem) ?? problem) : problem;
}

/** The calculators' names of steps, where they are words. */
const STEPS: Record<string, string> = { rule: "规则", parts: "组成部分", bytes: "字节", length: "长度", plain: "明文", padded: "补齐后", "AES-128 key": "AES-128 密钥", comma: "逗号", "IV = random": "IV = 随机数", "second comma": "第二个逗号", MAC: "MAC 地址", random: "随机数", "bytes of the ProductSecret (ASCII)": "ProductSecret 的字节（ASCII）", "bytes of the DeviceSecret (ASCII)": "DeviceSecret 的字节（ASCII）", "MD5 of the body": "正文的 MD5", "bytes to sign": "待签名字节数", "HMAC by the AppSecret": "以 AppSecret 计算的 HMAC", "names and values, sorted, joined": "名称和值排序后拼接", algorithm: "算法", key: "密钥" };

/** A step of a calculator, in the language in use. */
export function stepName(name: string): string {
  return (i18n.language === "zh" ? STEPS[name] : undefined) ?? name;
}

/** A message of the core or of a cloud, in the language in use. */
export function messageText(message: string): string {
  if (i18n.language !== "zh") return message;
  const whole = find(WHOLE, message) ?? find(PROBLEMS, message);
  if (whole !== null) return whole;
  const setting = /^setting `([^`]+)`: (.+)$/s.exec(message);
  if (setting !== null) return `设置 ${setting[1] ?? ""}：${problemText(setting[2] ?? "")}`;
  const input = /^([\w.]+): (.+)$/s.exec(message) ?? /^([\w.]+) ((?:has|have|is|must|starts|and|regnwl) .+|.*needs .+)$/s.exec(message);
  if (input === null) return message;
  const problem = messageText(input[2] ?? "");
  return problem === input[2] ? message : `${input[1] ?? ""}：${problem}`;
}
