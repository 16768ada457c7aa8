// What the element says, in two languages. Steps and states are those of the core: one without words does not compile.

import type { NextWhy, Step } from "../../src/muster/types";
import type { DeviceState } from "./device";

export type Texts = {
  state: Record<DeviceState, string>;
  step: Record<Step, string>;
  /** Why something comes next. */
  next: Record<NextWhy, string>;
  start: string;
  stop: string;
  device: (platform: string) => string;
  timeline: string;
  empty: string;
  registered: string;
  ready: string;
  heartbeat: string;
  retrying: (seconds: number) => string;
  stored: string;
  erased: string;
  notStored: string;
  installed: (version: string) => string;
  update: Record<"offered" | "downloading" | "verified" | "installed" | "reported" | "failed" | "cancelled", string>;
  connection: Record<"opening" | "open" | "closed", string>;
};

const en: Texts = {
  state: { starting: "Starting", registering: "Registering", login: "Logging in", online: "Online", updating: "Updating", retrying: "Trying again", stopped: "Needs you", off: "Off" },
  step: {
    connect_to_register: "connecting with the product's credential",
    subscribe_for_secret: "subscribing to where the secret will come",
    request_secret: "asking for the device's secret",
    store_secret: "storing the secret",
    confirm_secret: "confirming the secret",
    leave_registration: "leaving the product's session",
    login: "logging in",
    subscribe: "subscribing",
    report_version: "reporting the version",
    heartbeat: "sending a heartbeat",
    report_token: "reporting a bind token",
    download: "fetching the firmware",
    install: "installing the firmware",
    erase_secret: "erasing the secret",
    post_properties: "posting properties",
  },
  next: { reply: "an answer is due", retry: "another try", heartbeat: "heartbeat", token: "bind token", update: "update", clock: "a look at the clock", keep_alive: "keep alive" },
  start: "Start",
  stop: "Stop",
  device: (platform) => `Device, ${platform}`,
  timeline: "Timeline",
  empty: "Nothing has happened yet.",
  registered: "registered",
  ready: "online",
  heartbeat: "heartbeat accepted",
  retrying: (seconds) => `tries again in ${seconds} s`,
  stored: "stored",
  erased: "erased",
  notStored: "could not be stored",
  installed: (version) => `version ${version} is installed`,
  update: { offered: "update offered", downloading: "downloading", verified: "image checked", installed: "installed", reported: "version reported", failed: "update failed", cancelled: "update cancelled" },
  connection: { opening: "connecting", open: "connected", closed: "connection closed" },
};

const zh: Texts = {
  state: { starting: "启动中", registering: "注册中", login: "登录中", online: "在线", updating: "升级中", retrying: "重试中", stopped: "待处理", off: "未启动" },
  step: {
    connect_to_register: "使用产品凭证连接",
    subscribe_for_secret: "订阅密钥下发主题",
    request_secret: "请求设备密钥",
    store_secret: "保存密钥",
    confirm_secret: "确认密钥已保存",
    leave_registration: "退出产品会话",
    login: "登录",
    subscribe: "订阅设备主题",
    report_version: "上报固件版本",
    heartbeat: "发送心跳",
    report_token: "上报绑定 token",
    download: "下载固件",
    install: "安装固件",
    erase_secret: "清除密钥",
    post_properties: "上报属性",
  },
  next: { reply: "等待应答", retry: "重试", heartbeat: "心跳", token: "绑定 token", update: "升级", clock: "校对时间", keep_alive: "保活" },
  start: "启动",
  stop: "停止",
  device: (platform) => `设备，${platform}`,
  timeline: "时间线",
  empty: "暂无记录。",
  registered: "已注册",
  ready: "已上线",
  heartbeat: "心跳已被接受",
  retrying: (seconds) => `${seconds} 秒后重试`,
  stored: "已保存",
  erased: "已清除",
  notStored: "保存失败",
  installed: (version) => `已安装版本 ${version}`,
  update: { offered: "收到升级通知", downloading: "下载中", verified: "固件校验通过", installed: "已安装", reported: "版本已上报", failed: "升级失败", cancelled: "升级已取消" },
  connection: { opening: "正在连接", open: "已连接", closed: "连接已关闭" },
};

/** By the language of the element, of what is around it, or of the page. */
export function texts(lang: string): Texts {
  return /^zh\b/i.test(lang) ? zh : en;
}
