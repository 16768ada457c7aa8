// Words of the vendors that stand in the page as they are, in every language.

import type { PlatformName } from "../muster/types";
import type { DeviceState } from "./roster";

/**
 * What a vendor's console or API calls a device's state; null: its documents have no word for it. Sources: UCloud's console
 * and API, krtyun's document of 2019 (it speaks of activation alone), the API of Alibaba's IoT platform.
 */
export const STATE_WORDS: Record<PlatformName, Record<DeviceState, string | null>> = {
  ucloud: { online: "在线", offline: "离线", inactive: "未激活", disabled: "禁用" },
  cmcc: { online: null, offline: null, inactive: null, disabled: null },
  krtyun: { online: null, offline: "已激活", inactive: "未激活", disabled: null },
  alibaba: { online: "ONLINE", offline: "OFFLINE", inactive: "UNACTIVE", disabled: "DISABLE" },
};

/** What the vendors call a product's id, and its secret. */
export const ID_NAMES: Record<PlatformName, string> = { ucloud: "ProductSN", cmcc: "productId", krtyun: "ProductID", alibaba: "ProductKey" };
export const SECRET_NAMES: Record<PlatformName, string> = { ucloud: "ProductSecret", cmcc: "productKey", krtyun: "ProductSecret", alibaba: "ProductSecret" };
