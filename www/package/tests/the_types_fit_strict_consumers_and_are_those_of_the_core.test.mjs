import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { WWW, project, run } from "./support/package.mjs";

const require = createRequire(join(WWW, "package.json"));
const TSC = require.resolve("typescript/bin/tsc");
const TYPES = join(WWW, "node_modules/@types");

const PROGRAM = `
import { Cloud, Device, DeviceStopped, TimedOut, load, type DeviceEvent, type Entry, type Muster, type PlatformName, type Store } from "muster-device";

const kept = new Map<string, Uint8Array>();
const storage: Store = {
  load: async () => kept,
  write: async (changes) => {
    for (const [name, value] of changes) value ? kept.set(name, value) : kept.delete(name);
  },
  release() {},
};
const platform: PlatformName = "ucloud";
const cloud: Cloud = await Cloud.start({ signal: new AbortController().signal });
{
  await using device = await Device.start({ platform, cloud, storage });
  try {
    await device.ready({ timeout: 1_000 });
  } catch (error) {
    if (error instanceof DeviceStopped) console.log(error.advice satisfies string);
    else if (error instanceof TimedOut) console.log(error.next?.toUpperCase());
  }
  for await (const event of device) {
    const one: DeviceEvent = event;
    if (event.event === "registered") console.log(event.identity.product.length, event.seq + event.at);
    if (event.event === "retrying") console.log(event.in_ms.toFixed());
    if (one.event === "ready") break;
  }
  for await (const entry of device.timeline) {
    const whole: Entry = entry;
    if (entry.kind === "mqtt") console.log(entry.packet.topic?.length, whole.unix);
  }
  const { update } = await device.until("update");
  if (update.phase === "failed") console.log(update.reason);
}
const muster: Muster = await load();
console.log((await muster.tools.imeiCheck("490154203237518")).valid);
muster.close();
export {};
`;

const NODE = `
import { directory } from "muster-device/node";
import { Device } from "muster-device";
export const started = Device.start({ platform: "krtyun", settings: {}, storage: directory("here") });
`;

const PAGE = `
import type { MusterDevice } from "muster-device/element";
import "muster-device/element";
const element: MusterDevice = document.createElement("muster-device");
element.settings = { product_secret: "x" };
element.addEventListener("muster-state", (event) => console.log(event.detail.state satisfies string));
element.addEventListener("muster-entry", ({ detail }) => console.log(detail.entry.seq));
await element.start();
export {};
`;

/** Each of these has to be an error: one that is not makes the check fail. */
const WRONG = `
import { Device, type DeviceEvent, type Event } from "muster-device";
// @ts-expect-error no such platform
void Device.start({ platform: "aws" });
const device = await Device.start({ platform: "ucloud" });
// @ts-expect-error no such event
await device.until("nothing");
// @ts-expect-error an identity is missing
export const event: Event = { event: "registered" };
// @ts-expect-error devices come from start()
new Device();
// @ts-expect-error no such member of this event
export const late = (event: DeviceEvent) => (event.event === "ready" ? event.in_ms : 0);
`;

const STRICT = { target: "ES2022", strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true, typeRoots: [TYPES] };
const CONSUMERS = {
  "a bundler, for a page": { module: "ESNext", moduleResolution: "bundler", lib: ["ES2022", "DOM", "DOM.Iterable"], types: [], files: { "program.ts": PROGRAM, "page.ts": PAGE } },
  "Node, without the page's types": { module: "Node16", moduleResolution: "node16", lib: ["ES2022"], types: ["node"], files: { "program.ts": PROGRAM, "node.ts": NODE } },
};

for (const [name, { files, ...options }] of Object.entries(CONSUMERS)) {
  test(`strict TypeScript takes the package's types: ${name}`, async () => {
    const consumer = await project();
    for (const [file, text] of Object.entries(files)) await consumer.file(file, text);
    await consumer.file("wrong.ts", WRONG);
    assert.equal(await check(consumer, options, [...Object.keys(files), "wrong.ts"]), "");
    await consumer.end();
  });
}

test("the packaged types of the data are those that the core's declarations made", async () => {
  const installed = await project();
  const packaged = await readFile(join(installed.package, "types/muster/data.d.ts"), "utf8");
  const made = await readFile(join(WWW, "src/muster/data.ts"), "utf8");
  // Comments and layout are the compiler's; what is declared is not.
  const ts = require("typescript");
  const declared = (text) => {
    const file = ts.createSourceFile("data.ts", text, ts.ScriptTarget.ES2022);
    return file.statements.map((statement) => ts.createPrinter({ removeComments: true }).printNode(ts.EmitHint.Unspecified, statement, file).replaceAll(/\s+/g, " ").replaceAll(/[,;] }/g, " }").replaceAll(",", ";"));
  };
  assert.ok(declared(made).length > 50, "there are declarations");
  assert.deepEqual(declared(packaged), declared(made));
  await installed.end();
});

async function check(consumer, options, files) {
  await consumer.file("tsconfig.json", JSON.stringify({ compilerOptions: { ...STRICT, ...options }, files }));
  return run("node", [TSC, "-p", join(consumer.folder, "tsconfig.json")]).then(
    () => "",
    (error) => error.stdout,
  );
}
