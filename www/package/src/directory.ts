// A store in a directory, for Node.
//
// One file holds all values, because a change of several is one change. It is replaced, never written over: a temporary
// file is written and flushed, takes the place of the old one, and the directory is flushed. What comes while that is
// under way goes along in the next round, all of it in one.

import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, open, readFile, readdir, rename, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { StorageError } from "../../src/muster/errors";
import type { Store } from "../../src/muster/types";

const FILE = "values.json";
const LOCK = "lock";
const TEMPORARY = /^\.values\.json\.[0-9a-f]{12}$/;
const FORMAT = "muster-store";

/** Directories that this process uses. */
const mine = new Set<string>();

/**
 * Keeps the values of one device, or of one cloud, in a directory; it is made if it is not there. Secrets are in it:
 * nobody but the user may read it. One at a time may use it: the next one gets a `StorageError` with code `in_use`.
 */
export function directory(path: string): Store {
  return new Directory(resolve(path));
}

type Change = [name: string, value?: Uint8Array];

class Directory implements Store {
  #values: Map<string, Uint8Array> | undefined;
  #opened: Promise<void> | undefined;
  #round: Promise<void> | undefined;
  #next: { changes: Change[]; kept: Promise<void> } | undefined;
  /** It was given back: until it is loaded again, nothing is kept. */
  #over = false;
  #ending: Promise<void> | undefined;

  constructor(private readonly path: string) {}

  async load(): Promise<ReadonlyMap<string, Uint8Array>> {
    await this.#ending;
    this.#over = false;
    this.#opened ??= this.#open();
    await this.#opened;
    if (this.#values === undefined) throw this.#given();
    return new Map(this.#values);
  }

  async write(changes: Change[]): Promise<void> {
    // A late one would take the lock anew, and nobody would give it back.
    if (this.#over) throw this.#given();
    if (this.#values === undefined) await this.load();
    if (this.#next === undefined) {
      const next = { changes: [] as Change[], kept: Promise.resolve() };
      // Not before the round that is under way is over, however it ends.
      next.kept = Promise.resolve(this.#round).then(
        () => this.#keep(next.changes),
        () => this.#keep(next.changes),
      );
      this.#next = next;
      this.#round = next.kept;
      // Whoever asked hears of a failure.
      next.kept.catch(() => {});
    }
    this.#next.changes.push(...changes);
    return this.#next.kept;
  }

  /** What was asked for before is kept first. */
  release(): Promise<void> {
    this.#over = true;
    this.#ending ??= this.#end().finally(() => (this.#ending = undefined));
    return this.#ending;
  }

  async #open(): Promise<void> {
    try {
      const made = await mkdir(this.path, { recursive: true, mode: 0o700 }).catch(because(`${this.path} cannot be made`));
      lock(this.path);
      try {
        if (made !== undefined) await lasting(this.path, made).catch(because(`${this.path} cannot be made to last`));
        await tidy(this.path).catch(because(`${this.path} cannot be read`));
        this.#values = await read(join(this.path, FILE));
      } catch (error) {
        unlock(this.path);
        throw error;
      }
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  async #keep(changes: Change[]): Promise<void> {
    this.#next = undefined;
    // Begun from nothing, the file would lose all that it has.
    if (this.#values === undefined) throw this.#given();
    const after = new Map(this.#values);
    for (const [name, value] of changes) {
      if (value) after.set(name, value.slice());
      else after.delete(name);
    }
    await replace(this.path, encode(after)).catch(because(`${this.path} did not keep it`));
    this.#values = after;
  }

  async #end(): Promise<void> {
    await this.#opened?.catch(() => {});
    await this.#round?.catch(() => {});
    if (this.#values === undefined) return;
    this.#values = undefined;
    this.#opened = undefined;
    unlock(this.path);
  }

  #given(): StorageError {
    return new StorageError("storage", `${this.path} was given back`, "load it again");
  }
}

/** A new directory is there after a power cut only if those that it is in know of it: from `path` up to `first`, the outermost new one. */
async function lasting(path: string, first: string): Promise<void> {
  for (let folder = path; ; folder = dirname(folder)) {
    await flushed(dirname(folder));
    if (folder === first || folder === dirname(folder)) return;
  }
}

/** A program that was killed while it wrote leaves what it wrote, and that may be a secret which was erased since. */
async function tidy(path: string): Promise<void> {
  const left = (await readdir(path)).filter((name) => TEMPORARY.test(name));
  await Promise.all(left.map((name) => rm(join(path, name), { force: true })));
}

async function replace(path: string, text: string): Promise<void> {
  const temporary = join(path, `.${FILE}.${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(path, FILE));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await flushed(path);
}

/** What a directory holds survives a power cut. Windows has no such thing: its rename is as durable as it gets. */
async function flushed(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function encode(values: ReadonlyMap<string, Uint8Array>): string {
  const entries = [...values].map(([name, value]) => [name, Buffer.from(value).toString("base64")]);
  return `${JSON.stringify({ format: FORMAT, version: 1, values: Object.fromEntries(entries) })}\n`;
}

async function read(file: string): Promise<Map<string, Uint8Array>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Map();
    return because(`${file} cannot be read`)(error);
  }
  const values = decode(text);
  if (values !== undefined) return values;
  throw new StorageError("stored_unreadable", `${file} is not what was kept there`, "put the file back, or remove it: the device will then register anew");
}

function decode(text: string): Map<string, Uint8Array> | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof data !== "object" || data === null) return undefined;
  const { format, version, values } = data as Record<string, unknown>;
  if (format !== FORMAT || version !== 1 || typeof values !== "object" || values === null) return undefined;
  const read = new Map<string, Uint8Array>();
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== "string") return undefined;
    const bytes = Buffer.from(value, "base64");
    if (bytes.toString("base64") !== value) return undefined;
    read.set(name, new Uint8Array(bytes));
  }
  return read;
}

/** Two drivers of one device would overwrite each other's secrets. A lock whose process is gone is taken over. */
function lock(path: string): void {
  const file = join(path, LOCK);
  const taken = (): StorageError =>
    new StorageError("in_use", `another device uses ${path}`, `stop it, or give this one a directory of its own (if none runs, remove ${file})`);
  if (mine.has(path)) throw taken();
  // Whole from its first moment, and after a power cut too: an empty lock would tell nobody whose it was.
  const made = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(made, JSON.stringify({ pid: process.pid, since: startOf(process.pid) }), { flag: "wx", mode: 0o600, flush: true });
    if (!placed(made, file)) {
      const found = holderOf(file);
      if (found !== undefined && isAlive(found)) throw taken();
      // Somebody else may have taken it over since: then it is theirs, and comes back.
      const old = `${made}.old`;
      renameSync(file, old);
      const moved = holderOf(old);
      if (JSON.stringify(moved) !== JSON.stringify(found)) placed(old, file);
      rmSync(old, { force: true });
      if (!placed(made, file)) throw taken();
    }
    mine.add(path);
  } catch (error) {
    if (error instanceof StorageError) throw error;
    because(`${file} cannot be made`)(error);
  } finally {
    rmSync(made, { force: true });
  }
}

/** Gives a file a second name; false if that is taken. */
function placed(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function unlock(path: string): void {
  mine.delete(path);
  rmSync(join(path, LOCK), { force: true });
}

type Holder = { pid?: unknown; since?: unknown };

function holderOf(file: string): Holder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof holder === "object" && holder !== null ? holder : undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, since }: Holder): boolean {
  if (typeof pid !== "number") return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It lives, and is somebody else's.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  // Numbers of processes come back; the time of their start tells them apart.
  return since === startOf(pid);
}

/** When a process was started, where the system tells. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""}`;
  } catch {
    return null;
  }
}

function because(what: string): (error: unknown) => never {
  return (error) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new StorageError("storage", `${what}: ${why}`, "make room, or check the directory's owner and mode");
  };
}
