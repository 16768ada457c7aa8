import { describe, expect, it } from "vitest";
import type { PlatformName } from "../src/muster/types";
import { LONGEST, MOST_IN_LINK, linkOf, readLink } from "../src/state/link";
import { isLink } from "../src/state/link-hash";
import { isSecretSetting } from "../src/state/mask";
import { freeName, isDeceiving, named, nameFor, planOf, shownName, toGive, type NamedProfile } from "../src/state/named";
import { placeOf, placesOf } from "../src/state/places";
import { SETTINGS } from "../src/state/settings";

const PAGE = "http://127.0.0.1:7878/";
const PLATFORMS = Object.keys(SETTINGS) as PlatformName[];

/** Every setting of a platform, secrets and all. */
function everything(platform: PlatformName): Record<string, string> {
  return Object.fromEntries(
    SETTINGS[platform].map(({ key, kind }) => {
      if (isSecretSetting(platform, key)) return [key, `HIDDEN-${key}`];
      switch (kind.type) {
        case "url":
          return [key, `${kind.schemes[0]}://me:HIDDEN-user@${key.replace("_", "-")}.example:443/path?token=HIDDEN-query#HIDDEN-hash`];
        case "number":
          return [key, String(kind.max)];
        case "choice":
          return [key, kind.values.at(-1) ?? ""];
        case "flag":
          return [key, "true"];
        default:
          return [key, `值-${key}`];
      }
    }),
  );
}

const link = (profile: NamedProfile) => linkOf([profile], PAGE) ?? "";
const hash = (text: string) => text.slice(text.indexOf("#"));
const base64url = (text: string) => Buffer.from(text, "utf8").toString("base64url");
const made = (list: unknown, version = "1") => `#/open/${version}.${base64url(JSON.stringify(list))}`;
const ucloud = { product_sn: "p0001", device_sn: "d0001", broker: "wss://mqtt-cn-sh2.iot.ucloud.cn:443" };
const item = (settings: object = ucloud, more: Partial<Record<"name" | "platform" | "world" | "missing", unknown>> = {}) => [more.name ?? "n", more.platform ?? "ucloud", more.world ?? "real", settings, more.missing ?? []];

describe("a link", () => {
  for (const platform of PLATFORMS)
    it(`brings a profile of ${platform} over without any of its secrets`, () => {
      const profile = named("样机 1", { platform, world: "real", storage: "browser", settings: everything(platform) });
      const text = link(profile);
      expect(Buffer.from(hash(text).split(".")[1] ?? "", "base64url").toString()).not.toContain("HIDDEN");
      const opened = readLink(hash(text));
      if ("why" in opened) throw new Error(opened.why);
      const [found] = opened.profiles;
      expect(found?.unknown).toEqual([]);
      expect(found?.profile).toEqual({ ...profile, storage: "memory" });
      const lost = SETTINGS[platform].filter(({ key, kind }) => isSecretSetting(platform, key) || kind.type === "url").map(({ key }) => key);
      expect(toGive(profile).sort()).toEqual(lost.sort());
    });

  it("says that a real cloud is reached by the relay, and of no other", () => {
    const by = (world: "real" | "tab") => readLink(hash(link(named("n", { platform: "ucloud", world, storage: "memory", settings: ucloud, relay: true }))));
    expect(by("real")).toMatchObject({ profiles: [{ profile: { relay: true } }] });
    expect(JSON.stringify(by("tab"))).not.toContain("relay");
  });

  it("leaves secrets out once more, whoever made the profile", () => {
    const careless: NamedProfile = { name: "x", platform: "cmcc", world: "real", storage: "memory", settings: { product_id: "1", product_key: "HIDDEN", device_no: "2" }, missing: [] };
    const opened = readLink(hash(link(careless)));
    expect(JSON.stringify(opened)).not.toContain("HIDDEN");
    expect(opened).toMatchObject({ profiles: [{ profile: { missing: ["product_key"] } }] });
  });

  it("carries no address of a page's own clouds, and the receiver's take their place", () => {
    const settings = { ...ucloud, broker: "ws://192.168.1.9:7878/mqtt/ucloud", product_secret: "HIDDEN" };
    const text = link(named("n", { platform: "ucloud", world: "local", storage: "memory", settings }));
    const opened = readLink(hash(text));
    if ("why" in opened) throw new Error(opened.why);
    const profile = opened.profiles[0]?.profile as NamedProfile;
    expect(profile.settings).toEqual({ product_sn: "p0001", device_sn: "d0001" });
    expect(planOf(profile, new URL("http://127.0.0.1:9/")).settings["broker"]).toBe("ws://127.0.0.1:9/mqtt/ucloud");
    expect(planOf({ ...profile, world: "tab" }, new URL("https://h/")).settings["broker"]).toBe("ws://tab.invalid/mqtt/ucloud");
  });

  it("is one only by its begin, and is made for the page without what was behind its #", () => {
    expect(isLink("#/open/1.x")).toBe(true);
    for (const other of ["", "#/devices", "#/opened/1.x", "#open/1.x"]) expect(isLink(other)).toBe(false);
    expect(linkOf([named("n", { platform: "ucloud", world: "tab", storage: "memory", settings: ucloud })], `${PAGE}#/cloud/ucloud`)).toMatch(/^http:\/\/127\.0\.0\.1:7878\/#\/open\/1\.[\w-]+$/);
  });

  it("is not made if it would be too long", () => {
    const long = named("n", { platform: "ucloud", world: "real", storage: "memory", settings: { ...ucloud, module: "m".repeat(LONGEST) } });
    expect(linkOf([long], PAGE)).toBeNull();
    expect(linkOf(Array.from({ length: MOST_IN_LINK + 1 }, () => named("n", { platform: "ucloud", world: "tab", storage: "memory", settings: {} })), PAGE)).toBeNull();
    expect(linkOf([], PAGE)).toBeNull();
  });
});

describe("a hostile link", () => {
  const refused = (link: string) => {
    const found = readLink(link);
    if (!("why" in found)) throw new Error(`was taken: ${JSON.stringify(found)}`);
    return found;
  };
  const fault = (list: unknown) => {
    const found = refused(made([list]));
    return found.why === "item" ? found.faults.map((f) => `${f.key}:${f.fault}`) : [found.why];
  };

  it("that is huge, broken or of another version is refused, with the reason", () => {
    expect(refused(`#/open/1.${"A".repeat(LONGEST + 10)}`)).toEqual({ why: "too_long" });
    for (const text of ["", "1", "1.", "1.%%%", "1.====", "1.A", "x.e30", ".e30", "-1.e30", "1.e30.e30", "1.e30\u0000", `1.${base64url("{")}`, `1.${base64url("{}")}`, `1.${base64url("null")}`, `1.${base64url("7")}`, `1.${Buffer.from([0x5b, 0xff, 0x5d]).toString("base64url")}`, `1.${base64url("\ufeff[]")}`])
      expect(refused(`#/open/${text}`), text).toEqual({ why: "malformed" });
    expect(refused(made([], "2"))).toEqual({ why: "newer", version: "2" });
    expect(refused(made([]))).toEqual({ why: "empty" });
    expect(refused(made(Array.from({ length: 21 }, () => item())))).toEqual({ why: "too_many" });
  });

  it("with something else in place of a profile is refused", () => {
    for (const odd of [null, 7, "x", {}, [], item().slice(0, 4), [...item(), 1]]) expect(fault(odd)).toEqual([":not_object"]);
    expect(fault(item(ucloud, { platform: "azure" }))).toEqual(["platform:choice"]);
    expect(fault(item(ucloud, { platform: "__proto__" }))).toEqual(["platform:choice"]);
    expect(fault(item(ucloud, { platform: ["ucloud"] }))).toEqual(["platform:choice"]);
    expect(fault(item(ucloud, { world: "moon" }))).toEqual(["world:choice"]);
    expect(fault(item([] as never))).toEqual(["settings:not_object"]);
    expect(fault(["n", "ucloud", "real", null, []])).toEqual(["settings:not_object"]);
    expect(fault(item(ucloud, { missing: "device_secret" }))).toEqual(["missing:not_object"]);
    expect(fault(item(ucloud, { name: "" }))).toEqual(["name:missing"]);
    expect(fault(item(ucloud, { name: 7 }))).toEqual(["name:not_text"]);
    expect(fault(item(ucloud, { name: "n".repeat(65) }))).toEqual(["name:long"]);
  });

  it("that holds a secret is refused: nobody should send one, and nobody take one", () => {
    expect(fault(item({ ...ucloud, product_secret: "s" }))).toEqual(["product_secret:secret"]);
    expect(fault(item({ product_id: "1", product_key: "s" }, { platform: "cmcc" }))).toEqual(["product_key:secret"]);
    // Alibaba's ProductKey is a name.
    expect(readLink(made([item({ product_key: "a1", device_name: "d", broker: "wss://h" }, { platform: "alibaba" })]))).toHaveProperty("profiles");
  });

  it("whose address is another thing than it looks like is refused", () => {
    const at = (broker: string) => fault(item({ ...ucloud, broker }));
    expect(at("javascript:alert(1)")).toEqual(["broker:url"]);
    expect(at("javascript://h/%0aalert(1)")).toEqual(["broker:scheme"]);
    expect(at("data://text/html,x")).toEqual(["broker:scheme"]);
    expect(at("https://iot.ucloud.cn")).toEqual(["broker:scheme"]);
    expect(at("wss://iot.ucloud.cn@evil.example/")).toEqual(["broker:user"]);
    expect(at("wss://iot.ucloud.cn:443@evil.example/")).toEqual(["broker:user"]);
    expect(at("wss://h/?token=1")).toEqual(["broker:query"]);
    expect(at("wss://h/#x")).toEqual(["broker:query"]);
    expect(at("wss://evil.example\\@iot.ucloud.cn/")).toEqual(["broker:url"]);
    expect(at("wss://iot.ucloud.cn /")).toEqual(["broker:url"]);
    expect(at("wss://h:99999/")).toEqual(["broker:host"]);
    expect(at("wss://[::1")).toEqual(["broker:host"]);
    expect(at("wss://%00/")).toEqual(["broker:host"]);
    expect(at("nowhere")).toEqual(["broker:url"]);
  });

  it("with characters that do not look like what they are is refused", () => {
    for (const odd of ["a\u0000b", "a\nb", "a\u001b[31mb", "a\u202eb", "a\u200bb", "a\u2066b", "\ufeffa", "a\u00adb", "a\ud800b"]) {
      expect(fault(item(ucloud, { name: odd })), JSON.stringify(odd)).toEqual(["name:control"]);
      expect(fault(item({ ...ucloud, device_sn: odd })), JSON.stringify(odd)).toEqual(["device_sn:control"]);
    }
    for (const fine of ["样机 1", "Prüfling", "a-b_c.d:e@f", "😀"]) expect(isDeceiving(fine), fine).toBe(false);
  });

  it("with a value out of its range, or longer than any, is refused", () => {
    expect(fault(item({ ...ucloud, keep_alive: "1" }))).toEqual(["keep_alive:number"]);
    expect(fault(item({ ...ucloud, keep_alive: 60 }))).toEqual(["keep_alive:not_text"]);
    expect(fault(item({ ...ucloud, module: "m".repeat(513) }))).toEqual(["module:long"]);
    expect(fault(item({ product_key: "a", device_name: "d", sign_method: "none" }, { platform: "alibaba" }))).toEqual(["sign_method:choice"]);
    expect(fault(item({ product_key: "a", device_name: "d", gateway: "yes" }, { platform: "alibaba" }))).toEqual(["gateway:choice"]);
  });

  it("with settings that nobody knows is taken without them, and they are named, short and harmless", () => {
    const odd = { ...ucloud, colour: "red", constructor: "x", ["e".repeat(100)]: "1", "a\u202eb": "1" };
    const opened = readLink(made([item(JSON.parse(`{"__proto__":"x",${JSON.stringify(odd).slice(1)}`), { missing: ["device_secret", "device_sn", 7] })]));
    if ("why" in opened) throw new Error(opened.why);
    expect(opened.profiles[0]?.profile.settings).toEqual(ucloud);
    expect(opened.profiles[0]?.profile.missing).toEqual(["device_secret"]);
    const unknown = opened.profiles[0]?.unknown ?? [];
    expect(unknown).toEqual(expect.arrayContaining(["settings.colour", "settings.constructor", "settings.__proto__", "settings.a�b", "missing: device_sn", "missing: number"]));
    expect(unknown.every((name) => name.length <= 40)).toBe(true);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });
});

describe("where a profile leads", () => {
  it("is told as the network sees it, and with the letters that were written", () => {
    expect(placeOf("ucloud", "wss://mqtt-cn-sh2.iot.ucloud.cn:443/x")).toEqual({ host: "mqtt-cn-sh2.iot.ucloud.cn:443", written: null, whose: "vendor" });
    // The second letter is Cyrillic.
    expect(placeOf("ucloud", "wss://iоt.ucloud.cn")).toEqual({ host: "xn--it-fmc.ucloud.cn", written: "iоt.ucloud.cn", whose: "vendor" });
    expect(placeOf("ucloud", "mqtt://uclоud.cn:1883")).toEqual({ host: "xn--uclud-lye.cn:1883", written: "uclоud.cn", whose: "other" });
    expect(placeOf("ucloud", "wss://ucloud.cn.evil.example")).toMatchObject({ whose: "other" });
    expect(placeOf("ucloud", "wss://evilucloud.cn")).toMatchObject({ whose: "other" });
    // A number is an address, however it is written.
    expect(placeOf("krtyun", "ws://2130706433/")).toMatchObject({ host: "127.0.0.1", written: "2130706433", whose: "here" });
    expect(placeOf("krtyun", "ws://127.0.0.1:9/")).toEqual({ host: "127.0.0.1:9", written: null, whose: "here" });
    expect(placeOf("krtyun", "nowhere")).toBeNull();
  });

  it("is every place of a platform, each once, and none for the page's own clouds", () => {
    const both = { broker: "wss://a.aliyuncs.com", auth_url: "https://b.aliyuncs.com" };
    expect(placesOf("alibaba", "real", both).map(({ host }) => host)).toEqual(["a.aliyuncs.com", "b.aliyuncs.com"]);
    expect(placesOf("alibaba", "local", both)).toEqual([]);
    expect(placesOf("cmcc", "real", {}).map(({ host }) => host)).toEqual(["ivs.chinamobiledevice.com:11443"]);
    expect(placesOf("cmcc", "real", { environment: "test" }).map(({ host }) => host)).toEqual(["62b98tux.cxzfdm.com:30101"]);
    expect(placesOf("cmcc", "real", { base_url: "https://h" }).map(({ host }) => host)).toEqual(["h"]);
  });
});

describe("names", () => {
  it("are free ones, and short when shown", () => {
    expect(freeName("a", new Set())).toBe("a");
    expect(freeName("a", new Set(["a", "a (2)"]))).toBe("a (3)");
    expect(freeName("n".repeat(64), new Set(["n".repeat(64)]))).toHaveLength(64);
    expect(shownName("n".repeat(99))).toHaveLength(40);
    expect(nameFor({ platform: "ucloud", settings: {} })).toBe("ucloud");
    expect(nameFor({ platform: "ucloud", settings: { device_sn: "d" } })).toBe("d");
  });
});
