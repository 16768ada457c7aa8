import { describe, expect, it } from "vitest";
import type { Entry } from "../src/muster/types";
import { diff, folded, linesOf } from "../src/state/diff";

const show = (there: string[], here: string[]) => diff(there, here).lines.map(({ kind, text }) => `${{ same: " ", removed: "-", added: "+" }[kind]}${text}`);

describe("two messages", () => {
  it("have their common lines in common, and no more", () => {
    expect(show(["a", "b", "c"], ["a", "x", "c"])).toEqual([" a", "-b", "+x", " c"]);
    expect(show(["a", "b"], ["a", "b"])).toEqual([" a", " b"]);
    expect(show([], ["a"])).toEqual(["+a"]);
    expect(show(["a"], [])).toEqual(["-a"]);
    expect(show([], [])).toEqual([]);
    expect(show(["a", "b", "c", "d"], ["b", "c", "e", "d"])).toEqual(["-a", " b", " c", "+e", " d"]);
  });

  it("are both whole in their comparison, whatever they are", () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % n;
    const text = () => Array.from({ length: random(30) }, () => "abcd"[random(4)] ?? "");
    for (let i = 0; i < 200; i += 1) {
      const [a, b] = [text(), text()];
      const { lines } = diff(a, b);
      expect(lines.filter((line) => line.kind !== "added").map((line) => line.text)).toEqual(a);
      expect(lines.filter((line) => line.kind !== "removed").map((line) => line.text)).toEqual(b);
    }
  });

  it("that differ in too much are put one after the other", () => {
    const many = (name: string) => Array.from({ length: 2_000 }, (_, i) => `${name}${i}`);
    const { lines, whole } = diff(["head", ...many("a"), "tail"], ["head", ...many("b"), "tail"]);
    expect(whole).toBe(true);
    expect(lines).toHaveLength(4_002);
    expect([lines[0]?.kind, lines[1]?.kind, lines.at(-2)?.kind, lines.at(-1)?.kind]).toEqual(["same", "removed", "added", "same"]);
  });

  it("fold what is the same, but for the lines next to a difference", () => {
    const lines = diff(Array.from({ length: 20 }, (_, i) => String(i)), Array.from({ length: 20 }, (_, i) => (i === 10 ? "x" : String(i)))).lines;
    expect(folded(lines).map((block) => (block.kind === "skipped" ? block.count : block.text))).toEqual([7, "7", "8", "9", "10", "x", "11", "12", "13", 6]);
  });

  it("are compared by what they say, not by when they were sent", () => {
    const entry = (seq: number, text: string): Entry => ({ seq, at: seq, unix: seq, kind: "mqtt", direction: "up", packet: { type: "PUBLISH", size: seq, masked: 0, topic: "/t", payload: { size: text.length, text, json: true } } });
    expect(linesOf(entry(1, '{"a":1,"b":[]}'))).toEqual(["direction: up", "type: PUBLISH", "topic: /t", "", "{", '  "a": 1,', '  "b": []', "}"]);
    expect(linesOf(entry(2, '{"a":1}'))).toEqual(linesOf(entry(1, '{"a":1}')));
  });
});
