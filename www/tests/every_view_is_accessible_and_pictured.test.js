import assert from "node:assert/strict";
import { faults } from "./support/axe.js";
import { PRODUCT, behaviour } from "./support/console.js";
import { latin } from "./support/latin.js";
import { Looks } from "./support/looks.js";
import { NARROW, cut } from "./support/narrow.js";

behaviour("a fault would be found", { lang: "zh", world: "tab" }, async (c) => {
  await c.get("start-ucloud").waitFor();
  const add = (html, style = "") =>
    c.page.evaluate(
      ([text, css]) => {
        const main = document.querySelector("main");
        main?.querySelector("#wrong")?.remove();
        main?.insertAdjacentHTML("afterbegin", `<div id="wrong">${text}</div>`);
        const first = main?.querySelector("#wrong > *");
        if (first) first.style.cssText = css;
      },
      [html, style],
    );
  await add("<button></button>");
  assert.deepEqual((await faults(c.page)).map((fault) => fault.split(":")[0]), ["button-name"]);
  await add(["一", "二"].map((name) => `<button class="icon">${name}</button>`).join(""));
  assert.deepEqual((await faults(c.page)).map((fault) => fault.split(":")[0]), ["target-size"]);
  await c.page.setViewportSize(NARROW);
  await add("");
  assert.deepEqual(await cut(c.page), []);
  const strip = "".padEnd(80, "x");
  for (const [style, what] of [["white-space: nowrap; overflow-x: auto", /holds \d+ px more than it is wide/], ["white-space: nowrap", /its text is \d+ px wider/], ["width: 500px", /beyond the screen/], ["overflow-y: hidden; height: 9px; overflow-wrap: anywhere", /more than it is high/]]) {
    await add(`<p>${strip}</p>`, style);
    assert.match((await cut(c.page)).join("\n"), what);
  }
  await add('<select><option>在线</option><option>offline</option></select><p title="Close it">关闭</p>');
  assert.deepEqual((await latin(c.page)).left, ["offline: option “offline”", "Close: title “Close it”", "it: title “Close it”"]);
});

for (const lang of ["en", "zh"]) {
  for (const theme of ["light", "dark"]) {
    behaviour(`every view in ${lang}, ${theme}`, { lang, theme, world: "tab", timeout: 420_000 }, async (c) => {
      const { page } = c;
      const looks = new Looks(c, { lang, theme });
      const look = (name) => looks.at(name);
      assert.equal(await page.evaluate(() => document.documentElement.lang), lang === "zh" ? "zh-CN" : "en");
      await c.get("start-ucloud").waitFor();
      await look("first");
      await c.get("shortcuts").click();
      await c.get("shortcuts-sheet").waitFor();
      await look("shortcuts");
      await page.keyboard.press("Escape");

      await c.get("settings-krtyun").click();
      await look("settings");
      await c.get("settings-cancel").click();

      const hash = `#/open/1.${Buffer.from(JSON.stringify([["Probe-1", "ucloud", "real", { product_sn: "p0001", device_sn: "d0001", broker: "wss://iоt.ucloud.cn", keep_alive: "60", colour: "red" }, ["product_secret"]], ["Probe-2", "alibaba", "tab", { product_key: "a1muster001", device_name: "example2", registration: "mqtt" }, ["product_secret"]]])).toString("base64url")}`;
      await page.evaluate((to) => (location.hash = to), hash);
      await c.get("incoming").waitFor();
      await look("incoming");
      await c.get("incoming-save").click();
      await c.get("profiles").click();
      await c.get("profile-row").first().waitFor();
      await look("profiles");
      await c.get("profiles-close").click();
      await page.evaluate((to) => (location.hash = to), "#/open/7.x");
      await c.get("incoming-refused").waitFor();
      await look("incoming-refused");
      await c.get("incoming-close").click();

      await c.start("ucloud");
      await c.state("online");
      await look("device");
      for (const ask of ["post-properties", "register-again"]) {
        await c.get(ask).click();
        await c.get("confirm").waitFor();
        await look(ask);
        await c.get("confirm-cancel").click();
      }
      await c.get("device-share").click();
      await c.get("share-link").waitFor();
      await look("share");
      await c.get("share-close").click();
      await c.get("panel-replay").click();
      await c.get("replay-slider").fill("6");
      await page.locator("[data-testid=replay][data-at='6']").waitFor();
      await c.get("replay-everything").check();
      await look("replay");
      await c.get("panel-messages").click();
      await c.get("message-send").click();
      await c.get("message-payload").fill("0x1");
      await c.get("message-form-hex").click();
      await c.get("listen-topic").fill("/muster0ucloud001/112233445566/user/get");
      await c.get("listen").click();
      await c.get("listening").waitFor();
      await look("messages");
      await c.get("panel-close").click();
      await c.get("device-credentials").click();
      await c.get("handover-nvs").click();
      await c.get("handover-places").waitFor();
      await look("credentials");
      await c.get("handover-close").click();
      await c.page.locator("[data-testid=entry][data-type=PUBLISH]").first().locator("button").click();
      await c.get("detail-tab-decoded").waitFor();
      await look("detail");
      await c.get("detail-tab-bytes").click();
      await look("detail-bytes");
      await c.get("detail-tab-both").click();
      await look("detail-both");
      await c.entries("mqtt", "PUBLISH").last().locator("button").click();
      await c.get("compare-before").click();
      await c.get("compare").waitFor();
      await look("compare");
      await c.get("detail-close").click();
      await c.get("view-table").click();
      await c.get("filter").click();
      await look("table");
      await c.get("export").click();
      await c.get("export-dialog").waitFor();
      await look("export");
      await c.get("export-close").click();
      await c.get("filter").click();
      await c.get("view-diagram").click();

      await c.get("device-duplicate").click();
      await c.state("off");
      await c.get("device-item").last().click();
      await look("list");
      await c.get("page-save").click();
      await c.get("page-secrets").check();
      await look("page-save");
      await c.get("page-close").click();
      await c.get("panel-faults").click();
      for (const [group, id] of [["replies", "lost_secret"], ["power", "cut_before_store"], ["firmware", "corrupt"]]) {
        await c.get(`fault-group-${group}`).click();
        await c.get(`arm-${id}`).click();
        await page.locator(`[data-testid=fault-armed][data-id=${id}]`).waitFor();
      }
      await c.get("faults-json").locator("summary").click();
      await c.get("faults-text").fill('{"fault":"delay","on":{"message":"publish"}}');
      await c.get("faults-use").click();
      await look("faults");
      await c.get("panel-script").click();
      await c.get("script-example").selectOption("telemetry");
      await c.get("script-text").fill("log('one');\nmissing();");
      await c.get("script-run").click();
      await c.get("script-place").waitFor();
      await look("script");
      await c.get("panel-faults").click();
      await c.get("faults-clear").click();
      await c.get("fault-group-login").click();
      await c.get("arm-refused_login").click();
      await page.locator("[data-testid=fault-armed][data-id=refused_login]").waitFor();
      await c.get("panel-close").click();
      await c.get("restart").click();
      await c.state("stopped");
      await look("stopped");

      await c.get("new-device").click();
      await c.start("alibaba");
      await c.state("online");
      await c.get("owner").locator("summary").click();
      await c.get("bind-token").click();
      await page.locator("[data-testid=owner-state][data-state=bound]").waitFor();
      await look("bind");

      await page.goto(`${c.up.origin}/#/bind`);
      await c.get("wifi-on").check();
      await c.get("guide-start").click();
      await page.locator("[data-testid=run][data-state=failed]").waitFor();
      await c.get("filter-ask").click();
      await page.locator("[data-testid=enrollee][data-verdict=mine]").waitFor();
      await look("bind-guide");
      await c.get("bind-part-keys").click();
      await c.get("key-take-secret").click();
      await c.get("key-password").fill("12345678");
      await c.get("key-compute").click();
      await c.get("keys-same").waitFor();
      await look("bind-keys");
      await c.get("bind-part-gateways").click();
      await c.get("start-gateway").click();
      await page.locator("[data-testid=bind-gateway]:not([disabled])").click();
      await page.locator("[data-testid=token-left][data-state=running]").waitFor();
      await c.get("guide-start").click();
      await page.locator("[data-testid=run][data-state=bound]").waitFor();
      await look("bind-bound");
      await c.get("bind-part-gateways").click();
      await c.get("add-sub").click();
      await page.locator("[data-testid=tree-item][data-kind=sub]").waitFor();
      await c.get("permit-open").click();
      await page.locator("[data-testid=permit-left][data-state=running]").waitFor();
      await look("bind-gateways");
      await c.get("bind-part-calls").click();
      await c.get("call-send").click();
      await c.get("call-reply").waitFor();
      await look("bind-calls");

      for (const platform of ["ucloud", "alibaba"]) {
        await page.goto(`${c.up.origin}/#/cloud/${platform}?product=${PRODUCT[platform]}`);
        await c.get("device-row").first().waitFor();
        await look(`cloud-${platform}`);
      }
      await page.goto(`${c.up.origin}/#/fleet`);
      await c.get("fleet-run").waitFor();
      await look("fleet-setup");
      await c.get("fleet-platform-ucloud").click();
      await c.get("fleet-source-list").click();
      const devices = Array.from({ length: 12 }, (_, n) => `11223344556${n},`);
      await c.get("fleet-file").setInputFiles({ name: "devices.csv", mimeType: "text/csv", buffer: Buffer.from(`device_sn,keep_alive\n${devices.join("\n")}\nx,7\n`) });
      await c.get("fleet-run").click();
      await c.get("fleet-problems").waitFor();
      await look("fleet-problems");
      await c.get("fleet-file-remove").click();
      await c.get("fleet-file").setInputFiles({ name: "devices.csv", mimeType: "text/csv", buffer: Buffer.from(`device_sn,keep_alive\n${devices.join("\n")}\n`) });
      await c.get("fleet-run").click();
      await c.get("fleet-verdict").waitFor();
      await c.get("fleet-row").first().waitFor();
      await page.locator("[data-testid=chart-states] details summary").click();
      const asWide = page.viewportSize();
      await page.setViewportSize({ width: 1280, height: 1500 });
      await look("fleet");
      await page.setViewportSize(asWide);
      await c.get("fleet-stop").click();
      await page.locator("[data-testid=fleet][data-phase=idle]").waitFor();
      for (const tool of ["credentials", "sign", "cipher", "wifi", "cmei", "imei", "nvs", "time", "topics"]) {
        await page.goto(`${c.up.origin}/#/tools/${tool}`);
        await c.get("tool-result").waitFor();
        await look(`tool-${tool}`);
      }
      await page.goto(`${c.up.origin}/#/tools/imei`);
      await c.get("tool-input-do").selectOption("list");
      await c.get("tool-list").waitFor();
      await look("tool-list");
      await page.goto(`${c.up.origin}/#/tools/cipher`);
      await c.get("tool-input-random").fill("zz");
      await c.get("tool-error").waitFor();
      await look("tool-wrong");
      await page.goto(`${c.up.origin}/#/devices`);
      await c.get("world-real").click();
      await c.get("new-device").click();
      await look("first-real");
      await c.get("start-krtyun").click();
      await c.fill({ product_id: "20191210", device_id: "10001", product_secret: "TheProductSecret" });
      await c.get("environment-choice").selectOption("krtyun-tcp");
      await c.get("way-stuck").waitFor();
      await c.get("way-relay").check();
      await c.get("relay-needs").waitFor();
      await look("real-settings");
      await c.get("way-direct").check();
      await c.get("settings-start").click();
      await c.get("relay-needs").waitFor();
      await look("real-trouble");
      assert.deepEqual(looks.told(), []);
    });
  }
}
