// After which document a calculator works. docs/protocols/ has every fact with its source.

import type { Both } from "./settings";
import type { ToolName } from "./tools";

const b = (en: string, zh: string): Both => ({ en, zh });

const CREDENTIALS: Record<string, Both> = {
  ucloud: b("UCloud 动态注册 (state of 2019-07-30) and UCloudDoc-Team/uiot-core; docs/protocols/ucloud.md, “Logins”", "UCloud 动态注册文档（2019-07-30 版）与 UCloudDoc-Team/uiot-core；docs/protocols/ucloud.md 的“Logins”"),
  cmcc: b("China Mobile 设备接入协议 V1.0 (2025-05-13); docs/protocols/cmcc.md, “The two calls”", "中国移动《设备接入协议》V1.0（2025-05-13）；docs/protocols/cmcc.md 的“The two calls”"),
  krtyun: b("krtyun 设备动态注册 (2019-12-10); docs/protocols/krtyun.md, “Logins and topics”", "科睿特《设备动态注册》（2019-12-10）；docs/protocols/krtyun.md 的“Logins and topics”"),
  alibaba: b("help.aliyun.com and the vendor's device SDKs, compared byte for byte; docs/protocols/alibaba.md, “Device credentials”", "help.aliyun.com 与厂商设备 SDK，逐字节比对；docs/protocols/alibaba.md 的“Device credentials”"),
};

const TOOLS: Partial<Record<ToolName, Both>> = {
  sign: b("Alibaba “Device provisioning service”, help.aliyun.com “request signatures”; docs/protocols/alibaba.md, “API Gateway signature”", "阿里云《Device provisioning service》、help.aliyun.com 请求签名；docs/protocols/alibaba.md 的“API Gateway signature”"),
  cipher: b("Alibaba “Device provisioning service”, “Get a key”; byte order after awss_crypt.c and Breeze; docs/protocols/alibaba.md, “Keys for provisioning”", "阿里云《Device provisioning service》的“Get a key”；字节顺序依据 awss_crypt.c 与 Breeze；docs/protocols/alibaba.md 的“Keys for provisioning”"),
  wifi: b("The vendor's awss_crypt.c; docs/protocols/alibaba.md, “Keys for provisioning”", "厂商的 awss_crypt.c；docs/protocols/alibaba.md 的“Keys for provisioning”"),
  cmei: b("China Mobile 设备接入协议 V1.0 (2025-05-13); docs/protocols/cmcc.md, “CMEI and IMEI”", "中国移动《设备接入协议》V1.0（2025-05-13）；docs/protocols/cmcc.md 的“CMEI and IMEI”"),
  imei: b("3GPP TS 23.003; docs/protocols/cmcc.md, “CMEI and IMEI”", "3GPP TS 23.003；docs/protocols/cmcc.md 的“CMEI and IMEI”"),
  nvs: b("ESP-IDF “Non-volatile storage library”, compared with esp-idf-nvs-partition-gen 0.3.0; docs/handover.md", "ESP-IDF《Non-volatile storage library》，与 esp-idf-nvs-partition-gen 0.3.0 比对；docs/handover.md"),
  time: b("docs/protocols/alibaba.md, “API Gateway signature”, “Device credentials”", "docs/protocols/alibaba.md 的“API Gateway signature”、“Device credentials”"),
};

export function sourceOf(tool: ToolName, platform: string): Both | null {
  if (tool === "credentials") return CREDENTIALS[platform] ?? null;
  if (tool === "topics") return b(`docs/protocols/${platform}.md`, `见 docs/protocols/${platform}.md`);
  return TOOLS[tool] ?? null;
}
