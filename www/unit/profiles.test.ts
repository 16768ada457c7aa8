import { describe, expect, it } from "vitest";
import type { PlatformName } from "../src/muster/types";
import { isSecretSetting } from "../src/state/mask";
import { completed, mergedProfiles, profileKey, profileOf, readProfiles, type Profile } from "../src/state/profiles";
import { SETTINGS } from "../src/state/settings";

const ucloud = { platform: "ucloud", world: "local", storage: "browser", settings: { product_sn: "p0001", product_secret: "SECRET-1", device_sn: "d0001", broker: "ws://127.0.0.1:1/mqtt/ucloud" } } as const;

describe("a profile", () => {
  it("holds no secret of any platform, and says which are missing", () => {
    for (const platform of Object.keys(SETTINGS) as PlatformName[]) {
      const settings = Object.fromEntries(SETTINGS[platform].map(({ key, kind }) => [key, kind.type === "url" ? "wss://h/p" : isSecretSetting(platform, key) ? `SECRET-${key}` : "x"]));
      const profile = profileOf({ platform, world: "real", storage: "memory", settings });
      expect(JSON.stringify(profile)).not.toContain("SECRET");
      expect(profile.missing).toEqual(SETTINGS[platform].filter(({ key }) => isSecretSetting(platform, key)).map(({ key }) => key));
    }
  });

  it("leaves passwords and tokens out of addresses", () => {
    const profile = profileOf({ ...ucloud, settings: { ...ucloud.settings, broker: "wss://me:SECRET-2@host:443/mqtt?token=SECRET-3#SECRET-4" } });
    expect(profile.settings["broker"]).toBe("wss://host:443/mqtt");
    expect(profile.missing).toContain("broker");
    expect(JSON.stringify(profile)).not.toContain("SECRET");
  });

  it("survives being written and read", () => {
    const profile = profileOf(ucloud);
    expect(readProfiles(JSON.stringify([profile]))).toEqual([profile]);
  });

  it("is not read from what is none", () => {
    for (const text of [null, "", "{", "{}", "null", "[null, 1, {}]", '[{"platform":"x","world":"local","storage":"memory","settings":{},"missing":[]}]', '[{"platform":"ucloud","world":"moon","storage":"memory","settings":{},"missing":[]}]', '[{"platform":"ucloud","world":"tab","storage":"disk","settings":{},"missing":[]}]'])
      expect(readProfiles(text)).toEqual([]);
  });

  it("that somebody wrote a secret into is read without it", () => {
    const [profile] = readProfiles(JSON.stringify([{ ...profileOf(ucloud), settings: { ...ucloud.settings, odd: 1 } }]));
    expect(JSON.stringify(profile)).not.toContain("SECRET");
    expect(profile?.settings["odd"]).toBeUndefined();
  });

  it("names the same device by the same key, and another cloud's by another", () => {
    expect(profileKey(profileOf(ucloud))).toBe("ucloud/local/p0001/d0001");
    expect(profileKey({ ...ucloud, world: "tab" })).toBe("ucloud/tab/p0001/d0001");
    expect(profileKey({ ...ucloud, world: "real" })).toBe("ucloud/ws://127.0.0.1:1/mqtt/ucloud/p0001/d0001");
    const token = { ...ucloud, world: "real", settings: { ...ucloud.settings, broker: "wss://h/?t=SECRET" } } as const;
    expect(profileKey(token)).toBe(profileKey(profileOf(token)));
  });
});

describe("what a reload took", () => {
  const profile = profileOf(ucloud);

  it("comes back from the demo of the same product", () => {
    const demo = { settings: { ...ucloud.settings, product_secret: "NEW" }, devices: [] };
    expect(completed(profile, demo)).toEqual({ settings: { ...profile.settings, product_secret: "NEW" }, missing: [] });
  });

  it("does not come from another product, or from nobody", () => {
    expect(completed(profile, { settings: { product_sn: "other", product_secret: "NEW" }, devices: [] }).missing).toEqual(["product_secret"]);
    expect(completed(profile, null).missing).toEqual(["product_secret"]);
    expect(completed(profile, undefined).settings["product_secret"]).toBeUndefined();
  });

  it("never is a device's own secret: without it the device would register anew", () => {
    const own = profileOf({ ...ucloud, settings: { ...ucloud.settings, device_secret: "SECRET-5" } });
    expect(completed(own, { settings: { ...ucloud.settings, device_secret: "OTHER" }, devices: [] }).missing).toEqual(["device_secret"]);
  });
});

describe("the list of all tabs", () => {
  const named = (device: string, storage: Profile["storage"] = "browser") => profileOf({ ...ucloud, storage, settings: { ...ucloud.settings, device_sn: device } });
  const names = (list: readonly Profile[]) => list.map((profile) => profile.settings["device_sn"]);

  it("has each device once, this tab's as this tab has them", () => {
    expect(names(mergedProfiles([named("a"), named("b")], [named("b"), named("c")], new Set()))).toEqual(["a", "b", "c"]);
  });

  it("leaves out whose secret goes with the page, and who was removed", () => {
    expect(names(mergedProfiles([named("a"), named("b")], [named("b", "memory")], new Set([profileKey(named("a"))])))).toEqual([]);
  });
});
