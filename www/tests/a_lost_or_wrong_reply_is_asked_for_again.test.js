import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";
import { arm, armJson, begin, entries, events, fresh, packets, stores, strikes } from "./support/faults.js";

const LONG = { world: "tab", timeout: 180_000 };
const WAIT = 60_000;

const body = (row) => JSON.parse((row.packet ?? row.message).payload.text);
const ASKED = {
  ucloud: { of: (rows) => packets(rows, "up", "PUBLISH", "/password"), id: (row) => body(row).RequestID },
  krtyun: { of: (rows) => packets(rows, "up", "PUBLISH", "/register/post").filter((row) => body(row).BACK === undefined), id: (row) => body(row).ID },
  cmcc: { of: (rows) => rows.filter((row) => row.kind === "http" && row.direction === "up" && row.message.url.includes("/secret/info")) },
  alibaba: { of: (rows) => rows.filter((row) => row.kind === "http" && row.direction === "up" && row.message.url.includes("/auth/register")) },
};

for (const platform of ["ucloud", "krtyun", "cmcc", "alibaba"]) {
  behaviour(`${platform}: the reply with the secret is lost; the device asks again, stores one secret and becomes ready`, LONG, async (c) => {
    await fresh(c, platform);
    await arm(c, "replies", "lost_secret");
    await begin(c);
    await c.state("online", c.page, WAIT);
    const rows = await entries(c);
    const [strike, ...more] = strikes(rows, "lose");
    assert.deepEqual(more, [], "once means once");
    assert.equal(strike.direction, "down");
    assert.ok(JSON.stringify(strike).includes("*".repeat(8)), "the lost reply held a secret, which is covered");
    const asked = ASKED[platform].of(rows);
    assert.equal(asked.length, 2);
    const { id } = ASKED[platform];
    if (id !== undefined) assert.equal(id(asked[0]), id(asked[1]), "with the same id");
    // krtyun stores twice by its protocol: the second time the secret is proven.
    assert.equal(stores(rows, "credential").length, platform === "krtyun" ? 2 : 1);
    assert.equal(events(rows, "registered").length, 1);
  });
}

for (const platform of ["ucloud", "krtyun"]) {
  behaviour(`${platform}: replies that are wrong, twice and late change nothing in the end`, LONG, async (c) => {
    await fresh(c, platform);
    const topic = platform === "ucloud" ? "/password_reply" : "/register/set";
    const on = { message: "publish", topic };
    await armJson(c, [
      { fault: "wrong_id", on, nth: 1 },
      { fault: "duplicate", on, nth: 2 },
      { fault: "reorder", on: { message: "puback" }, times: "always" },
      { fault: "delay", ms: 40, on: { message: "suback" }, times: "always" },
    ]);
    await begin(c);
    await c.state("online", c.page, WAIT);
    const rows = await entries(c);
    const [wrong] = strikes(rows, "wrong_id");
    assert.match(wrong.detail, /^(RequestID|ID) \S+ → \S+$/);
    assert.equal(strikes(rows, "duplicate").length, 1);
    assert.ok(strikes(rows, "reorder").length > 0 && strikes(rows, "delay").length > 0);
    const [warning] = events(rows, "warning").filter(({ warning }) => warning.kind === "ignored");
    assert.equal(warning.warning.error.how, "wrong_request_id", "the reply to another request was not believed");
    assert.equal(events(rows, "registered").length, 1);
  });
}

behaviour("alibaba: a registration that the network doubled ends as the protocol lets it: the first secret is void, and the device stops", LONG, async (c) => {
  await fresh(c, "alibaba");
  await arm(c, "replies", "twice_secret");
  await begin(c);
  await c.state("stopped", c.page, WAIT);
  const rows = await entries(c);
  const [stopped] = events(rows, "stopped");
  assert.equal(stopped.error.by.how, "connack");
  assert.equal(stores(rows, "credential").length, 1);
});

behaviour("cmcc: an answer about another device is not believed, and a lost report is repeated", LONG, async (c) => {
  await fresh(c, "cmcc");
  await arm(c, "replies", "wrong_id");
  await begin(c);
  await c.state("stopped", c.page, WAIT);
  let rows = await entries(c);
  assert.deepEqual(events(rows, "stopped").map(({ error }) => error.how), ["wrong_identity"]);
  assert.equal(stores(rows, "credential").length, 0);
  await c.get("panel-faults").click();
  await arm(c, "replies", "lost_report");
  await c.get("panel-close").click();
  await c.get("try-again").click();
  await c.state("online", c.page, WAIT);
  rows = await entries(c);
  assert.equal(rows.filter((row) => row.kind === "http" && row.direction === "up" && row.message.url.includes("/device/report")).length, 2);
});
