import { describe, expect, it } from "vitest";
import { outdated, wayOf } from "../src/offline/way";

const ORIGIN = "http://127.0.0.1:7878";
const FILES = new Set(["/", "/console/assets/a-1.js", "/console/icon.svg"]);
const way = (path: string, more: { method?: string; mode?: string } = {}) => wayOf({ method: "GET", mode: "cors", url: path.startsWith("/") ? ORIGIN + path : path, ...more }, ORIGIN, FILES);

describe("the service worker", () => {
  it("answers for the page and its own files alone", () => {
    expect(way("/", { mode: "navigate" })).toBe("page");
    expect(way("/?lang=zh", { mode: "navigate" })).toBe("page");
    expect(way("/console/assets/a-1.js")).toBe("file");
    expect(way("/console/icon.svg", { mode: "no-cors" })).toBe("file");
    expect(way("/console/assets/of-another-version.js")).toBe("old");
  });

  it("leaves what clouds and operators say alone, whatever it looks like", () => {
    for (const path of ["/api/status", "/api/log", "/api/demo", "/api/relay", "/relay", "/relay/mqtt", "/mqtt/ucloud", "/firmware/x.bin", "/v2/customer/device/report", "/auth/register/device", "/start", "/console/other.js", "/console/assets/a-1.js?x=1"]) expect(way(path), path).toBe("leave");
    expect(way("/api/operate", { method: "POST" })).toBe("leave");
    expect(way("/", { method: "HEAD", mode: "navigate" })).toBe("leave");
    expect(way("/start", { mode: "navigate" })).toBe("leave");
    // Somebody asks for the page as a file: that is not a visit.
    expect(way("/")).toBe("leave");
    for (const url of ["https://iot-auth.cn-shanghai.aliyuncs.com/auth/register/device", "http://127.0.0.1:1/console/assets/a-1.js", "https://127.0.0.1:7878/"]) expect(way(url), url).toBe("leave");
  });

  it("keeps this version and the one that answered before it, whose pages may be open", () => {
    const kept = (...names: string[]) => names.map((name, at) => ({ name, since: at + 1 }));
    expect(outdated(kept("muster-console-a", "other", "muster-console-b", "muster-console-c"), "muster-console-c")).toEqual(["muster-console-a"]);
    expect(outdated(kept("muster-console-c", "muster-console-d"), "muster-console-d")).toEqual([]);
    expect(outdated(kept("muster-console-d"), "muster-console-d")).toEqual([]);
    // A version that came back is not the one to go.
    expect(outdated(kept("muster-console-a", "muster-console-b"), "muster-console-a")).toEqual([]);
  });

  it("lets go of a version that only waited, and not of the one whose pages are open", () => {
    const versions = [{ name: "muster-console-a", since: 5 }, { name: "muster-console-b", since: null }, { name: "muster-console-c", since: null }];
    expect(outdated(versions, "muster-console-c")).toEqual(["muster-console-b"]);
    // In whatever order they are told.
    expect(outdated([{ name: "muster-console-z", since: 9 }, { name: "muster-console-a", since: 5 }], "muster-console-c")).toEqual(["muster-console-a"]);
  });
});
