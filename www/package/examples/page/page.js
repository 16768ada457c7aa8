// From node_modules by its address: no bundler, no import map.

import { Cloud, Device, DeviceStopped } from "./node_modules/muster-device/dist/index.js";
import "./node_modules/muster-device/dist/element.js";

const log = document.querySelector("#log");
const run = document.querySelector("#run");

function say(text) {
  const line = document.createElement("li");
  line.textContent = text;
  log.append(line);
}

run.addEventListener("click", async () => {
  run.disabled = true;
  log.replaceChildren();
  try {
    const cloud = await Cloud.start();
    const device = await Device.start({ platform: "ucloud", cloud });
    void device.ready({ timeout: 20_000 }).then(() => say("ready: online"), (error) => say(error.message));
    for await (const event of device) {
      say(event.event === "step" ? `step: ${event.step}` : event.event);
      if (event.event === "heartbeat" || event.event === "stopped") break;
    }
    await device.stop();
    await cloud.stop();
    say("stopped");
  } catch (error) {
    say(error instanceof DeviceStopped ? `${error.message}; ${error.advice}` : error.message);
  } finally {
    run.disabled = false;
  }
});

// Events of the elements bubble: one listener hears all of them.
document.addEventListener("muster-state", ({ target, detail }) => console.info(target.getAttribute("platform"), detail.state));
