import { describe, expect, it } from "vitest";
import { fullest, limitsOf, perWindow, usedShare } from "../dashboard/src/fill";
import type { Backend, Client } from "../dashboard/src/types";

describe("a quota's fill", () => {
  it("is of its own window, not of the minute", () => {
    expect(usedShare(600, 10, 100)).toBe(0); // idle: all of ten seconds' 100 is left
    expect(usedShare(600, 10, 25)).toBe(0.75);
    expect(usedShare(600, 60, 150)).toBe(0.75);
    expect(perWindow(600, 1)).toBe(10);
  });
  it("is unknown without a limit or without what remains, and never beyond full or empty", () => {
    expect(usedShare(null, 60, 5)).toBeNull();
    expect(usedShare(0, 60, 5)).toBeNull();
    expect(usedShare(60, 60, null)).toBeNull();
    expect(usedShare(60, 60, -5)).toBe(1);
    expect(usedShare(60, 60, 90)).toBe(0);
  });
  it("of a backend is that of its fullest deployment", () => {
    const deployment = (remaining: number) => ({ tpm: 100, tokens_window_seconds: 60, remaining_tokens: remaining, rpm: null });
    const backend = { deployments: [deployment(80), deployment(30)] } as unknown as Backend;
    expect(fullest(backend, "tokens")).toBeCloseTo(0.7);
    expect(fullest(backend, "requests")).toBeNull();
  });
});

describe("a client's limits", () => {
  it("are all that are set, the fullest first", () => {
    const client = {
      tokens_per_minute: { limit: 1000, used: 10, shared: false },
      budget_month: { limit: 10, used: 7.6, shared: true },
    } as unknown as Client;
    expect(limitsOf(client).map((f) => [f.name, f.share])).toEqual([
      ["budget_month", 0.76],
      ["tokens_per_minute", 0.01],
    ]);
    expect(limitsOf({} as Client)).toEqual([]);
  });
});
