// The topics of a device, and of China Mobile its two paths, with names put in. docs/protocols/ says where each is from.

import type { PlatformName } from "../muster/types";
import type { calculators } from "../i18n/en-tools";

export type TopicUse = keyof (typeof calculators)["topics"]["what"];
export type Topic = { up: boolean; topic: string; use: TopicUse };

const UP = true;
const DOWN = false;

/** Of each platform: direction, topic with `P` and `D` for the names, and what for. */
const TOPICS: Record<PlatformName, readonly (readonly [boolean, string, TopicUse])[]> = {
  ucloud: [
    [UP, "/$system/P/D/password", "password"],
    [DOWN, "/$system/P/D/password_reply", "password_reply"],
    [UP, "/$system/P/D/ota/upstream", "ota_up"],
    [DOWN, "/$system/P/D/ota/downstream", "ota_down"],
    [UP, "/$system/P/D/tmodel/property/post", "post"],
    [DOWN, "/$system/P/D/tmodel/property/post_reply", "post_reply"],
    [DOWN, "/$system/P/D/tmodel/property/set", "set"],
    [UP, "/$system/P/D/tmodel/property/set_reply", "set_reply"],
  ],
  cmcc: [
    [UP, "v2/customer/device/secret/info", "info"],
    [UP, "v2/customer/device/report", "report"],
  ],
  krtyun: [
    [UP, "/sys/P/D/thing/register/post", "register_post"],
    [DOWN, "/sys/P/D/thing/register/set", "register_set"],
    [UP, "/sys/P/D/thing/ota/post", "ota_up"],
    [DOWN, "/sys/P/D/thing/ota/set", "ota_down"],
  ],
  alibaba: [
    [DOWN, "/ext/register", "ext_register"],
    [UP, "/sys/P/D/thing/awss/enrollee/match", "match"],
    [DOWN, "/sys/P/D/thing/awss/enrollee/match_reply", "match_reply"],
    [UP, "/ota/device/inform/P/D", "inform"],
    [DOWN, "/ota/device/upgrade/P/D", "upgrade"],
    [UP, "/ota/device/progress/P/D", "progress"],
    [UP, "/sys/P/D/thing/event/property/post", "post"],
    [DOWN, "/sys/P/D/thing/event/property/post_reply", "post_reply"],
    [DOWN, "/sys/P/D/thing/service/property/set", "set"],
    [UP, "/sys/P/D/thing/service/property/set_reply", "set_reply"],
    [DOWN, "/sys/P/D/thing/gateway/permit", "permit"],
    [UP, "/sys/P/D/thing/gateway/permit_reply", "permit_reply"],
    [DOWN, "/sys/P/D/thing/topo/change", "topo"],
    [UP, "/sys/P/D/thing/topo/change_reply", "topo_reply"],
  ],
};

export function topicsOf(platform: PlatformName, product: string, device: string): Topic[] {
  const names: Record<string, string> = { P: product, D: device };
  return TOPICS[platform].map(([up, path, use]) => ({ up, use, topic: path.split("/").map((part) => names[part] ?? part).join("/") }));
}

/** A name that would change the topic is none. */
export function isName(text: string): boolean {
  return text !== "" && !/[\s/+#]/.test(text);
}
