import { describe, expect, it } from "vitest";
import { logInAddress } from "../dashboard/src/session";

describe("the way to the log-in", () => {
  it("leads back to the same view with its choices", () => {
    const address = logInAddress({ search: "?a=b", hash: "#usage?range=24h&find=a%26b" });
    expect(address).toBe("login?return=%2F%3Fa%3Db%23usage%3Frange%3D24h%26find%3Da%2526b");
    expect(decodeURIComponent(address.slice("login?return=".length))).toBe("/?a=b#usage?range=24h&find=a%26b");
    expect(logInAddress({ search: "", hash: "" })).toBe("login?return=%2F");
  });
  it("leaves out an address that the gateway would not take", () => {
    expect(logInAddress({ search: "", hash: `#${"x".repeat(2000)}` })).toBe("login?return=%2F");
  });
});
