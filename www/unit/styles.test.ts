import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";

const folder = new URL("../src/styles/", import.meta.url);
const sheets = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), "utf8").replace(/\/\*.*?\*\//gs, "")] as const);

describe("the style sheets", () => {
  it("do without :has(): in Chromium 156 one such rule, about whatever, made each removed row cost more than the last (0.8 ms for 44 rows, 122 ms after 30,000)", () => {
    expect(sheets.length).toBeGreaterThan(2);
    expect(sheets.filter(([, text]) => text.includes(":has(")).map(([name]) => name)).toEqual([]);
  });

  it("name a height of rows once, the one that views/timeline.ts knows", () => {
    const source = readFileSync(new URL("../src/views/timeline.ts", import.meta.url), "utf8");
    const [, diagram, table] = /ROW[^=]*= \{ diagram: (\d+), table: (\d+) \}/.exec(source) ?? [];
    const devices = sheets.find(([name]) => name === "devices.css")?.[1] ?? "";
    expect(devices).toMatch(new RegExp(`\\.rows > li \\{ height: ${diagram}px; \\}`));
    expect(devices).toMatch(new RegExp(`\\.trow \\{[^}]*height: ${table}px;`));
  });
});
