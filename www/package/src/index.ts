// Devices, their clouds and their owners, in a page. In Node the same names come from `node.ts`.

export { App, type StartApp } from "./app";
export { Cloud, type Firmware, type StartCloud } from "./cloud";
export { Device, DeviceStopped, type DeviceEvent, type DeviceState, type StartDevice } from "./device";
export type { Stamped } from "./living";
export { tools } from "./runtime";
export { TimedOut, type Wait } from "./wait";
export { CallFailed, CloudRefused, MusterDied, MusterError, SettingsError, StorageError } from "../../src/muster/errors";
export { load } from "../../src/muster/index";
export type * from "../../src/muster/data";
export type {
  App as AppHandle,
  AppBindPlan,
  AppCall,
  AppOptions,
  Cloud as CloudHandle,
  CloudOptions,
  Demo,
  DemoDevice,
  Device as DeviceHandle,
  DeviceOptions,
  FaultRule,
  Faults,
  HandOver,
  Handover,
  HandoverForm,
  HandoverInput,
  Intent,
  LoadOptions,
  Muster,
  PacketLook,
  Storage,
  Store,
  Tools,
} from "../../src/muster/types";
