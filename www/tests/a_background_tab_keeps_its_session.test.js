// What is simulated: ten minutes in the background are ten keep-alive periods of a minute. Here a period is 2 seconds,
// and there are 15 of them. All that time the page's own thread may run its timers once a minute, which is what
// Chromium grants to a page that has been hidden for long: it is simply kept busy. A client with timers on the page
// would have sent nothing for 30 seconds, and a cloud cuts off after one and a half periods (MQTT 3.1.1, 3.1.2.10).
import assert from "node:assert/strict";
import { behaviour } from "./support/console.js";

const KEEP_ALIVE = 2;
const PERIODS = 15;

behaviour("a device keeps its session while its page may do nothing for fifteen keep-alive periods", {}, async (c) => {
  await c.startWith("krtyun", { settings: { keep_alive: String(KEEP_ALIVE) } });
  await c.state("online");
  const before = (await c.up.log("krtyun")).length;

  const ticks = await c.page.evaluate(
    ({ period, span }) => {
      let ticks = 0;
      const timer = setInterval(() => (ticks += 1), period);
      return new Promise((done) => {
        // Begins once this call is under way; then nothing else runs on this thread.
        setTimeout(() => {
          const end = performance.now() + span;
          while (performance.now() < end);
          const during = ticks;
          clearInterval(timer);
          done(during);
        }, 0);
      });
    },
    { period: KEEP_ALIVE * 1000, span: KEEP_ALIVE * PERIODS * 1000 },
  );
  assert.equal(ticks, 0, "a timer of the page would have missed every period");

  const log = (await c.up.log("krtyun")).slice(before);
  const lost = log.filter((line) => ["offline", "closed", "accepted"].includes(line.what));
  assert.deepEqual(lost, [], "the cloud never lost the session, and saw no second login");
  await c.state("online");
  // The page has caught up: the worker answered in its absence.
  const pings = await c.entries("mqtt", "PINGRESP").count();
  assert.ok(pings >= PERIODS - 1, `${pings} answers in ${PERIODS} periods`);
});
