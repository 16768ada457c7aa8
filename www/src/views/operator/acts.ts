// What an operator does to devices, with the way back where there is one, and the vendor's rule where there is none.

import { waitText } from "../../i18n";
import { o } from "../../i18n/cloud";
import type { DeviceView, GatewayView } from "../../muster/types";
import { operate, type Place } from "../../state/operate";
import { isUsed } from "../../state/whitelist";
import { announce } from "../base";
import { ask } from "../dialogs";
import { askDanger, fieldOf, typed } from "./danger";

/** Seconds that close joining. */
export const CLOSED = 65_535;

type Told = { undo?: (() => Promise<void>) | null; refused?: Parameters<typeof operate.tell>[2]; place?: Place };

function tell(text: () => string, { undo = null, refused = [], place }: Told = {}): void {
  operate.tell(text, undo, refused, place);
  announce(text());
}

/** Where it is to be done; null, with the reason shown, if many others are under way. */
function free(): Place | null {
  if (operate.under === null) return operate.place;
  operate.fail(new Error(o().busy));
  return null;
}

function devicesOf(names: readonly string[]): DeviceView[] {
  return names.map((name) => operate.roster.get(name)).filter((device) => device !== undefined);
}

/** Does it to each; what is done is told where it was begun. */
async function each(names: readonly string[], doing: () => string, action: Parameters<typeof operate.each>[2], place: Place): ReturnType<typeof operate.each> {
  const ended = await operate.each(names, doing, action, place);
  if (ended === null) operate.fail(new Error(o().busy));
  return ended;
}

/** Keeps devices out, or lets them in again: each is the way back from the other. */
export async function disable(names: readonly string[], disabled: boolean): Promise<void> {
  const place = free();
  if (place === null) return;
  const { product } = place;
  // Those that are so already stay so when it is taken back.
  const changing = devicesOf(names).filter((device) => (device.state === "disabled") !== disabled);
  if (changing.length === 0) return;
  const set = (those: readonly string[], value: boolean, doing: () => string) =>
    each(those, doing, (device) => ({ action: "disable", product, device, disabled: value }), place);
  const ended = await set(changing.map((device) => device.name), disabled, () => o().doing[disabled ? "disable" : "enable"]);
  if (ended === null) return;
  const { done, refused } = ended;
  const undo = async () => {
    const back = await set(done, !disabled, () => o().doing.undo);
    if (back !== null) tell(() => o().undone, { refused: back.refused, place });
  };
  tell(() => o().did[disabled ? "disabled" : "enabled"](done.length, done[0] ?? ""), { undo: done.length > 0 ? undo : null, refused, place });
}

export async function reset(names: readonly string[]): Promise<void> {
  const devices = devicesOf(names);
  const [first] = devices;
  const place = free();
  if (first === undefined || place === null) return;
  const { product, platform } = place;
  const d = o().danger;
  const { rule, effects, fresh, source } = d.reset[platform];
  const answer = await askDanger({ title: d.resetTitle(devices.length, first.name), rule, effects, fresh, source, field: fieldOf(platform, devices), type: typed(devices), ok: d.resetOk });
  if (answer === null) return;
  operate.secrets = new Map();
  const all = devices.map((device) => device.name);
  const ended = await each(all, () => o().doing.reset, (device) => ({ action: "reset", product, device, new_secret: answer.fresh }), place);
  if (ended === null) return;
  const { done, refused } = ended;
  tell(() => o().did.reset(done.length, done[0] ?? ""), { refused, place });
}

export async function remove(names: readonly string[]): Promise<void> {
  const devices = devicesOf(names);
  const [first] = devices;
  const place = free();
  if (first === undefined || place === null) return;
  const { product, platform } = place;
  const d = o().danger;
  const title = d.deleteTitle(devices.length, first.name);
  if (devices.length === 1 && !isUsed(platform, first)) {
    if ((await ask({ title, text: d.deleteUnused, ok: d.deleteOk, danger: true })) === null) return;
  } else {
    const answer = await askDanger({ title, ...d.delete[platform], field: fieldOf(platform, devices), type: typed(devices), ok: d.deleteOk });
    if (answer === null) return;
  }
  const all = devices.map((device) => device.name);
  const ended = await each(all, () => o().doing.delete, (device) => ({ action: "delete_device", product, device }), place);
  if (ended === null) return;
  const { done, refused } = ended;
  operate.tick(done, false);
  tell(() => o().did.deleted(done.length, done[0] ?? ""), { refused, place });
}

/** Takes an import back: those that came with it go again, as long as nobody made use of their place. */
export async function unimport(names: readonly string[], place: Place): Promise<void> {
  const { product, platform } = place;
  const there = await operate.find(names, false, place);
  if (there === null) return;
  const unused = there.filter((device) => !isUsed(platform, device)).map((device) => device.name);
  const back = await each(unused, () => o().doing.undo, (device) => ({ action: "delete_device", product, device }), place);
  if (back === null) return;
  const stay = there.length - unused.length;
  tell(() => (stay === 0 ? o().undone : o().undoneBut(stay)), { refused: back.refused, place });
}

/** A switch or a setting of the product; the way back is its old value. False if it was refused. */
export async function turn(name: string, value: string): Promise<boolean> {
  const { current, place } = operate;
  if (place === null) return false;
  const { product } = place;
  const old = current?.switches[name];
  const set = (to: string) => operate.operate({ action: "switch", product, name, value: to }, place);
  if ((await set(value)) === null) return false;
  const undo = async () => {
    if (old !== undefined && (await set(old)) !== null) tell(() => o().did.switched(name, old), { place });
  };
  tell(() => o().did.switched(name, value), { undo: old === undefined ? null : undo, place });
  return true;
}

/** Whether apps find it without a bind token (Alibaba). */
export async function announceDevice(device: string, on: boolean): Promise<void> {
  const { place } = operate;
  if (place === null) return;
  const { product } = place;
  const set = (value: boolean) => operate.operate({ action: "switch", product, name: `announce.${device}`, value: String(value) }, place);
  if ((await set(on)) === null) return;
  const undo = async () => {
    if ((await set(!on)) !== null) tell(() => o().did.announced(device, !on), { place });
  };
  tell(() => o().did.announced(device, on), { undo, place });
}

export async function setProperties(device: string): Promise<void> {
  const d = o();
  const { place } = operate;
  if (place === null) return;
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
  const { product } = place;
  if ((await operate.operate({ action: "set_properties", product, device, json: answer.text }, place)) !== null) tell(() => o().did.properties(device), { place });
}

/** Orders an update; the way back is to take the orders back. */
export async function push(version: string, module: string | null, devices: readonly string[] | null): Promise<void> {
  const { place } = operate;
  if (place === null) return;
  const which = { product: place.product, ...(module === null ? {} : { module }), ...(devices === null ? {} : { devices: [...devices] }) };
  const result = await operate.operate({ action: "push_upgrade", version, ...which }, place);
  if (result?.result !== "ordered") return;
  const undo = () => takeBack(module, devices, place);
  tell(() => o().did.pushed(result.devices, version), { undo: result.devices === 0 ? null : undo, place });
}

export async function takeBack(module: string | null, devices: readonly string[] | null, place = operate.place): Promise<void> {
  if (place === null) return;
  const which = { product: place.product, ...(module === null ? {} : { module }), ...(devices === null ? {} : { devices: [...devices] }) };
  const result = await operate.operate({ action: "cancel_upgrade", ...which }, place);
  if (result?.result === "ordered") tell(() => o().did.cancelled(result.devices), { place });
}

/** Puts a sub-device under a gateway, or takes it away: each is the way back from the other. */
export async function tie(gateway: { product: string; device: string }, sub: { product: string; device: string }, on: boolean, back = true, place = operate.place): Promise<boolean> {
  if (place === null) return false;
  const action = { action: on ? "add_topology" : "remove_topology", product: gateway.product, device: gateway.device, sub_product: sub.product, sub_device: sub.device } as const;
  if ((await operate.operate(action, place)) === null) return false;
  const undo = async () => void (await tie(gateway, sub, !on, false, place));
  tell(() => o().did[on ? "tied" : "untied"](sub.device, gateway.device), { undo: back ? undo : null, place });
  return true;
}

/** Lets sub-devices join a gateway for a time, or closes it; the way back is what was before. */
export async function permit(gateway: GatewayView, seconds: number, only: string): Promise<void> {
  const { place } = operate;
  if (place === null) return;
  const { product, device } = gateway;
  const set = (value: number, sub: string) => operate.operate({ action: "permit", product, device, seconds: value, ...(sub === "" ? {} : { sub_product: sub }) }, place);
  if ((await set(seconds, only)) === null) return;
  const said = (value: number) => () => {
    const { did } = o();
    return value === CLOSED ? did.closed(device) : value === 0 ? did.permittedAlways(device) : did.permitted(device, waitText(value * 1_000));
  };
  // Closed, open for good, or what is left of the time.
  const before = gateway.permit;
  const undo = async () => {
    const left = before === null ? CLOSED : before.until === null ? 0 : Math.max(0, Math.ceil((before.until - Date.now()) / 1_000));
    const value = left === 0 && before?.until != null ? CLOSED : left;
    if ((await set(value, before?.product ?? "")) !== null) tell(said(value), { place });
  };
  tell(said(seconds), { undo, place });
}
