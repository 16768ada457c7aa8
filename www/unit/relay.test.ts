import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { PRESETS, filled, filledIn, presetOf } from "../src/state/presets";
import { profileKey, profileOf, readProfiles } from "../src/state/profiles";
import { hostPort, onList, places, reach, startCommand, toAllow } from "../src/state/reach";
import { SETTINGS, problems } from "../src/state/settings";
import type { PlatformName } from "../src/muster/types";

const { Session } = await import("../src/state/devices");
const PLATFORMS = Object.keys(PRESETS) as PlatformName[];
const HTTP = { protocol: "http:", origin: "http://127.0.0.1:7878" };
const HTTPS = { protocol: "https:", origin: "https://console.example" };

/** The relay's own list, as it is in its source. */
function vendors(): string[] {
  const source = readFileSync(new URL("../../host/src/up/relay/allow.rs", import.meta.url), "utf8");
  const table = /const VENDORS[^=]*= &\[([\s\S]*?)\n\];/.exec(source)?.[1] ?? "";
  const rules = [...table.matchAll(/\("([^"]+)", &\[([\d, ]+)\]\)/g)];
  return rules.flatMap(([, host, ports]) => (ports ?? "").split(",").map((port) => `${host}:${port.trim()}`));
}

vi.mock("../src/state/engine", () => ({ engine: { state: "ready", generation: 1, subscribe: () => () => {}, get: async () => ({ device: started, app: started }) } }));
const started = vi.fn(async () => ({ next: null, onnext: null, faults: {}, recording: async () => undefined, stop: async () => {}, [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }) }));

describe("the way", () => {
  const plan = { platform: "krtyun" as const, world: "real" as const, storage: "memory" as const, settings: { product_id: "1", device_id: "2", broker: "mqtt://h" } };

  it("is the device's own choice, and goes with its profile", () => {
    expect(readProfiles(JSON.stringify([profileOf({ ...plan, relay: true })]))[0]?.relay).toBe(true);
    for (const other of [undefined, false, "yes", 1]) {
      const [read] = readProfiles(JSON.stringify([{ ...profileOf(plan), relay: other }]));
      expect(read).toEqual(profileOf(plan));
      expect(read?.relay).toBeUndefined();
    }
    // It is the same device, whichever way it goes.
    expect(profileKey({ ...plan, settings: plan.settings })).toBe(profileKey(profileOf({ ...plan, relay: true })));
  });

  it("is told to the Worker for real clouds alone", async () => {
    const asked = async (world: "real" | "local", relay: boolean | undefined) => {
      started.mockClear();
      const session = new Session(1, { ...plan, world, ...(relay === undefined ? {} : { relay }) });
      await session.start();
      return (started.mock.calls as unknown as [{ relay?: boolean }][])[0]?.[0].relay;
    };
    expect(await asked("real", true)).toBe(true);
    expect(await asked("real", undefined)).toBe(false);
    expect(await asked("local", true)).toBe(false);
  });
});

describe("environments", () => {
  it("lead only to hosts that the relay's own list holds", () => {
    const list = vendors();
    expect(list.length).toBeGreaterThan(10);
    for (const platform of PLATFORMS) {
      for (const { settings } of PRESETS[platform]) {
        const urls = places(platform, { ...settings, product_key: "a1xyz" }).map((url) => filled(url, { product_key: "a1xyz" }));
        expect(urls.length).toBeGreaterThan(0);
        for (const url of urls) expect(onList(list, url), url).toBe(true);
      }
    }
  });

  it("name their source, have ids of their own, and fill in what the settings take", () => {
    for (const platform of PLATFORMS) {
      const presets = PRESETS[platform];
      expect(new Set(presets.map(({ id }) => id)).size).toBe(presets.length);
      for (const { source, settings } of presets) {
        expect(source).not.toBe("");
        const known = SETTINGS[platform].filter(({ key }) => key in settings);
        expect(known.map(({ key }) => key).sort()).toEqual(Object.keys(settings).sort());
        expect(problems(known, filledIn({ ...settings, product_key: "a1" }))).toEqual([]);
      }
    }
  });

  it("are known again, before and after their product is filled in", () => {
    for (const platform of PLATFORMS) {
      for (const preset of PRESETS[platform]) {
        expect(presetOf(platform, preset.settings)?.id).toBe(preset.id);
        const named = filledIn({ ...preset.settings, product_key: "a1xyz" });
        expect(presetOf(platform, named)?.id).toBe(preset.id);
      }
    }
    // What holds if nothing is set; and an address of one's own beats it.
    expect(presetOf("cmcc", {})?.id).toBe("production");
    expect(presetOf("cmcc", { base_url: "http://127.0.0.1:1" })).toBeUndefined();
    expect(presetOf("ucloud", { broker: "wss://own.example" })).toBeUndefined();
    expect(presetOf("ucloud", {})).toBeUndefined();
  });

  it("leave open what is not known yet", () => {
    expect(filled("wss://{product_key}.example:443", {})).toBe("wss://{product_key}.example:443");
    expect(filledIn({ broker: "wss://{product_key}.example", product_key: " a1 ", device_name: "{product_key}" })).toEqual({ broker: "wss://a1.example", product_key: " a1 ", device_name: "{product_key}" });
  });
});

describe("what a browser reaches", () => {
  it("depends on scheme and page", () => {
    for (const [url, http, https] of [
      ["wss://h:443", "direct", "direct"],
      ["ws://h", "direct", "mixed_content"],
      ["ws://127.0.0.1:9001", "direct", "direct"],
      ["ws://127.example", "direct", "mixed_content"],
      ["mqtt://h", "plain_tcp", "plain_tcp"],
      ["mqtts://h:8883", "plain_tcp", "plain_tcp"],
      ["https://h/x", "cors", "cors"],
      ["http://h/x", "cors", "mixed_content"],
      ["http://127.0.0.1:7878/firmware/a", "direct", "cors"],
      ["https://console.example", "cors", "direct"],
      ["http://127.0.0.1:78780/", "cors", "cors"],
      ["", "unknown", "unknown"],
      ["broker.example:1883", "unknown", "unknown"],
      ["mqtts://", "unknown", "unknown"],
    ] as const) {
      expect(reach(url, HTTP), url).toBe(http);
      expect(reach(url, HTTPS), url).toBe(https);
    }
  });

  it("is asked of every place that the settings name", () => {
    expect(places("cmcc", {})).toEqual(["https://ivs.chinamobiledevice.com:11443"]);
    expect(places("cmcc", { environment: "test" })).toEqual(["https://62b98tux.cxzfdm.com:30101"]);
    expect(places("cmcc", { environment: "test", base_url: "http://h:1" })).toEqual(["http://h:1"]);
    expect(places("cmcc", { environment: "local" })).toEqual([]);
    expect(places("alibaba", { broker: "wss://h", auth_url: "https://a" })).toEqual(["wss://h", "https://a"]);
    expect(places("alibaba", { broker: "wss://h", auth_url: "https://a", registration: "mqtt" })).toEqual(["wss://h"]);
    expect(places("krtyun", {})).toEqual([]);
  });
});

describe("the relay's list", () => {
  const list = ["iot.krtyun.com:16007", "*.aliyuncs.com:443", "127.0.0.1:1883", "[::1]:9"];
  it("is read as the relay reads it", () => {
    for (const held of ["mqtt://iot.krtyun.com:16007", "mqtts://IOT.krtyun.com.:16007/x", "https://a.b.aliyuncs.com/x?y#z", "mqtt://127.0.0.1", "mqtt://[::1]:9", "wss://anywhere.example"]) expect(onList(list, held), held).toBe(true);
    for (const not of ["mqtt://iot.krtyun.com", "https://aliyuncs.com", "https://evilaliyuncs.com", "http://a.aliyuncs.com", "mqtt://127.0.0.2", "nonsense", ""]) expect(onList(list, not), not).toBe(false);
  });

  it("tells what has to be added", () => {
    expect(hostPort("mqtts://u@h.example/x")).toEqual({ host: "h.example", port: 8883 });
    expect(toAllow("relay_host", "mqtts://broker.example:9", undefined)).toEqual(["broker.example:9"]);
    const detail = "lan.example:1883 leads to 192.168.1.5, fd00::5, which is not of the public Internet";
    expect(toAllow("relay_address", "mqtt://lan.example", detail)).toEqual(["192.168.1.5:1883", "[fd00::5]:1883"]);
    expect(toAllow("relay_redirect", "http://h/", "h:80 redirects to cdn.example:443, which is not on the relay's list")).toEqual(["cdn.example:443"]);
    expect(toAllow("relay_address", "mqtt://h", undefined)).toEqual([]);
    expect(toAllow("relay_tls", "mqtts://h", "x")).toEqual([]);
    expect(startCommand(["a:1", "b:2"])).toBe("muster up --relay --relay-allow a:1 --relay-allow b:2");
    expect(startCommand(["*.a.example:1", "[fd00::5]:1883"])).toBe('muster up --relay --relay-allow "*.a.example:1" --relay-allow "[fd00::5]:1883"');
  });

  it("puts nothing into a shell's hands but hosts and ports", () => {
    for (const broker of ["mqtt://x$(reboot):1883", "mqtt://x;reboot;:1883", "mqtt://x y:1883", "mqtt://`id`:1883", "mqtt://a&&b:1883", 'mqtt://a"b:1883']) {
      expect(startCommand(toAllow("relay_host", broker, undefined)), broker).toBe("muster up --relay");
    }
    const detail = "h:80 redirects to x$(reboot).example:443, which is not on the relay's list";
    expect(startCommand(toAllow("relay_redirect", "http://h/", detail))).toBe("muster up --relay");
  });
});
