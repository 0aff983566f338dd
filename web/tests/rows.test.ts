import { describe, expect, it } from "vitest";
import { compareCells, csv, found } from "../dashboard/src/rows";

describe("rows", () => {
  it("sort numbers by size, names as people do, and put what is unknown last either way", () => {
    const sorted = (cells: (string | number | null)[], down = false) => [...cells].sort((a, b) => compareCells(a, b, down));
    expect(sorted([10, null, 9, 100])).toEqual([9, 10, 100, null]);
    expect(sorted([10, null, 9, 100], true)).toEqual([100, 10, 9, null]);
    expect(sorted(["r10", "r2", "r1"])).toEqual(["r1", "r2", "r10"]);
  });
  it("are found by each word in any of their cells", () => {
    expect(found(["r1-Sweden", 5, "available"], "sweden AVAIL")).toBe(true);
    expect(found(["r1-Sweden", 5, "available"], "sweden failed")).toBe(false);
    expect(found(["r1"], "")).toBe(true);
  });
});

describe("CSV", () => {
  it("quotes what needs it and knows no formulas", () => {
    expect(csv([["a", "b"], ['x,"y"', 1.5], [null, "=1+1"], ["two\nlines", "-3"]])).toBe(
      'a,b\r\n"x,""y""",1.5\r\n,\'=1+1\r\n"two\nlines",\'-3\r\n',
    );
  });
});
