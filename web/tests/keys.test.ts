import { describe, expect, it } from "vitest";
import type { Key } from "../dashboard/src/admin";
import {
  budgetsOf, changes, emptyForm, expiryOf, faultsOf, fieldOf, formFields, formOf, isAmong, limitsOf, newKey, numberOf, overlapEnd,
  readImport, statesOf, type Form,
} from "../dashboard/src/keys";

const now = Date.parse("2027-01-01T00:00:00Z");
const key = (more: Partial<Key> = {}): Key => ({
  id: "key_1", state: "active", settings: { client: "app" }, made: "2026-12-01T00:00:00Z", expires: null, revoked: null,
  secrets: [{ made: "2026-12-01T00:00:00Z", ends: null }], ...more,
});
const form = (more: Partial<Form> = {}): Form => ({ ...emptyForm(), client: "app", ...more });

describe("a key's state", () => {
  it("is by the clock, and what is over is nothing else", () => {
    expect(statesOf(key(), now)).toEqual(["active"]);
    expect(statesOf(key({ expires: "2027-01-01T00:00:00Z" }), now)).toEqual(["expired"]);
    expect(statesOf(key({ expires: "2027-01-07T23:59:59Z" }), now)).toEqual(["soon"]);
    expect(statesOf(key({ expires: "2027-01-08T00:00:00Z" }), now)).toEqual(["active"]);
    expect(statesOf(key({ revoked: "2026-12-31T00:00:00Z", expires: "2020-01-01T00:00:00Z" }), now)).toEqual(["revoked"]);
  });
  it("is rotated while an old secret is good", () => {
    const secrets = [
      { made: "2026-12-01T00:00:00Z", ends: "2026-12-20T00:00:00Z" },
      { made: "2026-12-19T00:00:00Z", ends: "2027-01-02T00:00:00Z" },
      { made: "2026-12-31T00:00:00Z", ends: null },
    ];
    expect(statesOf(key({ secrets }), now)).toEqual(["rotated"]);
    expect(statesOf(key({ secrets, expires: "2027-01-03T00:00:00Z" }), now)).toEqual(["soon", "rotated"]);
    expect(overlapEnd(key({ secrets }), now)).toBe(Date.parse("2027-01-02T00:00:00Z"));
    expect(statesOf(key({ secrets }), Date.parse("2027-01-02T00:00:00Z"))).toEqual(["active"]);
  });
  it("is active for a filter if it can be used", () => {
    expect(isAmong(["soon", "rotated"], "active")).toBe(true);
    expect(isAmong(["soon", "rotated"], "rotated")).toBe(true);
    expect(isAmong(["active"], "soon")).toBe(false);
    expect(isAmong(["expired"], "active")).toBe(false);
    expect(isAmong(["revoked"], "active")).toBe(false);
  });
});

describe("limits", () => {
  it("are told apart from budgets", () => {
    const limits = { requests_per_minute: 6, tokens: { month: 9 }, budget: { day: 2.5 } };
    expect(limitsOf(limits)).toEqual([["requests_per_minute", 6], ["tokens_month", 9]]);
    expect(budgetsOf(limits)).toEqual([["budget_day", 2.5]]);
    expect([limitsOf(), budgetsOf()]).toEqual([[], []]);
  });
});

describe("the form", () => {
  const full = key({
    settings: {
      client: "app", team: "red", name: "ci", note: "n", deployments: ["a", "b"],
      limits: { tokens_per_minute: 100, tokens: { day: 5 }, budget: { month: 2.5 }, shadow: true },
    },
  });
  it("asks for a new key with what was filled in, and nothing else", () => {
    expect(newKey(form(), now)).toEqual({ client: "app", expires: "never" });
    const filled = form({
      client: " app ", deployments: "a, b  c,", "limits.tokens_per_minute": "100,000", "limits.budget.month": "2.5", expires: "90d",
    });
    expect(newKey(filled, now)).toEqual({
      client: "app", deployments: ["a", "b", "c"], limits: { tokens_per_minute: 100_000, budget: { month: 2.5 } }, expires_in: "90d",
    });
  });
  it("holds all that a key has, and asks for nothing if nothing was changed", () => {
    const before = formOf(full);
    expect(newKey({ ...before, expires: "keep" }, now)).toEqual(full.settings);
    expect(changes(before, { ...before }, now)).toEqual({});
  });
  it("names what was changed; null takes away, and limits go as one", () => {
    const before = formOf(full);
    expect(changes(before, { ...before, name: "cd", team: " ", deployments: "" }, now)).toEqual({ name: "cd", team: null, deployments: null });
    expect(changes(before, { ...before, "limits.tokens.day": "" }, now)).toEqual({
      limits: { tokens_per_minute: 100, budget: { month: 2.5 }, shadow: true },
    });
    const bare = { ...before, "limits.tokens_per_minute": "", "limits.tokens.day": "", "limits.budget.month": "", "limits.shadow": "" };
    expect(changes(before, bare, now)).toEqual({ limits: {} });
  });
  it("says when a key is to end", () => {
    const at = { expires: "at", expires_at: "2027-01-31T12:00" };
    expect(expiryOf(at, now)).toEqual({ expires: new Date("2027-01-31T12:00").toISOString().replace(".000", "") });
    expect(expiryOf({ ...at, expires: "now" }, now)).toEqual({ expires: "2027-01-01T00:00:00Z" });
    expect(expiryOf({ ...at, expires: "keep" }, now)).toEqual({});
    expect(expiryOf({ ...at, expires: "never" }, now)).toEqual({ expires: "never" });
  });
  it("knows what it can without asking", () => {
    expect(faultsOf(form())).toEqual({});
    expect(faultsOf(form({ client: " ", "limits.concurrency": "many", "limits.budget.day": "-1", expires: "at" }))).toEqual({
      client: "fault_needed", "limits.concurrency": "fault_number", "limits.budget.day": "fault_number", expires_at: "fault_time",
    });
    expect([numberOf("1 000"), numberOf("1.5"), numberOf("1e3"), numberOf("")]).toEqual([1000, 1.5, NaN, NaN]);
  });
  it("shows a fault at the field that it belongs to", () => {
    expect(fieldOf("limits.tokens.day", formFields)).toBe("limits.tokens.day");
    expect(fieldOf("expires_in", formFields)).toBe("expires");
    expect(fieldOf("deployments[1]", formFields)).toBe("deployments");
    expect(fieldOf("limits.nonsense", formFields)).toBe("");
  });
});

describe("an import", () => {
  it("is a line each, a list, or the whole of it", () => {
    expect(readImport('\n{"client":"a"}\n\n {"client":"b"} \n')).toEqual({ keys: [{ client: "a" }, { client: "b" }], lines: [2, 4] });
    expect(readImport('[{"client":"a"},\n{"client":"b"}]')).toEqual({ keys: [{ client: "a" }, { client: "b" }], lines: [] });
    expect(readImport('{ "keys": [{"client":"a"}]}')).toEqual({ keys: [{ client: "a" }], lines: [] });
    expect(readImport("  ")).toEqual({ keys: [], lines: [] });
  });
  it("names the line that cannot be read", () => {
    expect(readImport('{"client":"a"}\n{"client":')).toEqual({ wrong: 2 });
    expect(readImport("[{")).toEqual({ wrong: 1 });
    expect(readImport('{"keys": 5}')).toEqual({ wrong: 1 });
  });
});
