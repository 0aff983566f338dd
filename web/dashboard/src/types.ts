// What the page works with: the admin plane's answers (admin.ts, generated), and when they came.
import type { Live } from "./admin";

export type { Backend, Client, Configuration, Deployment, Key, Limit, Mode, ModeChange, Role, Session, State, Totals, UsageRow } from "./admin";

export interface Frame extends Live {
  /** When it came, by the page's clock, in milliseconds. */
  at: number;
}
