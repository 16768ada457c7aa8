// Of each ready fault the panel says what has to happen. Those that have a test of their own are in a_lost_or_wrong_reply…,
// a_power_cut…, a_refused_or_silent_login…, a_spoiled_image…, a_wrong_clock… and a_network…; the others are here.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PLATFORMS, PRODUCT, behaviour } from "./support/console.js";
import { arm, begin, closeFaults, entries, events, fresh, openFaults, packets, stores, strikes } from "./support/faults.js";

const LONG = { world: "tab", timeout: 240_000 };
const WAIT = 90_000;
/** Devices that wait two seconds for a reply, so that nobody has to wait ten. */
const HASTY = { settings: { reply_timeout_ms: "2000" } };

const lives = (rows) => rows.flatMap((row, at) => (row.note === "started" || row.note === "restarted" ? [at] : [])).map((from, i, all) => rows.slice(from, all[i + 1]));
const text = (row) => (row.packet ?? row.message).payload?.text ?? "";
/** The requests for the secret. */
const ASKED = {
  ucloud: (rows) => packets(rows, "up", "PUBLISH", "/password"),
  krtyun: (rows) => packets(rows, "up", "PUBLISH", "/register/post").filter((row) => !text(row).includes("BACK")),
  cmcc: (rows) => rows.filter((row) => row.kind === "http" && row.direction === "up" && row.message.url.includes("/secret/info")),
  alibaba: (rows) => rows.filter((row) => row.kind === "http" && row.direction === "up" && row.message.url.includes("/auth/register")),
};

for (const platform of ["ucloud", "cmcc"]) {
  behaviour(`${platform}: the reply with the secret is late; the device asks once more, stores one secret, and the late reply changes nothing`, LONG, async (c) => {
    await fresh(c, platform, HASTY);
    await arm(c, "replies", "late_secret", { s: "4" });
    await begin(c);
    await c.state("online", c.page, WAIT);
    // The late one comes now, if it still comes.
    await new Promise((done) => setTimeout(done, 3_000));
    await c.state("online");
    const rows = await entries(c);
    assert.equal(strikes(rows, "delay").length, 1);
    assert.equal(ASKED[platform](rows).length, 2);
    assert.deepEqual([stores(rows, "credential").length, events(rows, "registered").length, events(rows, "stopped").length], [1, 1, 0]);
  });
}

for (const platform of ["ucloud", "krtyun"]) {
  behaviour(`${platform}: a subscription is not confirmed; the secret is not asked for before it is`, LONG, async (c) => {
    await fresh(c, platform, HASTY);
    await arm(c, "replies", "lost_suback");
    await begin(c);
    await c.state("online", c.page, WAIT);
    const rows = await entries(c);
    const [strike] = strikes(rows, "lose");
    assert.equal(strike.packet.type, "SUBACK");
    const confirmed = rows.findIndex((row) => row.kind === "mqtt" && row.direction === "down" && row.packet.type === "SUBACK");
    assert.ok(confirmed > rows.indexOf(strike));
    const [asked, ...again] = ASKED[platform](rows);
    assert.ok(rows.indexOf(asked) > confirmed, "asked after the confirmation");
    assert.deepEqual(again, [], "and once");
    assert.ok(packets(rows.slice(0, confirmed), "up", "SUBSCRIBE").length >= 2, "it subscribed again");
    assert.equal(events(rows, "registered").length, 1);
  });
}

behaviour("ucloud: a refused subscription stops a registration, because no secret could come", LONG, async (c) => {
  await fresh(c, "ucloud");
  await arm(c, "replies", "refused_subscription");
  await begin(c);
  await c.state("stopped", c.page, WAIT);
  let rows = await entries(c);
  assert.equal(strikes(rows, "refuse")[0].packet.type, "SUBACK");
  const [stopped] = events(rows, "stopped");
  assert.equal(stopped.error.by.how, "suback");
  assert.deepEqual([ASKED.ucloud(rows).length, stores(rows, "credential").length], [0, 0]);
  await c.get("try-again").click();
  await c.state("online", c.page, WAIT);

  // With its own secret it is a warning, and the device works on.
  await openFaults(c);
  await arm(c, "replies", "refused_subscription");
  await closeFaults(c);
  await restart(c);
  rows = lives(await entries(c)).at(-1);
  assert.equal(strikes(rows, "refuse").length, 1);
  assert.ok(events(rows, "warning").some(({ warning }) => warning.kind === "subscribe_refused"), JSON.stringify(events(rows, "warning")));
  assert.deepEqual([events(rows, "stopped").length, events(rows, "ready").length], [0, 1]);
});

behaviour("krtyun: a refused subscription is tried again first, and the device registers", LONG, async (c) => {
  await fresh(c, "krtyun");
  await arm(c, "replies", "refused_subscription");
  await begin(c);
  await c.state("online", c.page, WAIT);
  const rows = await entries(c);
  assert.equal(strikes(rows, "refuse")[0].packet.type, "SUBACK");
  assert.ok(events(rows, "retrying").some(({ error }) => error.by?.how === "suback"), JSON.stringify(events(rows, "retrying")));
  assert.deepEqual([events(rows, "registered").length, events(rows, "stopped").length], [1, 0]);
});

for (const platform of ["ucloud", "krtyun", "alibaba"]) {
  behaviour(`${platform}: a report is not acknowledged; the device reports again, or in a new session, until one is`, LONG, async (c) => {
    await c.startWith(platform, HASTY);
    await c.state("online");
    await openFaults(c);
    await arm(c, "replies", "lost_puback");
    await closeFaults(c);
    const before = (await entries(c)).length;
    // Alibaba's devices follow the report of a login alone.
    if (platform === "alibaba") await c.get("restart").click();
    else await c.get("report-now").click();
    await c.entries("fault", "lose").waitFor({ timeout: WAIT });
    // Acknowledged, a second time round.
    await c.page.waitForFunction(() => {
      const rows = [...document.querySelectorAll("[data-testid=entry]")];
      const struck = rows.findIndex(({ dataset }) => dataset["kind"] === "fault");
      return rows.slice(struck + 1).some(({ dataset, classList }) => dataset["type"] === "PUBACK" && classList.contains("down"));
    }, undefined, { timeout: WAIT });
    await c.state("online", c.page, WAIT);
    const rows = (await entries(c)).slice(before);
    const [strike] = strikes(rows, "lose");
    assert.equal(strike.packet.type, "PUBACK");
    const [first] = packets(rows, "up", "PUBLISH");
    const after = rows.slice(rows.indexOf(strike));
    const again = packets(after, "up", "PUBLISH").filter((row) => row.packet.topic === first.packet.topic);
    assert.ok(again.length >= 1, "it said it again");
    assert.equal(events(rows, "registered").length, 0);
  });
}

for (const platform of PLATFORMS) {
  behaviour(`${platform}: with everything from the cloud slow, nothing is asked for twice; and a power cut at any moment leads back`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "replies", "late_all", { ms: "500", times: "always" });
    await begin(c);
    await c.state("online", c.page, WAIT);
    let rows = await entries(c);
    assert.ok(strikes(rows, "delay").length > 0);
    assert.equal(ASKED[platform](rows).length, 1);
    assert.deepEqual([events(rows, "registered").length, events(rows, "retrying").length, events(rows, "stopped").length], [1, 0, 0]);
    const said = rows.filter((row) => row.direction === "up" && text(row).length > 2).map(text);
    assert.deepEqual(said.filter((each, at) => said.indexOf(each) !== at), [], "nothing was said twice");

    // Now, and up again after a second: it goes on with what it has stored.
    await openFaults(c);
    await c.get("faults-clear").click();
    const went = await c.watch();
    await arm(c, "power", "cut_now", { restart: "1" });
    await closeFaults(c);
    await went("cut", WAIT);
    await c.state("online", c.page, WAIT);
    const [, second, ...more] = lives(await entries(c));
    assert.deepEqual(more, []);
    assert.deepEqual([ASKED[platform](second).length, events(second, "registered").length, stores(second, "credential").length], [0, 0, 0]);
    rows = await entries(c);
    assert.equal(strikes(rows, "power_cut").length, 1);
  });
}

for (const platform of ["cmcc", "alibaba"]) {
  behaviour(`${platform}: HTTP 503 instead of an answer is tried again, 403 stops the device; nothing is stored of either`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "login", "http_status", { status: "503" });
    await arm(c, "login", "http_status", { status: "403", nth: "1" });
    await begin(c);
    await c.state("stopped", c.page, WAIT);
    const rows = await entries(c);
    assert.deepEqual(strikes(rows, "status").map(({ message }) => message.status), [503, 403], "what the device was shown");
    assert.equal(events(rows, "retrying").length, 1, "the first one");
    assert.equal(events(rows, "stopped").length, 1, "the second one");
    assert.match(JSON.stringify(events(rows, "stopped")[0].error), /403/);
    assert.deepEqual([stores(rows, "credential").length, events(rows, "registered").length], [0, 0]);
    await c.get("try-again").click();
    await c.state("online", c.page, WAIT);
    assert.equal(events(await entries(c), "registered").length, 1);
  });
}

/** What a device with its own secret does at each code: what it advises when it stops, or nothing: it tries again by itself. */
const CODES = {
  ucloud: { 1: "ask_vendor", 2: "check_device", 5: "check_device" },
  krtyun: { 1: "ask_vendor", 2: "ask_vendor", 5: "check_device" },
  alibaba: { 1: null, 2: null, 5: "check_device" },
};

for (const [platform, codes] of Object.entries(CODES)) {
  behaviour(`${platform}: CONNACK 1, 2 and 5 to its own secret stop the device or are tried again, as the platform has it; none registers`, LONG, async (c) => {
    await c.start(platform);
    await c.state("online");
    for (const [code, advice] of Object.entries(codes)) {
      await openFaults(c);
      await arm(c, "login", "refused_login", { code });
      await closeFaults(c);
      await c.get("stop").click();
      await c.state("off");
      await c.get("restart").click();
      await c.entries("fault", "refuse").last().waitFor({ timeout: WAIT });
      if (advice !== null) {
        await c.state("stopped", c.page, WAIT);
        assert.equal(await c.get("advice-text").getAttribute("data-advice"), advice, code);
        await c.get("try-again").click();
      }
      await c.state("online", c.page, WAIT);
      const life = lives(await entries(c)).at(-1);
      const [strike] = strikes(life, "refuse");
      assert.equal(strike.packet.return_code, Number(code), "what the device was shown");
      assert.equal(events(life, "stopped").length, advice === null ? 0 : 1, code);
      if (advice === null) assert.ok(events(life, "retrying").length >= 1, code);
      assert.deepEqual([events(life, "registered").length, stores(life, "credential").length], [0, 0], code);
      await openFaults(c);
      await c.get("faults-clear").click();
      await c.get("faults-none").waitFor();
      await closeFaults(c);
    }
  });
}

behaviour("ucloud: a power cut just before and just after the new image runs: it reports what runs, and an order that is done is not done again", { ...LONG, timeout: 300_000 }, async (c) => {
  await c.start("ucloud");
  await c.state("online");
  for (const [when, version] of [["after", "2.0.0"], ["before", "3.0.0"]]) {
    await openFaults(c);
    await arm(c, "power", "cut_at_install", { when, restart: "1" });
    await closeFaults(c);
    await c.page.goto(`${c.up.origin}/#/cloud/ucloud/firmware?product=${PRODUCT.ucloud}`);
    await c.get("firmware-file").setInputFiles({ name: "image.bin", mimeType: "application/octet-stream", buffer: randomBytes(50_000) });
    await c.get("firmware-version").fill(version);
    await c.get("firmware-upload").click();
    await c.page.locator(`[data-testid=image][data-version="${version}"]`).waitFor();
    await c.get("push-version").selectOption(version);
    await c.get("push-to").selectOption("online");
    await c.get("push-send").click();
    await c.get("rail-devices").click();
    for (const end = Date.now() + WAIT; lives(await entries(c)).length < (when === "after" ? 2 : 3); await c.page.waitForTimeout(500)) assert.ok(Date.now() < end, "its power was cut");
    await c.state("online", c.page, WAIT);
    const [first, second] = lives(await entries(c)).slice(-2);
    assert.equal(strikes(first, "power_cut").length, 1, when);
    assert.equal(first.at(-1).note, "power_cut");
    // It fetches and installs nothing again, and the version that it says is the one that runs.
    assert.deepEqual(second.filter((row) => row.kind === "install" || row.kind === "http"), [], when);
    const said = packets(second, "up", "PUBLISH").map(text);
    const running = when === "after" ? version : "2.0.0";
    assert.deepEqual(said.flatMap((each) => /"report_version"[\s\S]*"Version":"([^"]+)"/.exec(each)?.[1] ?? []), [running], when);
    // What was not installed is told to the cloud as failed, and the order is over either way.
    assert.equal(said.filter((each) => each.includes("report_fail")).length, when === "after" ? 0 : 1, when);
    await c.get("rail-cloud").click();
    await c.get("part-firmware").click();
    const campaign = c.page.locator(`[data-testid=campaign][data-version="${version}"]`);
    await campaign.getByTestId(`stage-${when === "after" ? "succeeded" : "failed"}`).waitFor();
    assert.equal(await campaign.getAttribute("data-open"), "0");
    await c.get("rail-devices").click();
    await openFaults(c);
    await c.get("faults-clear").click();
    await closeFaults(c);
  }
});

async function restart(c) {
  await c.get("stop").click();
  await c.state("off");
  await c.get("restart").click();
  await c.state("online", c.page, WAIT);
}
