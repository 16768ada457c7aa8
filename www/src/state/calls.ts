import type { AppCall } from "../muster/types";

export type CallName = AppCall["call"];

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
