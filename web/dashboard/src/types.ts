// What the admin plane tells (src/gateway/admin_view.cpp).
export type State = "available" | "throttled" | "failed" | "unauthorized" | "probing" | "draining" | "disabled";
export type Mode = "on" | "draining" | "off";

export interface Deployment {
  name: string;
  state: State;
  seconds_left: number;
  tpm: number | null;
  rpm: number | null;
  remaining_tokens: number | null;
  remaining_requests: number | null;
  tokens_reset_seconds: number;
  requests_reset_seconds: number;
  reserved_tokens: number;
  in_flight: number;
}

export interface Backend {
  name: string;
  url: string;
  state: State;
  seconds_left: number;
  reason: string;
  mode: Mode;
  priority: number;
  weight: number;
  in_flight: number;
  served: number;
  throttled: number;
  failed: number;
  spilled: number;
  avoided: number;
  tokens: number;
  first_byte_ms_total: number;
  deployments: Deployment[];
}

export interface Limit {
  limit: number;
  used: number;
  shared: boolean;
}

export interface Client {
  kind: string;
  name: string;
  in_flight: number;
  tokens_last_minute: number;
  refused: number;
  shadow: boolean;
  shadow_refused: number;
  [limit: string]: string | number | boolean | Limit;
}

export interface Totals {
  in_flight: number;
  served: number;
  limited: number;
  no_quota: number;
  refused: number;
  failed: number;
  left: number;
  spilled: number;
  throttled: number;
  avoided: number;
}

export interface Frame {
  time: string;
  totals: Totals;
  backends: Backend[];
  clients: Client[];
  /** When it came, by the page's clock, in milliseconds. */
  at: number;
}

export interface Configuration {
  version: string;
  text: string;
  ledger: boolean;
  anonymous: boolean;
  clients: {
    name: string;
    keys: string[];
    claim: string;
    team: string;
    priority: string;
    deployments: string[];
  }[];
}

export interface UsageRow {
  minute?: string;
  hour?: string;
  client?: string;
  deployment?: string;
  backend?: string;
  requests: number;
  failed: number;
  prompt_tokens: number;
  completion_tokens: number;
  cached_tokens: number;
  refused: number;
  throttled: number;
  spilled: number;
  avoided: number;
  cost: number;
  mean_ms: number;
}
