// A real Mosquitto on loopback, over TCP and over WebSocket.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Debian's lives where only root's PATH looks. */
const PROGRAM = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"].find((path) => existsSync(path)) ?? "mosquitto";

export class Mosquitto {
  #child;

  static async start() {
    const broker = new Mosquitto();
    broker.folder = await mkdtemp(join(tmpdir(), "muster-mosquitto-"));
    [broker.tcp, broker.websocket] = await freePorts(2);
    const lines = ["user root", "allow_anonymous true", `listener ${broker.tcp} 127.0.0.1`, `listener ${broker.websocket} 127.0.0.1`, "protocol websockets"];
    await writeFile(join(broker.folder, "mosquitto.conf"), `${lines.join("\n")}\n`);
    await broker.run();
    return broker;
  }

  /** Starts it, the second time on the same ports. */
  async run() {
    const child = spawn(PROGRAM, ["-c", join(this.folder, "mosquitto.conf")], { stdio: "ignore" });
    this.#child = child;
    let gone = null;
    child.once("error", (error) => (gone = `${PROGRAM}: ${error.message}; on Debian: apt-get install mosquitto`));
    child.once("exit", (code) => (gone ??= `${PROGRAM} ended with ${code}`));
    for (const port of [this.tcp, this.websocket]) {
      while (!(await listens(port))) {
        if (gone !== null) throw new Error(gone);
        await new Promise((done) => setTimeout(done, 50));
      }
    }
  }

  async kill() {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async end() {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** All at once: what is given back may be handed out again. */
async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => done(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function listens(port) {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}
