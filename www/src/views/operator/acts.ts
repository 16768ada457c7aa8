// What an operator does to devices, with the way back where there is one, and the vendor's rule where there is none.

import { o } from "../../i18n/cloud";
import type { DeviceView } from "../../muster/types";
import { operate } from "../../state/operate";
import { isUsed } from "../../state/whitelist";
import { announce } from "../base";
import { ask } from "../dialogs";
import { askDanger, fieldOf, typed } from "./danger";

function tell(text: () => string, undo: (() => Promise<void>) | null, refused: Parameters<typeof operate.tell>[2] = []): void {
  operate.tell(text, undo, refused);
  announce(text());
}

function devicesOf(names: readonly string[]): DeviceView[] {
  return names.map((name) => operate.roster.get(name)).filter((device) => device !== undefined);
}

/** Keeps devices out, or lets them in again: each is the way back from the other. */
export async function disable(names: readonly string[], disabled: boolean): Promise<void> {
  const { product, platform } = operate;
  // Those that are so already stay so when it is taken back.
  const changing = devicesOf(names).filter((device) => (device.state === "disabled") !== disabled);
  if (changing.length === 0) return;
  const set = (those: readonly string[], value: boolean, doing: () => string) =>
    operate.each(those, doing, (device) => ({ action: "disable", product, device, disabled: value }));
  const { done, refused } = await set(changing.map((device) => device.name), disabled, () => o().doing[disabled ? "disable" : "enable"]);
  const undo = async () => {
    if (platform !== operate.platform) return;
    const back = await set(done, !disabled, () => o().doing.undo);
    tell(() => o().undone, null, back.refused);
  };
  tell(() => o().did[disabled ? "disabled" : "enabled"](done.length, done[0] ?? ""), done.length > 0 ? undo : null, refused);
}

export async function reset(names: readonly string[]): Promise<void> {
  const devices = devicesOf(names);
  const [first] = devices;
  if (first === undefined) return;
  const { product, platform } = operate;
  const d = o().danger;
  const { rule, effects, fresh, source } = d.reset[platform];
  const answer = await askDanger({ title: d.resetTitle(devices.length, first.name), rule, effects, fresh, source, field: fieldOf(platform, devices), type: typed(devices), ok: d.resetOk });
  if (answer === null) return;
  operate.secrets = new Map();
  const all = devices.map((device) => device.name);
  const { done, refused } = await operate.each(all, () => o().doing.reset, (device) => ({ action: "reset", product, device, new_secret: answer.fresh }));
  tell(() => o().did.reset(done.length, done[0] ?? ""), null, refused);
}

export async function remove(names: readonly string[]): Promise<void> {
  const devices = devicesOf(names);
  const [first] = devices;
  if (first === undefined) return;
  const { product, platform } = operate;
  const d = o().danger;
  const title = d.deleteTitle(devices.length, first.name);
  if (devices.length === 1 && !isUsed(platform, first)) {
    if ((await ask({ title, text: d.deleteUnused, ok: d.deleteOk, danger: true })) === null) return;
  } else {
    const answer = await askDanger({ title, ...d.delete[platform], field: fieldOf(platform, devices), type: typed(devices), ok: d.deleteOk });
    if (answer === null) return;
  }
  const all = devices.map((device) => device.name);
  const { done, refused } = await operate.each(all, () => o().doing.delete, (device) => ({ action: "delete_device", product, device }));
  operate.tick(done, false);
  tell(() => o().did.deleted(done.length, done[0] ?? ""), null, refused);
}

/** A switch or a setting of the product; the way back is its old value. */
export async function turn(name: string, value: string): Promise<void> {
  const { product, platform, current } = operate;
  const old = current?.switches[name];
  if ((await operate.operate({ action: "switch", product, name, value })) === null) return;
  const undo = async () => {
    if (old === undefined || platform !== operate.platform) return;
    if ((await operate.operate({ action: "switch", product, name, value: old })) !== null) tell(() => o().did.switched(name, old), null);
  };
  tell(() => o().did.switched(name, value), old === undefined ? null : undo);
}

/** Whether apps find it without a bind token (Alibaba). */
export async function announceDevice(device: string, on: boolean): Promise<void> {
  const { product } = operate;
  const set = (value: boolean) => operate.operate({ action: "switch", product, name: `announce.${device}`, value: String(value) });
  if ((await set(on)) === null) return;
  const undo = async () => {
    if ((await set(!on)) !== null) tell(() => o().did.announced(device, !on), null);
  };
  tell(() => o().did.announced(device, on), undo);
}

export async function setProperties(device: string): Promise<void> {
  const d = o();
  const wrong = (text: string) => {
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === "object" && value !== null && !Array.isArray(value) ? null : d.notObject;
    } catch {
      return d.notObject;
    }
  };
  const answer = await ask({ title: d.propertiesTitle(device), text: d.propertiesText, ok: d.propertiesOk, input: { value: '{"PowerSwitch": 1}', wrong } });
  if (answer === null) return;
  const { product } = operate;
  if ((await operate.operate({ action: "set_properties", product, device, json: answer.text })) !== null) tell(() => o().did.properties(device), null);
}

/** Orders an update; the way back is to take the orders back. */
export async function push(version: string, module: string | null, devices: readonly string[] | null): Promise<void> {
  const { product, platform } = operate;
  const which = { product, ...(module === null ? {} : { module }), ...(devices === null ? {} : { devices: [...devices] }) };
  const result = await operate.operate({ action: "push_upgrade", version, ...which });
  if (result?.result !== "ordered") return;
  const undo = async () => {
    if (platform === operate.platform) await takeBack(product, module, devices);
  };
  tell(() => o().did.pushed(result.devices, version), result.devices === 0 ? null : undo);
}

export async function takeBack(product: string, module: string | null, devices: readonly string[] | null): Promise<void> {
  const which = { product, ...(module === null ? {} : { module }), ...(devices === null ? {} : { devices: [...devices] }) };
  const result = await operate.operate({ action: "cancel_upgrade", ...which });
  if (result?.result === "ordered") tell(() => o().did.cancelled(result.devices), null);
}

/** Puts a sub-device under a gateway, or takes it away: each is the way back from the other. */
export async function tie(gateway: { product: string; device: string }, sub: { product: string; device: string }, on: boolean, back = true): Promise<boolean> {
  const action = { action: on ? "add_topology" : "remove_topology", product: gateway.product, device: gateway.device, sub_product: sub.product, sub_device: sub.device } as const;
  if ((await operate.operate(action)) === null) return false;
  const undo = async () => void (await tie(gateway, sub, !on, false));
  tell(() => o().did[on ? "tied" : "untied"](sub.device, gateway.device), back ? undo : null);
  return true;
}
