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

  it("keeps this version and the one before, whose pages may be open", () => {
    expect(outdated(["muster-console-a", "other", "muster-console-b", "muster-console-c"], "muster-console-c")).toEqual(["muster-console-a"]);
    expect(outdated(["muster-console-c", "muster-console-d"], "muster-console-d")).toEqual([]);
    expect(outdated(["muster-console-d"], "muster-console-d")).toEqual([]);
    // A version that came back is not the one to go.
    expect(outdated(["muster-console-a", "muster-console-b"], "muster-console-a")).toEqual([]);
  });
});
