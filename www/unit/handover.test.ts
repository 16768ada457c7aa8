import { describe, expect, test } from "vitest";
import { covered, partitionSize } from "../src/state/handover";

describe("credentials as a file", () => {
  test("sizes are read as in partition tables", () => {
    expect(["0x6000", "24576", "24K", " 1m "].map(partitionSize)).toEqual([0x6000, 24576, 24576, 1 << 20]);
    for (const bad of ["", "K", "0x", "-1", "1.5K", "six", "99999999999999999999"]) expect(partitionSize(bad)).toBeUndefined();
  });

  test("a secret is covered in every spelling", () => {
    const secret = 'a"b?\\é';
    const credential = JSON.stringify({ device_sn: "d", device_secret: secret });
    const forms = [JSON.stringify({ x: secret }), '#define S "a\\"b\\?\\\\\\303\\251"', 'k,data,string,"a""b?\\é"'];
    for (const form of forms) {
      const shown = covered(form, credential);
      expect(shown).toContain("****");
      expect(shown).not.toContain("b?");
      expect(shown).not.toContain("b\\?");
    }
  });

  test("what cannot be read is covered whole", () => {
    expect(covered("secret", "not json")).toBe("****");
  });
});
