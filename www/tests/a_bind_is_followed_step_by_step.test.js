import assert from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import { PRODUCT, behaviour } from "./support/console.js";
import { left, open, run, steps } from "./support/bind.js";

for (const world of ["local", "tab"]) {
  behaviour(`alibaba, ${world}: a device is bound by token in the Bind view, each request with what was signed`, { world }, async (c) => {
    await c.start("alibaba");
    await c.state("online");
    await open(c, "guide");
    const row = c.page.locator("[data-testid=enrollee]");
    await row.waitFor();
    const name = await row.getAttribute("data-name");
    assert.ok(name.startsWith(`${PRODUCT.alibaba}/`));
    // The only device is chosen already, and stands by its token.
    assert.equal(await c.get("enrollee-choose").isChecked(), true);
    await left(c, "token-left", "running");
    await left(c, "cloud-token-left", "running");
    assert.equal(await c.get("iot-token").getAttribute("data-state"), "unused");
    await c.get("guide-start").click();
    await run(c, "bound");
    assert.deepEqual(await steps(c), [["filter", "done"], ["token", "done"], ["bind", "done"]]);
    assert.match(await c.get("run-bound").innerText(), new RegExp(name));
    assert.equal(await c.get("iot-token").getAttribute("data-state"), "good");

    const bind = c.page.locator("[data-testid=bind-step][data-step=bind]");
    await bind.locator("[data-testid=exchange] > summary").click();
    await bind.getByTestId("exchange-sign").click();
    assert.match(await bind.getByTestId("signed").innerText(), /AppSecret/i);
    assert.match(await bind.locator(".lines").innerText(), /^POST\n[^]*\/awss\/token\/user\/bind$/);
    await bind.getByTestId("exchange-curl").click();
    const curl = await bind.getByTestId("exchange-curl-text").innerText();
    assert.match(curl, /^curl -X POST 'http/);
    assert.match(curl, /"iotToken":"\*+"/, "the session is covered");
    assert.match(curl, /\/awss\/token\/user\/bind/);
    // What the device did meanwhile leads to its timeline.
    await c.page.locator("[data-testid=bind-step][data-step=filter]").getByTestId("meanwhile").locator("summary").click();
    await c.page.locator("[data-testid=bind-step][data-step=filter]").getByTestId("open-timeline").click();
    await c.get("timeline").waitFor();
    if (world === "local") {
      const [owner] = (await c.up.operate("alibaba", "list_owners", {})).items;
      assert.deepEqual(owner.devices, [name]);
    }
  });

  behaviour(`alibaba, ${world}: a device is bound in its time window, with the Wi-Fi's credentials handed over first`, { world }, async (c) => {
    await c.start("alibaba");
    await c.state("online");
    await open(c, "guide");
    await c.get("by-window").click();
    await left(c, "window-left", "running");
    await c.get("wifi-on").check();
    await c.get("wifi-ssid").fill("home");
    await c.get("wifi-password").fill("correct horse");
    await c.get("guide-start").click();
    await run(c, "bound");
    assert.deepEqual(await steps(c), [["filter", "done"], ["cipher", "done"], ["bind", "done"]]);
    const handed = c.get("hand-over");
    assert.match(await handed.innerText(), /"ssid": "home"/);
    assert.doesNotMatch(await handed.innerText(), /[0-9A-F]{32}"[^]*[0-9A-F]{32}"[^]*[0-9A-F]{32}"/, "key and password are covered");
    await c.get("hand-over-reveal").click();
    const [, key = "", passwd = ""] = /"key": "([0-9A-F]{32})"[^]*"passwd": "([0-9A-F]{32})"/.exec(await handed.innerText()) ?? [];
    assert.notEqual(key, "");
    // The device decrypts what was typed: AES-128-CBC, the random (zeros) as IV.
    const aes = createDecipheriv("aes-128-cbc", Buffer.from(key, "hex"), Buffer.alloc(16)).setAutoPadding(false);
    const plain = Buffer.concat([aes.update(Buffer.from(passwd, "hex")), aes.final()]).toString();
    assert.equal(plain.replace(/\0+$/, ""), "correct horse");
  });
}
