import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { CipherInput, CipherOutput, Entry, HttpMessage } from "../src/muster/types";
import { codeOf, curl, httpOf, isCall, pathOfUrl, type Exchange, type HttpEntry } from "../src/state/exchange";
import { compareHex, explainDifference, suspects } from "../src/state/keys-compare";

const message = (more: Partial<HttpMessage>): HttpMessage => ({ headers: [], size: 1, masked: 0, ...more });
const entry = (seq: number, direction: "up" | "down", more: Partial<HttpMessage>, of?: number) => ({ seq, at: 0, unix: 0, kind: "http", direction, message: message(more), ...(of === undefined ? {} : { of }) }) as Entry as HttpEntry;
const body = (text: string) => ({ payload: { size: text.length, json: true, text } });
const request = entry(1, "up", { method: "POST", url: "https://host/x/awss/token/check?x-ca-request-id=1" });

describe("an exchange", () => {
  it("is put together from request and answer", () => {
    const one = httpOf([], request, 1);
    const answer = entry(3, "down", { status: 200, ...body('{"code":200}') }, 1);
    expect(httpOf(one, answer, 1)).toEqual([{ life: 1, request, response: answer }]);
    // Entries are counted anew in each life of the app.
    expect(httpOf(one, answer, 2)).toBe(one);
    // An answer to what is not here any more.
    expect(httpOf(one, entry(4, "down", {}, 2), 1)).toBe(one);
  });

  it("knows its path, whatever the gateway's address begins with", () => {
    expect(pathOfUrl("http://h:1/a/b?c#d")).toBe("/a/b");
    expect(pathOfUrl("nonsense")).toBe("");
    expect(isCall(request, "/awss/token/check")).toBe(true);
    expect(isCall(request, "/awss/token/user/bind")).toBe(false);
  });

  it("has the service's code if the service answered", () => {
    const of = (more: Partial<HttpMessage> | null): Exchange => ({ life: 1, request, response: more === null ? null : entry(2, "down", more, 1) });
    expect(codeOf(of(null))).toBeNull();
    expect(codeOf(of({ status: 200, ...body('{"code":6608}') }))).toBe("6608");
    expect(codeOf(of({ status: 200, ...body('{"code":"200"}') }))).toBe("200");
    for (const text of ["", "[]", "null", "{", '{"code":{}}']) expect(codeOf(of({ status: 200, ...body(text) }))).toBeNull();
    expect(codeOf(of({ status: 403, ...body('{"code":200}') }))).toBeNull();
  });

  it("is told as a command that a shell takes apart as it was", () => {
    const headers: [string, string][] = [["Accept", "application/json"], ["X-It's", "a 'quoted' $HOME `x`"], ["Content-Length", "5"]];
    const text = `{"a":"it's ${"*".repeat(8)}"}`;
    const command = curl({ life: 1, request: entry(1, "up", { method: "POST", url: "https://h/p?a=1&b=2", headers, ...body(text) }), response: null });
    const args = execFileSync("sh", ["-c", command.replace(/^curl/, `for a in "$@"; do :; done; printf '%s\\0'`)]).toString().split("\0").slice(0, -1);
    expect(args).toEqual(["-X", "POST", "https://h/p?a=1&b=2", "-H", "Accept: application/json", "-H", "X-It's: a 'quoted' $HOME `x`", "--data-binary", text]);
  });
});

describe("two keys", () => {
  it("are compared byte by byte, whatever their case", () => {
    expect(compareHex("00FF", "00ff")).toEqual({ same: true });
    expect(compareHex("00ff", "00fe")).toEqual({ same: false, at: 1, length: [2, 2] });
    expect(compareHex("00ff", "00")).toEqual({ same: false, at: 1, length: [2, 1] });
  });

  const cipher = async ({ type, mac }: CipherInput): Promise<CipherOutput> => ({ sha256: "", key: `${type}${mac ?? ""}`.replaceAll(":", ""), steps: [] });
  const input = { type: 6, secret: "s", random: "r", mac: "11:22:33:44:55:66" };

  it("that differ are tried with the mistakes that people make", async () => {
    expect(await explainDifference("6665544332211", input, cipher)).toBe("reversed_mac");
    expect(await explainDifference("3112233445566", input, cipher)).toBe("type");
    expect(await explainDifference("9", input, cipher)).toBeNull();
    // One that cannot be tried is none.
    expect(await explainDifference("9", input, () => Promise.reject(new Error("no")))).toBeNull();
    expect(suspects({ type: 3, secret: "s", random: "r" })).toEqual([]);
  });
});
