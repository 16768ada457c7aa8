// A recording of many entries, as the console exports one.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Writes a session of `count` entries into the folder: logins, messages with their acknowledgements, pings. */
export async function recordingOf(count, folder) {
  const rows = [{ side: "device", note: "started", unix: 1_700_000_000_000 }];
  const product = "muster0ucloud001";
  const device = "112233445566";
  let seq = 0;
  const add = (what) => {
    seq += 1;
    rows.push({ side: "device", life: 1, seq, at: seq * 20, unix: 1_700_000_000_000 + seq * 20, ...what });
    return seq;
  };
  const mqtt = (direction, packet) => add({ kind: "mqtt", direction, packet: { size: 90, masked: 0, ...packet } });
  add({ kind: "event", event: { event: "step", step: "login" } });
  mqtt("up", { type: "CONNECT", client_id: `${product}.${device}`, username: `${product}|${device}|1`, password: "****************", masked: 1 });
  mqtt("down", { type: "CONNACK", return_code: 0, of: 2, latency: 12.5 });
  add({ kind: "event", event: { event: "ready" } });
  // A step has no row of its own.
  while (seq <= count) {
    const n = seq;
    if (n % 50 === 0) {
      const of = mqtt("up", { type: "PINGREQ", size: 2 });
      if (seq <= count) mqtt("down", { type: "PINGRESP", size: 2, of, latency: 3.2 });
      continue;
    }
    const text = JSON.stringify({ RequestID: String(n), Property: { temperature: 20 + (n % 90) / 10, needle: n % 9_973 === 7 ? "haystack" : "-" } });
    const of = mqtt("up", { type: "PUBLISH", topic: `/$system/${product}/${device}/tmodel/property/post`, qos: 1, packet_id: (n % 65_000) + 1, payload: { size: text.length, text, json: true } });
    if (seq <= count) mqtt("down", { type: "PUBACK", size: 4, packet_id: (n % 65_000) + 1, of, latency: 5 + (n % 40) });
  }
  const head = { format: "muster-session", version: 1, exported: "2026-01-02T03:04:05.000Z", device: { platform: "ucloud", world: "tab", storage: "memory", settings: { product_sn: product, device_sn: device }, missing: [] }, lives: [{ side: "device", life: 1, begun: 1_700_000_000_000, replay: null }] };
  const file = join(folder, `recording-${count}.json`);
  await writeFile(file, `${JSON.stringify(head).slice(0, -1)},"rows":[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]}`);
  return file;
}
