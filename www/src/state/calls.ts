import type { AppCall } from "../muster/types";

export type CallName = AppCall["call"];

/** `value`: an example, where nothing is known. */
export type CallField = { name: string; value: string; number?: boolean };

const product: CallField = { name: "product_key", value: "" };
const device: CallField = { name: "device_name", value: "" };
const token: CallField = { name: "token", value: "" };
const iotId: CallField = { name: "iot_id", value: "" };

/** The eight calls of the vendor's document, and what each is asked with. */
export const CALLS: Record<CallName, { path: string; fields: readonly CallField[] }> = {
  list: { path: "/awss/enrollee/list/get", fields: [{ name: "page_size", value: "10", number: true }, { name: "page_num", value: "1", number: true }] },
  filter: { path: "/awss/enrollee/product/filter", fields: [product, device] },
  token_check: { path: "/awss/token/check", fields: [token, product, device] },
  token_bind: { path: "/awss/token/user/bind", fields: [product, device, token] },
  window_bind: { path: "/awss/time/window/user/bind", fields: [product, device] },
  cipher: {
    path: "/awss/cipher/get",
    fields: [{ name: "type", value: "3", number: true }, product, device, { name: "product_id", value: "" }, { name: "mac", value: "" }, { name: "random", value: "281f2e4eefbd12d3b9f7ee5a1740cc2b" }],
  },
  permit: { path: "/thing/gateway/permit", fields: [iotId, product, { name: "time", value: "60", number: true }] },
  topo_remove: { path: "/thing/topo/remove", fields: [iotId, { name: "sub_iot_id", value: "" }] },
};

/** A call from a form's texts; what is left empty is left out. */
export function build(call: CallName, get: (name: string) => string): AppCall {
  const of = { product_key: get("product_key"), device_name: get("device_name") };
  const optional = <K extends string>(...names: K[]) =>
    Object.fromEntries(names.map((name) => [name, get(name)] as const).filter(([, value]) => value !== "")) as Partial<Record<K, string>>;
  switch (call) {
    case "list":
      return { call, page_size: Number(get("page_size")), page_num: Number(get("page_num")) };
    case "filter":
      return { call, devices: [of] };
    case "token_check":
      return { call, token: get("token"), ...optional("product_key", "device_name") };
    case "token_bind":
      return { call, device: of, token: get("token") };
    case "window_bind":
      return { call, device: of };
    case "cipher":
      return { call, type: Number(get("type")), random: get("random"), ...optional("product_key", "product_id", "device_name", "mac") };
    case "permit":
      return { call, iot_id: get("iot_id"), product_key: get("product_key"), time: Number(get("time")) };
    case "topo_remove":
      return { call, iot_id: get("iot_id"), sub_iot_id: get("sub_iot_id") };
  }
}
