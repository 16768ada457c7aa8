// A home as a tree: the owner, the devices bound to them, and what is under their gateways; and where its parts stand
// in a picture of it.

import type { DeviceView, GatewayView, OwnerView, ProductView } from "../muster/types";

export type Inventory = readonly { product: ProductView; devices: readonly DeviceView[] }[];

export type NodeKind = "home" | "gateway" | "device" | "sub";
export type TreeNode = {
  /** `productKey/deviceName`; of the home its id. */
  id: string;
  kind: NodeKind;
  product: string;
  name: string;
  iotId: string;
  /** As the operator sees it; empty for a home, or where nobody can tell. */
  state: string;
  /** A sub-device: bound to an owner of its own. */
  owner: string;
  children: TreeNode[];
};

export function isGateway(product: ProductView): boolean {
  return product.switches["nodeType"] === "1";
}

/** A home's tree. A sub-device stands under its gateway, whoever it is bound to. */
export function homeTree(owner: Pick<OwnerView, "identity" | "home_id">, inventory: Inventory): TreeNode {
  const home: TreeNode = { id: owner.home_id, kind: "home", product: "", name: owner.identity, iotId: "", state: "", owner: "", children: [] };
  const all = inventory.flatMap(({ product, devices }) => devices.map((device) => ({ product, device })));
  const subs = new Map<string, TreeNode[]>();
  const node = (kind: NodeKind, product: string, device: DeviceView): TreeNode => {
    const { iotId = "", owner: of = "" } = device.more;
    return { id: `${product}/${device.name}`, kind, product, name: device.name, iotId, state: device.state, owner: of, children: [] };
  };
  for (const { product, device } of all) {
    const at = device.more["gateway"];
    if (at === undefined) continue;
    subs.set(at, [...(subs.get(at) ?? []), node("sub", product.id, device)]);
  }
  const mine = new Set(all.filter(({ device }) => device.more["owner"] === owner.identity).map(({ product, device }) => `${product.id}/${device.name}`));
  for (const { product, device } of all) {
    if (device.more["owner"] !== owner.identity) continue;
    const gateway = isGateway(product);
    const own = node(gateway ? "gateway" : "device", product.id, device);
    // What is under one of the home's own gateways is drawn there.
    const under = device.more["gateway"];
    if (under !== undefined && mine.has(under)) continue;
    own.children = gateway ? (subs.get(own.id) ?? []) : [];
    home.children.push(own);
  }
  home.children.sort((a, b) => Number(b.kind === "gateway") - Number(a.kind === "gateway") || a.id.localeCompare(b.id));
  return home;
}

export type Line = { node: TreeNode; depth: number; parent: TreeNode | null; position: number; siblings: number };

/** The tree line by line, from the top. */
export function linesOf(root: TreeNode): Line[] {
  const out: Line[] = [];
  const walk = (node: TreeNode, depth: number, parent: TreeNode | null, position: number, siblings: number) => {
    out.push({ node, depth, parent, position, siblings });
    node.children.forEach((child, i) => walk(child, depth + 1, node, i + 1, node.children.length));
  };
  walk(root, 0, null, 1, 1);
  return out;
}

export type Placed = { node: TreeNode; x: number; y: number };
export type Edge = { from: Placed; to: Placed };
export type Picture = { nodes: Placed[]; edges: Edge[]; width: number; height: number };

export const NODE = { width: 120, height: 44, gapX: 18, gapY: 14 };

/** Columns by depth; whoever has children stands in the middle of them. */
export function picture(root: TreeNode): Picture {
  const nodes: Placed[] = [];
  const edges: Edge[] = [];
  let bottom = 0;
  let deepest = 0;
  const place = (node: TreeNode, depth: number): Placed => {
    deepest = Math.max(deepest, depth);
    const children = node.children.map((child) => place(child, depth + 1));
    const [first, last] = [children[0], children.at(-1)];
    let y = bottom;
    if (first === undefined || last === undefined) bottom += NODE.height + NODE.gapY;
    else y = (first.y + last.y) / 2;
    const placed = { node, x: depth * (NODE.width + NODE.gapX), y };
    nodes.push(placed);
    for (const to of children) edges.push({ from: placed, to });
    return placed;
  };
  place(root, 0);
  return { nodes, edges, width: (deepest + 1) * NODE.width + deepest * NODE.gapX, height: Math.max(NODE.height, bottom - NODE.gapY) };
}

// ---------- joining ----------

export const PERMIT_ALWAYS = 0;
export const PERMIT_CLOSED = 65_535;

/** `product`: only for sub-devices of this one; empty: of any. */
export type Permit = { product: string; until: number | null };

/** What a permit of `time` means from `now` on; null: joining is closed. */
export function permitOf(product: string, time: number, now: number): Permit | null {
  if (time === PERMIT_CLOSED) return null;
  return { product, until: time === PERMIT_ALWAYS ? null : now + time * 1_000 };
}

/** What the cloud says of all gateways. One that ran out stays until the next is opened, so that it can be told. */
export function permitsOf(gateways: readonly GatewayView[], before: ReadonlyMap<string, Permit>, now: number): Map<string, Permit> {
  const out = new Map<string, Permit>();
  for (const { product, device, permit } of gateways) {
    const id = `${product}/${device}`;
    const old = before.get(id);
    if (permit !== null) out.set(id, { product: permit.product ?? "", until: permit.until });
    else if (old?.until != null && old.until <= now) out.set(id, old);
  }
  return out;
}
