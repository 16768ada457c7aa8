import { describe, expect, it } from "vitest";
import { enrollees, judge, pasted, type Inside } from "../src/state/enrollees";
import type { DeviceView, DiscoveredDevice, Error, ProductView } from "../src/muster/types";

const device = { product_key: "a1", device_name: "d.1" };
const refused = (code: string): Error => ({ blame: "rejected", by: { how: "code", code, message: "" } });

describe("names that are pasted", () => {
  it("are read in the forms that people have at hand", () => {
    const text = ["a1/d.1", "a2, dev-2", "a3 dev3", '{"productKey":"a4","deviceName":"dev4"}', '{"product_key":"a5","device_name":"dev5"}', "https://example.com/d?pk=a6&dn=dev6&x=1", "app://x#productKey=a7&deviceName=dev7", "", "a1/d.1"].join("\r\n");
    const { devices, wrong } = pasted(text);
    expect(devices.map((one) => `${one.product_key}/${one.device_name}`)).toEqual(["a1/d.1", "a2/dev-2", "a3/dev3", "a4/dev4", "a5/dev5", "a6/dev6", "a7/dev7"]);
    expect(wrong).toEqual([]);
  });

  it("are told when they are none", () => {
    const lines = ["hello", "a/b/c", "{}", "{", "https://example.com/", "https://x/?pk=a", "a1/de vice", '{"productKey":1,"deviceName":"d"}', "ä1/d"];
    expect(pasted(lines.join("\n"))).toEqual({ devices: [], wrong: lines });
  });
});

describe("why a device cannot be bound", () => {
  const product = { id: "a1", name: "", switches: { published: "true" }, secret: null, devices: 1, firmware: [] } as unknown as ProductView;
  const view = (more: Record<string, string>, state = "online") => ({ name: "d.1", state, more }) as unknown as DeviceView;
  const inside = (more: Partial<Inside>): Inside => ({ identity: "me", product, device: view({}), ...more });
  const why = (probe: Error | null, of: Inside | null, all = false) => judge(device, [], all, probe, of);

  it("is nothing if the cloud lets it through", () => {
    const info = { device, product_name: null, net_type: 3, node_type: 0, category_key: null, category_name: null, category_id: null };
    expect(judge(device, [info], false, null, null)).toEqual({ ok: true, info });
  });

  it("is what the cloud answers to its names", () => {
    expect(why(refused("5005"), null)).toEqual({ ok: false, why: "no_product", code: "5005", asked: true });
    expect(why(refused("6100"), null)).toMatchObject({ why: "no_device", code: "6100", asked: true });
    expect(why(refused("6204"), null)).toMatchObject({ why: "disabled", asked: true });
  });

  it("is known inside the cloud alone otherwise, and said so where nobody can look", () => {
    const known = refused("6608");
    expect(why(known, null)).toEqual({ ok: false, why: "left_out", code: null, asked: false });
    expect(why(null, null)).toMatchObject({ why: "left_out" });
    expect(why(known, inside({ device: view({ owner: "me" }) }))).toMatchObject({ why: "mine", code: null });
    expect(why(known, inside({ device: view({ owner: "bob" }) }))).toEqual({ ok: false, why: "others", code: "2066", asked: false });
    expect(why(known, inside({ device: view({}, "disabled") }))).toMatchObject({ why: "disabled", code: "6204" });
    const draft = { ...product, switches: { published: "false" } };
    expect(why(known, inside({ product: draft }))).toMatchObject({ why: "unpublished", code: null });
    expect(why(known, inside({ product: draft }), true)).toMatchObject({ why: "left_out" });
    expect(why(null, inside({ product: undefined, device: undefined }))).toMatchObject({ why: "no_product", asked: false });
    expect(why(null, inside({ device: undefined }))).toMatchObject({ why: "no_device", asked: false });
  });
});

it("a device has one row, however often it was heard of", () => {
  const item = { enrollee: device, status: 1 } as unknown as DiscoveredDevice;
  const rows = enrollees([device], [item], [device, { product_key: "b", device_name: "e" }]);
  expect(rows).toEqual([
    { device, from: ["page", "cloud", "pasted"], item },
    { device: { product_key: "b", device_name: "e" }, from: ["pasted"], item: null },
  ]);
});
