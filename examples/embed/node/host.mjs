// A host of the plugin in Node: the same device, the same conversation and the same replay as the hosts in C and Python.
//
//   node host.mjs core muster.wasm                    from the factory to ready, twice
//   node host.mjs core muster.wasm life.txt …         replays recorded calls (tests/conformance)
//   node host.mjs jco  muster.component.js …          the same with the component, as `jco transpile` has made it
//
// An engine is a function that starts an instance and gives its five functions of bytes. docs/abi.md has the bytes.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const INTERFACE = 'muster:agent/agent@1.0.0';
const SCHEMA = 1;
const UCLOUD = 0;
const EVENTS = ['step', 'registered', 'ready', 'heartbeat', 'update', 'retrying', 'stopped', 'warning',
  'properties set', 'properties posted', 'bind token', 'permit', 'topology', 'scheduled'];
const STEPS = ['connect to register', 'subscribe for secret', 'request secret', 'store secret', 'confirm secret',
  'leave registration', 'login', 'subscribe', 'report version', 'heartbeat', 'report token', 'download', 'install',
  'erase secret', 'post properties'];
const STORE = ['credential', 'schedule', 'firmware'];
const SETTINGS = [['broker', 'mqtts://broker.example:8883'], ['product_sn', 'example-product1'],
  ['product_secret', 'the-product-secret'], ['device_sn', 'example1']];

// What a plugin says must not steer a terminal.
const say = (text) => console.log(text.replace(/\p{C}/gu, '?'));

// The core module with nothing but `WebAssembly`, which has no limit on time: run it in a Worker that can be ended.
function core(file) {
  const module = new WebAssembly.Module(readFileSync(file));
  if (WebAssembly.Module.imports(module).length > 0) throw new Error('the module wants to import something');
  return () => {
    const { exports } = new WebAssembly.Instance(module);
    // A view that does not fit throws a RangeError; a memory that has grown has another buffer, so none is kept.
    const view = (at, length) => new Uint8Array(exports.memory.buffer, at >>> 0, length >>> 0);
    const call = (name) => (request) => {
      const args = [];
      if (request !== undefined) {
        args.push(exports.cabi_realloc(0, 0, 1, request.length), request.length);
        view(...args).set(request);
      }
      const pair = exports[`${INTERFACE}#${name}`](...args);
      const numbers = new DataView(exports.memory.buffer, pair >>> 0, 8);
      const inside = view(numbers.getUint32(0, true), numbers.getUint32(4, true));
      const reply = inside.slice();
      inside.fill(0); // it may hold a credential
      exports[`cabi_post_${INTERFACE}#${name}`](pair);
      return reply;
    };
    return Object.fromEntries(['describe', 'open', 'handle', 'save', 'restore'].map((name) => [name, call(name)]));
  };
}

// The component, transpiled with `--instantiation sync`.
async function jco(file) {
  const { instantiate } = await import(pathToFileURL(file));
  const modules = new Map();
  const load = (name) => {
    if (!modules.has(name)) modules.set(name, new WebAssembly.Module(readFileSync(path.join(path.dirname(file), name))));
    return modules.get(name);
  };
  return () => instantiate(load, {})[INTERFACE];
}

// CBOR: numbers from zero, bytes, text, arrays, maps with numbers for keys, null. Numbers here stay below 2^53.
function encode(value) {
  const head = (major, n) => {
    if (n < 24) return Buffer.of((major << 5) | n);
    const more = [0, 1, 2, 3].find((m) => n < 2 ** (8 << m));
    const bytes = Buffer.alloc(9);
    bytes.writeBigUInt64BE(BigInt(n), 1);
    return Buffer.concat([Buffer.of((major << 5) | (24 + more)), bytes.subarray(9 - (1 << more))]);
  };
  if (value === null) return Buffer.of(0xf6);
  if (typeof value === 'number') return head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (Array.isArray(value)) return Buffer.concat([head(4, value.length), ...value.map(encode)]);
  const pairs = [...value].sort(([a], [b]) => a - b);
  return Buffer.concat([head(5, pairs.length), ...pairs.flat().map(encode)]);
}

function decode(bytes) {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const take = (length) => {
    if (length > data.length - at) throw new Error('a reply that ends too early');
    at += length;
    return data.subarray(at - length, at);
  };
  const item = (deep) => {
    const [first] = take(1);
    const [major, info] = [first >> 5, first & 31];
    if (info > 27 || deep === 0) throw new Error('a reply that is not CBOR of the schema');
    const n = info < 24 ? info : Number(`0x${take(1 << (info - 24)).toString('hex')}`);
    if (major === 0) return n;
    if (major === 2) return take(n);
    if (major === 3) return take(n).toString();
    if (major === 7 && info >= 20 && info <= 22) return [false, true, null][info - 20];
    if ((major !== 4 && major !== 5) || n > data.length - at) throw new Error('a reply that is not CBOR of the schema');
    if (major === 4) return Array.from({ length: n }, () => item(deep - 1));
    return new Map(Array.from({ length: n }, () => [item(deep - 1), item(deep - 1)]));
  };
  const value = item(16);
  if (at !== data.length) throw new Error("bytes after the reply's end");
  return value;
}

// One device: what is on stable storage, and a network and a cloud of a few lines.
class Device {
  stored = new Map();
  now = 0;

  powerOn(plugin) {
    const about = decode(plugin.describe());
    if (about.get(1) > SCHEMA || about.get(0) < SCHEMA) throw new Error('another byte schema');
    say(`plugin   ${about.get(4)}`);
    this.inputs = [];
    this.ready = false;
    // A real host asks its clocks; the one of the day is not known here.
    const now = () => new Map([[0, this.now]]);
    const open = [SCHEMA, UCLOUD, SETTINGS, this.stored, randomBytes(32), now()];
    let due = this.drain(plugin.open(encode(new Map(open.entries()))));
    while (!this.ready || this.inputs.length > 0) {
      if (this.inputs.length === 0 && due === null) throw new Error('nothing is left to wait for');
      this.now = this.inputs.length > 0 || due < this.now ? this.now + 10 : due;
      due = this.drain(plugin.handle(encode(new Map([[0, now()], [1, this.inputs.shift() ?? [0]]]))));
    }
  }

  // Carries out what one input led to. When to come back.
  drain(reply) {
    const [kind, drain] = decode(reply);
    if (kind !== 0) throw new Error(`the plugin refuses: ${JSON.stringify(drain)}`);
    const outputs = drain.get(0);
    const [last, due] = outputs.pop();
    if (last !== 2) throw new Error('the drain does not end with its one deadline');
    for (const [which, what] of outputs) {
      if (which === 0) this.command(...what);
      else if (which === 1) this.event(...what);
      else throw new Error('an unknown kind of output');
    }
    return due;
  }

  command(number, token, ...fields) {
    const [first] = fields;
    switch (number) {
      case 0:
        say(`command  CONNECT to ${first.get(0)} as ${first.get(1)}, user name ${first.get(2)}`);
        this.inputs.push([1, token]);
        break;
      case 1:
        say('command  DISCONNECT');
        this.inputs.push([2, token, [2]]);
        break;
      case 2:
        say(`command  SUBSCRIBE to ${first.get(0)}`);
        this.inputs.push([4, token, [1, 1]]);
        break;
      case 3: {
        const [topic, body] = [first.get(0), first.get(2)];
        say(`command  PUBLISH to ${topic}`);
        this.inputs.push([4, token, [0]]);
        if (topic.endsWith('/password')) {
          const answer = Buffer.concat([Buffer.from('{"RetCode":"0","Password":"made-up",'), body.subarray(1)]);
          this.inputs.push([3, new Map([[0, `${topic}_reply`], [1, answer]])]);
        }
        break;
      }
      case 5:
        say(`command  STORE ${STORE[first]}`);
        this.stored.set(first, Buffer.from(fields[1])); // a real host makes it durable before it says so
        this.inputs.push([6, token, [0]]);
        break;
      default:
        throw new Error(`command ${number} is not in this host's power`);
    }
  }

  event(number, step) {
    const name = EVENTS[number] ?? 'of a kind that this host does not know';
    say(`event    ${name}${number === 0 && STEPS[step] ? `: ${STEPS[step]}` : ''}`);
    this.ready ||= number === 2;
  }
}

function replay(fresh, file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  let plugin = fresh();
  let calls = 0;
  for (let i = 0; i < lines.length; i += 1) {
    if (lines[i] === 'new') {
      plugin = fresh();
      continue;
    }
    const [name, request = ''] = lines[i].split(' ');
    const takes = name !== 'describe' && name !== 'save';
    const reply = plugin[name](takes ? Buffer.from(request, 'hex') : undefined);
    i += 1;
    if (`= ${Buffer.from(reply).toString('hex')}` !== lines[i]) {
      throw new Error(`${file}: call ${calls}, \`${name}\`: other bytes than recorded`);
    }
    calls += 1;
  }
  console.log(`${path.basename(file)}: ${calls} calls alike`);
}

const [engine, file, ...lives] = process.argv.slice(2);
if (!file || !['core', 'jco'].includes(engine)) {
  console.error('usage: node host.mjs core|jco muster.wasm|muster.component.js [life.txt …]');
  process.exit(2);
}
const fresh = engine === 'core' ? core(file) : await jco(file);
for (const life of lives) replay(fresh, life);
if (lives.length === 0) {
  const device = new Device();
  for (const which of ['first', 'second']) {
    console.log(`${which} power-on`);
    device.powerOn(fresh());
  }
}
