import { describe, expect, it, vi } from "vitest";
import type { PlatformName } from "../src/muster/types";
import { profileCommand, profileToml, readToml } from "../src/state/device-profile";
import { duplicated, nextName } from "../src/state/duplicate";
import { isSecretSetting } from "../src/state/mask";
import { examine, named, namedWithSecrets, toGive, type NamedProfile } from "../src/state/named";
import { profilesText, readProfilesFile } from "../src/state/profile-file";
import { SETTINGS, problems } from "../src/state/settings";
import { TEMPLATES, follows, withTemplate } from "../src/state/templates";

vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => {} });

const PLATFORMS = Object.keys(SETTINGS) as PlatformName[];
const NOW = new Date("2026-01-02T03:04:05Z");
const plan = { platform: "ucloud", world: "real", storage: "memory", settings: { product_sn: "p0001", product_secret: "HIDDEN", device_sn: "d0001", broker: "wss://h.example:443", keep_alive: "60" } } as const;

const read = (text: string) => readProfilesFile(JSON.parse(text) as Record<string, unknown>);
const items = (text: string) => {
  const file = read(text);
  if ("why" in file) throw new Error(file.why);
  return file;
};

describe("a file of profiles", () => {
  it("comes back as it was written, without secrets, and names them", () => {
    const profiles = [named("a", plan), named("样机", { ...plan, world: "tab" })];
    const text = profilesText(profiles, NOW, false);
    expect(text).not.toContain("HIDDEN");
    const file = items(text);
    expect(file).toMatchObject({ exported: "2026-01-02T03:04:05.000Z", unknown: [] });
    expect(file.items.map(({ profile }) => profile)).toEqual(profiles);
    expect(profiles[0]?.missing).toEqual(["product_secret"]);
    expect(profiles[1]?.settings).toEqual({ product_sn: "p0001", device_sn: "d0001", keep_alive: "60" });
  });

  it("has secrets only if they were asked for, and then nothing is missing", () => {
    const profile = namedWithSecrets("a", plan);
    expect(items(profilesText([profile], NOW, true)).items[0]?.profile).toEqual(profile);
    expect(profile.settings["product_secret"]).toBe("HIDDEN");
    expect(toGive(profile)).toEqual([]);
  });

  it("with one item that is wrong gives the others, and names item and key", () => {
    const file = items(JSON.stringify({ format: "muster-profiles", version: 1, extra: 1, profiles: [named("a", plan), { ...named("b", plan), settings: { keep_alive: "7" } }, { ...named("c", plan), colour: "red", settings: { ...plan.settings, shade: "dark", keep_alive: 90 } }, 7] }));
    expect(file.unknown).toEqual(["extra"]);
    expect(file.items.map(({ name, faults, unknown }) => ({ name, faults, unknown }))).toEqual([
      { name: "a", faults: [], unknown: [] },
      { name: "b", faults: [{ key: "keep_alive", fault: "number" }], unknown: [] },
      { name: "c", faults: [], unknown: ["colour", "settings.shade"] },
      { name: "", faults: [{ key: "", fault: "not_object" }], unknown: [] },
    ]);
    expect(file.items[2]?.profile?.settings).toMatchObject({ keep_alive: "90", product_secret: "HIDDEN" });
  });

  it("that is none is refused with a reason", () => {
    expect(read("{}")).toEqual({ why: "not_profiles" });
    expect(read('{"format":"muster-profiles","version":"1","profiles":[]}')).toEqual({ why: "not_profiles" });
    expect(read('{"format":"muster-profiles","version":2,"profiles":[]}')).toEqual({ why: "newer", version: 2 });
    expect(read(JSON.stringify({ format: "muster-profiles", version: 1, profiles: Array.from({ length: 501 }, () => 1) }))).toEqual({ why: "too_many" });
  });
});

describe("settings for muster device", () => {
  for (const platform of PLATFORMS)
    it(`of ${platform} are read back as they were written, without secrets`, () => {
      const settings = Object.fromEntries(
        SETTINGS[platform].flatMap(({ key, kind }) => {
          if (isSecretSetting(platform, key)) return [[key, "HIDDEN"]];
          return kind.type === "url" ? [[key, `${kind.schemes[0]}://h.example`]] : kind.type === "text" ? [[key, `va"l\\ue '${key}'`]] : [];
        }),
      );
      const profile = named(`x # "1"`, { platform, world: "real", storage: "memory", settings });
      const toml = profileToml(profile) ?? "";
      expect(toml).not.toContain("HIDDEN");
      for (const key of profile.missing) expect(toml).toContain(`# ${key} = ""`);
      expect(readToml(toml, profile.name)?.profile?.settings).toEqual(profile.settings);
    });

  it("are told apart from what is none, and the host's tables are left out by name", () => {
    expect(readToml('broker = "wss://h"', "x")).toBeNull();
    expect(readToml('platform = "ucloud"\nbroker = wss', "x")).toBeNull();
    expect(readToml('platform = "azure"', "x")?.faults).toEqual([{ key: "platform", fault: "choice" }]);
    const found = readToml("platform = 'ucloud' # whose\r\nkeep_alive = 1_00\nproduct_secret = \"s\"\n\n[policy]\nbrokers = [\n]\n", "x");
    expect(found?.profile?.settings).toEqual({ keep_alive: "100", product_secret: "s" });
    expect(found?.unknown).toEqual(["[policy]"]);
    expect(found?.profile?.missing).toEqual([]);
  });

  it("name a file for a real cloud, and the device for a local one; the tab has no terminal", () => {
    expect(profileCommand(named("Probe 1", plan), "")).toBe("muster device --platform ucloud --config Probe_1.toml");
    const local = named("x", { ...plan, world: "local", settings: { ...plan.settings, module: "it's" } });
    expect(profileCommand(local, " --local up.json")).toBe("muster device --platform ucloud --local up.json --set product_sn=p0001 --set device_sn=d0001 --set keep_alive=60 --set 'module=it'\\''s'");
    expect([profileCommand(named("x", { ...plan, world: "tab" }), ""), profileToml(named("x", { ...plan, world: "tab" }))]).toEqual([null, null]);
  });
});

describe("templates", () => {
  for (const platform of PLATFORMS) {
    const keys = SETTINGS[platform].map(({ key }) => key);
    it(`of ${platform} name settings that there are, with values that they may have`, () => {
      expect(TEMPLATES[platform].length).toBeGreaterThan(1);
      for (const { id, set, without, needs, name, when } of TEMPLATES[platform]) {
        for (const key of [...Object.keys(set), ...without, ...needs]) expect(keys, `${id} ${key}`).toContain(key);
        expect(problems(SETTINGS[platform].map((setting) => ({ ...setting, required: false })), set), id).toEqual([]);
        expect(examine({ name: id, platform, world: "real", storage: "memory", settings: set, missing: [] }, "file").faults, id).toEqual([]);
        expect(Object.keys(set).filter((key) => without.includes(key)), id).toEqual([]);
        for (const text of [name, when]) {
          expect(text.zh).toMatch(/[\u4e00-\u9fff]/);
          expect(text.en).not.toMatch(/[\u4e00-\u9fff]/);
        }
      }
      expect(new Set(TEMPLATES[platform].map(({ id }) => id)).size).toBe(TEMPLATES[platform].length);
    });

    it(`of ${platform} are followed once they are taken, one after the other, and leave the rest alone`, () => {
      const before = { ...plan.settings, firmware_version: "2.0.0" };
      let settings: Record<string, string> = before;
      for (const template of TEMPLATES[platform]) {
        settings = withTemplate(platform, template, settings, before);
        expect(follows(platform, template, settings), template.id).toBe(true);
        expect(settings["firmware_version"]).toBe("2.0.0");
      }
      const [first] = TEMPLATES[platform];
      if (first === undefined) throw new Error("none");
      expect(withTemplate(platform, first, settings, before)).toEqual(withTemplate(platform, first, before, before));
    });
  }
});

describe("another device like one", () => {
  it("has the next name that is free, first of those that the cloud offers", () => {
    expect(nextName("ucloud", "112233445566", new Set(["112233445566"]), ["112233445566", "112233445567"])).toBe("112233445567");
    expect(nextName("ucloud", "d-009", new Set(["d-009", "d-010"]), [])).toBe("d-011");
    expect(nextName("ucloud", "99999999999999999999", new Set(), [])).toBe("100000000000000000000");
    expect(nextName("krtyun", "lamp", new Set(["lamp"]), [])).toBe("lamp-2");
    expect(nextName("alibaba", "lamp", new Set(["lamp", "lamp-2"]), [])).toBe("lamp-3");
  });

  it("of China Mobile has a number of the same kind, with its check digit", () => {
    expect(nextName("cmcc", "490154203237518", new Set(["490154203237518"]), ["111234560000011", "490154203237526"])).toBe("490154203237526");
    expect(nextName("cmcc", "490154203237518", new Set(), [])).toBe("490154203237526");
    expect(nextName("cmcc", "111234560000011", new Set(), [])).toBe("111234560000029");
    expect(nextName("cmcc", "MUSTER-SN-0001", new Set(), ["111234560000011"])).toBe("MUSTER-SN-0002");
    const made = duplicated({ platform: "cmcc", world: "tab", storage: "memory", settings: { product_id: "1", product_key: "k", device_no_type: "CMEI", device_no: "111234560000011", cmei: "111234560000011" } }, [], new Set(["111234560000011"]), []);
    expect(made.plan.settings).toMatchObject({ device_no: "111234560000029", cmei: "111234560000029", product_key: "k" });
  });

  it("never has the other's own secret, and says so if nothing else can bring it in", () => {
    const own = { ...plan, settings: { ...plan.settings, device_secret: "HIDDEN-2" } };
    const made = duplicated(own, [], new Set(), []);
    expect(JSON.stringify(made)).not.toContain("HIDDEN-2");
    expect(made.missing).toEqual([]);
    const { product_secret: _, ...bare } = own.settings;
    expect(duplicated({ ...own, settings: bare }, [], new Set(), []).missing).toEqual(["device_secret"]);
  });
});

describe("a profile", () => {
  it("with secrets left out is the same whoever looks", () => {
    const profile: NamedProfile = named("a", plan);
    expect(examine(JSON.parse(JSON.stringify(profile)), "file").profile).toEqual(profile);
  });
});
