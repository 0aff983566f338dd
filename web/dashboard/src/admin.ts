// What the admin plane answers. Made by scripts/generate from src/gateway/admin_schema.cpp and
// src/telemetry/usage_report.cpp: change those, not this.

export type State = "available" | "throttled" | "failed" | "unauthorized" | "probing" | "draining" | "disabled";
export type Mode = "on" | "draining" | "off";
export type Kind = "client" | "user" | "team" | "key";
export type Role = "viewer" | "operator" | "admin";
export type KeyState = "active" | "expired" | "revoked";

export interface Deployment {
  /** The backend's own name for it. */
  name: string;
  state: State;
  /** When its cool-down ends. */
  until: string | null;
  /** Of its cool-down. */
  seconds_left: number;
  /** Tokens a minute: configured or learned. */
  tpm: number | null;
  /** Requests a minute: configured or learned. */
  rpm: number | null;
  /** How long the window is that tokens are counted in. */
  tokens_window_seconds: number;
  /** The same of requests; often 10 s. */
  requests_window_seconds: number;
  /** Of the current window. */
  remaining_tokens: number | null;
  /** Of the current window. */
  remaining_requests: number | null;
  /** Until all tokens are there again. */
  tokens_reset_seconds: number;
  /** Until all requests are there again. */
  requests_reset_seconds: number;
  /** For requests in flight. */
  reserved_tokens: number;
  in_flight: number;
  /** What it sustains, while it has been asked for more. */
  most_in_flight: number | null;
}

export interface Backend {
  name: string;
  url: string;
  state: State;
  /** When its cool-down ends. */
  until: string | null;
  /** Of its cool-down. */
  seconds_left: number;
  /** Why it is not available; empty when it is. */
  reason: string;
  /** What the operator wants of it. */
  mode: Mode;
  /** Who the gateway is to it, see docs/identity.md. */
  auth: string;
  /** Why there is no token for it yet; empty when there is one. */
  no_credential: string;
  /** Lower goes first. */
  priority: number;
  /** Its share within its priority. */
  weight: number;
  in_flight: number;
  /** Attempts answered, since the start. */
  served: number;
  /** Attempts answered with 429. */
  throttled: number;
  /** Attempts that failed otherwise. */
  failed: number;
  /** Of those served: spilled over to here from another. */
  spilled: number;
  /** 429s that would have been met here without the quota's mirror. */
  avoided: number;
  /** That served answers used, as far as they said. */
  tokens: number;
  /** Of the served answers together. */
  first_byte_ms_total: number;
  /** Those asked for so far. */
  deployments: Deployment[];
}

export interface Limit {
  limit: number;
  /** Of it, by all replicas. */
  used: number;
  /** Held together with other replicas. */
  shared: boolean;
}

export interface Client {
  kind: Kind;
  name: string;
  /** Whose user it is, if that client's requests name it. */
  client?: string;
  in_flight: number;
  /** Weighted, as limits count them. */
  tokens_last_minute: number;
  /** By its own limits, since the start. */
  refused: number;
  /** Its limits refuse nothing. */
  shadow: boolean;
  /** What they would have refused. */
  shadow_refused: number;
  /** Weighted tokens. */
  tokens_per_minute?: Limit;
  requests_per_minute?: Limit;
  /** Requests in flight. */
  concurrency?: Limit;
  /** Weighted tokens. */
  tokens_hour?: Limit;
  /** In the currency of the prices. */
  budget_hour?: Limit;
  tokens_day?: Limit;
  budget_day?: Limit;
  tokens_week?: Limit;
  budget_week?: Limit;
  tokens_month?: Limit;
  budget_month?: Limit;
}

export interface Totals {
  in_flight: number;
  /** Answered well, since the start (as all below). */
  served: number;
  /** 429 or 403: the client's own limits. */
  limited: number;
  /** 429: all backends are out of quota. */
  no_quota: number;
  /** Another 4xx. */
  refused: number;
  /** 5xx. */
  failed: number;
  /** The client went away first. */
  left: number;
  /** Of all backends. */
  spilled: number;
  /** 429s met at backends. */
  throttled: number;
  /** 429s not met at backends. */
  avoided: number;
}

export interface Live {
  time: string;
  totals: Totals;
  backends: Backend[];
  clients: Client[];
}

export interface ConfigClient {
  name: string;
  /** How the SHA-256 of each begins. */
  keys: string[];
  claim: string;
  team: string;
  priority: string;
  /** It may use; none: all. */
  deployments: string[];
}

export interface Configuration {
  version: string;
  /** Of who asks: what the page may offer. */
  role: Role;
  /** What the configuration resolves to, without secrets. */
  text: string;
  /** There is a ledger. */
  ledger: boolean;
  /** There is a store, which keeps what is changed here. */
  store: boolean;
  /** No client is configured: anyone may ask. */
  anonymous: boolean;
  clients: ConfigClient[];
}

export interface Session {
  /** Of the person or token; empty: nobody who is known. */
  name: string;
  /** viewer, operator, admin; empty: none. */
  role: string;
  /** How it is known; open: anyone may do all; nothing: it is not. */
  by: "oidc" | "token" | "open" | "nothing";
  /** There is a log-in: GET login. */
  log_in: boolean;
}

export interface ModeChange {
  /** In use at once. */
  mode: Mode;
  /** For a restart, and for all who share the store. */
  kept: boolean;
  /** It is not kept. */
  why?: string;
}

export interface KeySecret {
  made: string;
  /** Rotated: when it is no longer good. Null: with the key. */
  ends: string | null;
}

export interface PerPeriod {
  hour?: number;
  day?: number;
  week?: number;
  month?: number;
}

export interface KeyLimits {
  /** Weighted tokens. */
  tokens_per_minute?: number;
  requests_per_minute?: number;
  concurrency?: number;
  tokens?: PerPeriod;
  /** In the currency of the prices. */
  budget?: PerPeriod;
  /** They refuse nothing. */
  shadow?: boolean;
}

export interface KeySettings {
  /** Whose it is. */
  client: string;
  team?: string;
  name?: string;
  note?: string;
  /** It may ask for; none: all. */
  deployments?: string[];
  limits?: KeyLimits;
}

export interface Key {
  id: string;
  state: KeyState;
  settings: KeySettings;
  made: string;
  /** Null: never. */
  expires: string | null;
  revoked: string | null;
  /** What it is known by; two while it is rotated. */
  secrets: KeySecret[];
  /** In the answer that made it, and nowhere else. */
  key?: string;
}

export interface UsageRow {
  /** When it began (UTC). */
  minute?: string;
  /** When it began (UTC). */
  hour?: string;
  client?: string;
  /** Id of a key made at run time; empty: another's. */
  key?: string;
  user?: string;
  team?: string;
  /** As the client named it. */
  deployment?: string;
  /** That served; empty: nobody. */
  backend?: string;
  /** As the answer named it. */
  model?: string;
  requests: number;
  /** Status 400 or above, refusals among them. */
  failed: number;
  /** Requests whose tokens are estimates. */
  estimated: number;
  prompt_tokens: number;
  completion_tokens: number;
  /** Of the prompt's. */
  cached_tokens: number;
  /** Of the completion's. */
  reasoning_tokens: number;
  /** Weighted, as limits count them. */
  charged_tokens: number;
  /** Refused by limits (429, 403) or for want of quota (429). */
  refused: number;
  /** 429s met at backends. */
  throttled: number;
  /** Spilled over to another backend. */
  spilled: number;
  /** 429s that were not met. */
  avoided: number;
  /** In the currency of the prices. */
  cost: number;
  /** Of the served: from the request to the answer's end; null: none. */
  mean_ms: number | null;
  /** Half of the served took no longer; null unless percentiles=true was asked. */
  p50_ms: number | null;
  /** 95 % of the served took no longer. */
  p95_ms: number | null;
}
