import { describe, expect, it } from "vitest";
import { NODE, homeTree, linesOf, permitOf, permitsOf, picture, type Inventory } from "../src/state/topology";
import type { GatewayView } from "../src/muster/types";

const device = (name: string, more: Record<string, string> = {}) => ({ name, state: "online", secret: null, version: null, last_active: null, more });
const product = (id: string, nodeType: string) => ({ id, name: id, secret: null, switches: { nodeType }, devices: 1, firmware: [] });
const inventory: Inventory = [
  { product: product("dev", "0"), devices: [device("lamp", { owner: "me", iotId: "l" }), device("plug", { gateway: "gw/g1", iotId: "p" }), device("bulb", { gateway: "gw/g1", owner: "me", iotId: "b" }), device("other", { owner: "bob" }), device("far", { gateway: "gw/g2", owner: "me" })] },
  { product: product("gw", "1"), devices: [device("g1", { owner: "me", iotId: "g" }), device("g2", { owner: "bob" })] },
];
const tree = homeTree({ identity: "me", home_id: "h" }, inventory);

describe("a home", () => {
  it("is a tree of its devices, sub-devices under their gateway", () => {
    const lines = linesOf(tree).map(({ node, depth, position, siblings }) => `${"  ".repeat(depth)}${node.kind} ${node.id} ${position}/${siblings}`);
    expect(lines).toEqual(["home h 1/1", "  gateway gw/g1 1/3", "    sub dev/plug 1/2", "    sub dev/bulb 2/2", "  device dev/far 2/3", "  device dev/lamp 3/3"]);
    expect(linesOf(tree)[2]?.parent?.id).toBe("gw/g1");
  });

  it("is drawn in columns, nothing upon another, parents amid their children", () => {
    const { nodes, edges, width, height } = picture(tree);
    expect(nodes).toHaveLength(6);
    expect(edges).toHaveLength(5);
    for (const a of nodes) {
      expect(a.x + NODE.width).toBeLessThanOrEqual(width);
      expect(a.y + NODE.height).toBeLessThanOrEqual(height);
      for (const b of nodes) if (a !== b && a.x === b.x) expect(Math.abs(a.y - b.y)).toBeGreaterThanOrEqual(NODE.height);
    }
    const gateway = nodes.find(({ node }) => node.id === "gw/g1");
    const subs = nodes.filter(({ node }) => node.kind === "sub").map(({ y }) => y);
    expect(gateway?.y).toBe((Math.min(...subs) + Math.max(...subs)) / 2);
  });

  it("may be empty", () => {
    const empty = homeTree({ identity: "nobody", home_id: "" }, inventory);
    expect(empty.children).toEqual([]);
    expect(picture(empty)).toMatchObject({ width: NODE.width, height: NODE.height, edges: [] });
  });
});

describe("joining", () => {
  it("is open for a while, always, or closed", () => {
    expect(permitOf("p", 60, 1_000)).toEqual({ product: "p", until: 61_000 });
    expect(permitOf("p", 0, 1_000)).toEqual({ product: "p", until: null });
    expect(permitOf("p", 65_535, 1_000)).toBeNull();
  });

  it("is what the cloud says, but for one that has just run out", () => {
    const gateway = (device: string, permit: GatewayView["permit"]): GatewayView => ({ product: "gw", device, state: "online", owner: "me", permit, subs: [] });
    const before = new Map([
      ["gw/over", { product: "p", until: 5 }],
      ["gw/closed", { product: "p", until: 50 }],
    ]);
    const now = permitsOf([gateway("over", null), gateway("closed", null), gateway("open", { product: null, until: null })], before, 10);
    expect([...now]).toEqual([
      ["gw/over", { product: "p", until: 5 }],
      ["gw/open", { product: "", until: null }],
    ]);
  });
});
