// One device on a real network, its secret in a directory, until Ctrl-C:
//
//   BROKER=wss://host/mqtt PRODUCT_SN=… PRODUCT_SECRET=… DEVICE_SN=… npm start
//
// Node 20 also needs `npm install ws`; Node 22 has a WebSocket of its own.

import { Device, MusterError } from "muster-device";
import { directory } from "muster-device/node";

const { BROKER, PRODUCT_SN, PRODUCT_SECRET, DEVICE_SN } = process.env;
const settings = { broker: BROKER ?? "", product_sn: PRODUCT_SN ?? "", device_sn: DEVICE_SN ?? "" };
// Not an argument: those are seen by everybody on this machine.
if (PRODUCT_SECRET !== undefined) settings.product_secret = PRODUCT_SECRET;

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
try {
  const device = await Device.start({ platform: "ucloud", settings, storage: directory("device-data"), signal: stop.signal });
  // Secrets are covered in everything that a timeline shows.
  for await (const event of device) console.log(JSON.stringify(event));
} catch (error) {
  if (!(error instanceof MusterError)) throw error;
  console.error(`${error.code}: ${error.message}${error.next === undefined ? "" : `; next: ${error.next}`}`);
  process.exitCode = 1;
}
