import { describe, expect, it } from "vitest";
import { readAddress, writeAddress } from "../dashboard/src/address";

describe("the address", () => {
  it("names the view and what was chosen", () => {
    const { view, chosen } = readAddress("#usage?range=24h&live-clients.find=a+b%26c");
    expect(view).toBe("usage");
    expect([...chosen]).toEqual([["range", "24h"], ["live-clients.find", "a b&c"]]);
    expect(readAddress("").view).toBe("");
  });
  it("leaves out what is as it is at first", () => {
    expect(writeAddress("live", [["range", "15m", "15m"]])).toBe("#live");
    expect(writeAddress("usage", [["range", "24h", "15m"], ["find", "a&b", ""]])).toBe("#usage?range=24h&find=a%26b");
  });
  it("keeps what views that were not shown yet will take", () => {
    expect(writeAddress("live", [["range", "24h", "15m"]], [["backends.find", "b04"]])).toBe(
      "#live?backends.find=b04&range=24h",
    );
  });
});
