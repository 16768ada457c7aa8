import { describe, expect, test } from "vitest";
import { decoded, readList, writeCsv } from "../src/state/csv";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("a list of devices", () => {
  test("is read as spreadsheets write it, with its lines", () => {
    const { list, problems } = readList('\ufeffdevice_sn, device_secret\r\n"a","x,y"\r\n# a note, with a comma\r\n\r\n b ,\r\n"q""uote","two\nlines"\nlast,1');
    expect(problems).toEqual([]);
    expect(list.columns).toEqual(["device_sn", "device_secret"]);
    expect(list.rows).toEqual([
      ["a", "x,y"],
      ["b", ""],
      ['q"uote', "two\nlines"],
      ["last", "1"],
    ]);
    expect(list.lines).toEqual([2, 5, 6, 8]);
  });

  test("that is wrong is told with every wrong line, and without what stands in it", () => {
    const { problems } = readList("a,b,a,hunter 22\n1,2,3,4\nhunter22\n1,2,3,4,5\n");
    expect(problems).toEqual([
      { line: 1, what: "twice", column: "a" },
      { line: 1, what: "column", column: 4 },
      { line: 3, what: "fields", have: 1, want: 4 },
      { line: 4, what: "fields", have: 5, want: 4 },
    ]);
    expect(JSON.stringify(problems)).not.toContain("hunter");
  });

  test("without a row, or without an end of a quote, is none", () => {
    expect(readList("").problems).toEqual([{ line: 1, what: "empty" }]);
    expect(readList("# only a note\n").problems).toEqual([{ line: 1, what: "empty" }]);
    expect(readList("a,b\n").problems).toEqual([{ line: 1, what: "empty" }]);
    expect(readList('a,b\n1,2\n"x,3\n4,5\n').problems).toEqual([{ line: 3, what: "quote" }]);
  });

  test("that is not UTF-8 is told with its line", () => {
    expect(decoded(bytes("a\n设备\n"))).toBe("a\n设备\n");
    expect(decoded(Uint8Array.from([97, 10, 98, 10, 0xff, 10]))).toEqual({ line: 3, what: "utf8" });
  });

  test("of a hundred thousand rows is read in no time, and comes back as it was", () => {
    const rows = Array.from({ length: 100_000 }, (_, n) => [`d${n}`, n % 3 === 0 ? `x "${n}", y` : ""]);
    const text = writeCsv(["device_sn", "device_secret"], rows);
    const { list, problems } = readList(text);
    expect(problems).toEqual([]);
    expect(list.rows).toEqual(rows);
    expect(list.lines.at(-1)).toBe(100_001);
  });
});

test("fields are quoted where they have to be", () => {
  expect(writeCsv(["a", "b"], [["1,2", 'say "x"'], ["#", " y "], ["plain", "two\nlines"]])).toBe('a,b\n"1,2","say ""x"""\n"#"," y "\nplain,"two\nlines"\n');
});
