// A running `muster up`, and its operator's side.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const TARGET = process.env["CARGO_TARGET_DIR"] ?? join(ROOT, "target");
const MUSTER = process.env["MUSTER_BIN"] ?? join(TARGET, "release/muster");

export class Up {
  #child;
  #ports = ["--port", "0"];

  static async start(...more) {
    const up = new Up();
    up.data = await mkdtemp(join(tmpdir(), "muster-console-"));
    up.more = process.env["MUSTER_CONSOLE"] === undefined || more.includes("--console") ? more : ["--console", process.env["MUSTER_CONSOLE"], ...more];
    await up.run();
    return up;
  }

  /** Starts it, the second time on the same ports and with the same data. */
  async run() {
    const child = spawn(MUSTER, ["up", "--json", ...this.#ports, "--data", this.data, ...this.more], { stdio: ["ignore", "pipe", "inherit"] });
    this.#child = child;
    const line = await new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).once("line", resolve);
      child.once("error", (error) => reject(new Error(`${MUSTER}: ${error.message}; build it with \`cargo xtask test browser\``)));
      child.once("exit", (code) => reject(new Error(`muster up ended with ${code} before it said where it is`)));
    });
    this.line = JSON.parse(line);
    const port = (url) => new URL(url).port;
    this.#ports = ["--port", port(this.line.http)];
    for (const [platform, url] of Object.entries(this.line.mqtt)) this.#ports.push(`--mqtt-${platform}`, port(url.replace("mqtt:", "http:")));
  }

  get origin() {
    return this.line.http;
  }

  /** As a power cut would. */
  async kill() {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async end() {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  async operate(platform, action, fields = {}) {
    const response = await fetch(`${this.origin}/api/operate`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ platform, action, ...fields }),
    });
    const body = await response.json();
    if (!response.ok) throw new Error(`${platform} ${action}: ${body.message}`);
    return body;
  }

  async get(path) {
    const response = await fetch(this.origin + path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** What the clouds wrote down, oldest first. */
  async log(platform) {
    const text = await (await fetch(`${this.origin}/api/log?platform=${platform}`)).text();
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  async device(platform, product, name) {
    const { items } = await this.operate(platform, "list_devices", { product, reveal: true, limit: 100 });
    return items.find((item) => item.name === name);
  }

  async upload(platform, product, version, bytes) {
    const query = new URLSearchParams({ platform, product, version });
    const response = await fetch(`${this.origin}/api/firmware?${query}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: bytes,
    });
    if (!response.ok) throw new Error(await response.text());
  }
}
