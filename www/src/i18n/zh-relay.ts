import type { Dict } from "./en";

type Reasons = Pick<Dict["trouble"]["reason"], "relay_off" | "relay_token" | "relay_host" | "relay_address" | "relay_redirect" | "relay_dns" | "relay_refused" | "relay_tls" | "relay_timed_out" | "relay_limit" | "relay_failed">;

export const relayReasons: Reasons = {
  relay_off: ["提供本页的服务没有中继，或中继未开启、已停止。", "请用 --relay 启动 muster up，然后重试。"],
  relay_token: ["中继已不认识本页：它的服务重新启动过。", "无需操作：下次重试会自动换用新 token。"],
  relay_host: ["中继不允许访问此主机：它只访问厂商的已知地址，以及启动时指定的地址。", "若地址无误，请这样启动 muster up："],
  relay_address: ["该名称或地址属于本机或内网，未经允许中继不会访问。", "若确实需要，请允许该 IP 地址本身，而不是名称："],
  relay_redirect: ["服务器将请求重定向到中继不允许访问的地址。", "若该地址无误，请这样启动 muster up："],
  relay_dns: ["中继无法解析此主机名。", "请检查设置中的主机名，以及本机是否联网。"],
  relay_refused: ["此主机和端口没有程序监听，或从本机无法到达。", "请检查主机和端口，以及中间是否有防火墙。"],
  relay_tls: ["中继不信任该服务器的证书，或双方没有共同的 TLS 版本。", "请检查主机和端口。若服务器使用自建 CA（UCloud 的 8883 端口即是），请用 --relay-ca 指定其证书来启动 muster up。"],
  relay_timed_out: ["中继已发出请求，但未及时收到应答。", "请检查主机和端口，以及防火墙是否丢弃了请求。"],
  relay_limit: ["超出中继的限制：同时连接过多，或报文过大。", "请停止部分设备；较大的固件可在终端用 muster device 下载。"],
  relay_failed: ["中继未能完成转发。", "请看旁边中继给出的原因。"],
};

export const relay: Dict["relay"] = {
  environment: "环境",
  own: "自行填写地址",
  ownNote: "请在下方填写地址。",
  source: "来源：",
  way: "连接方式",
  direct: "浏览器直连",
  directHelp: "适用于 WebSocket，以及允许网页跨域访问的服务器。",
  by: "经 muster up 的中继",
  byHelp: "适用于 mqtt:// 和 mqtts:// 的 broker，以及没有 CORS 的服务器。WebSocket 仍然直连。",
  reach: {
    direct: "浏览器可以直接连接",
    cors: "仅当服务器允许网页跨域访问（CORS）时可用，文档未说明",
    plain_tcp: "浏览器无法连接：这是 TCP 或 TLS，网页只能建立 WebSocket",
    mixed_content: "浏览器会拒绝：本页通过 https 打开，而该地址未加密",
    unknown: "地址还不完整",
  },
  stuck: "浏览器直连行不通，经中继可以到达。",
  off: {
    off: "中继未开启。请这样启动 muster up，然后再次检查：",
    none: "提供本页的服务没有中继。请打开带中继的 muster up 的控制台：",
  },
  notListed: "中继的允许列表不含此地址。若地址无误，请这样启动 muster up：",
  look: "再次检查",
  helps: "经 muster up 的中继可以到达。",
  go: "改走中继",
  wouldHelp: {
    off: "经 muster up 的中继可以到达，但中继未开启。请这样启动：",
    none: "经 muster up 的中继可以到达，但提供本页的服务没有中继。请打开它的控制台：",
  },
  did: (what) => `${what}（经中继）`,
  went: "经中继",
  road: "路径",
  roadText: "经提供本页的服务的中继",
};
