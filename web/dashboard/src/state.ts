// What the page knows, and how it comes to know it.
import { computed, signal } from "@preact/signals";
import { api, ApiError, keepToken, token } from "./api";
import { followAddress, readAddress } from "./address";
import { whyOf } from "./faults";
import { endSession, readSession, session } from "./session";
import { t } from "./strings";
import type { Backend, Configuration, Frame, Role } from "./types";

export type View = "live" | "usage" | "keys" | "config";
export const views: View[] = ["live", "usage", "keys", "config"];

/** Five minutes, one a second. */
const most = 300;
/** Rates shown as a number are over this many seconds. */
const smoothing = 5;

function viewOf(hash: string): View {
  const wanted = readAddress(hash).view;
  return views.find((v) => v === wanted) ?? "live";
}

export const view = signal<View>(viewOf(location.hash));
export const phase = signal<"starting" | "login" | "open">("starting");
export const connected = signal(false);
export const trouble = signal("");
export const announcement = signal("");
/** Of the last change of a backend: that the store could not keep it. */
export const unkept = signal("");
export const frames = signal<Frame[]>([]);
export const config = signal<Configuration | null>(null);
export const loggedIn = signal(token() !== "");

const roles: Role[] = ["viewer", "operator", "admin"];
/** Whether whoever looks may do what is for this role; nobody may before it is known. */
export function may(role: Role): boolean {
  return config.value !== null && roles.indexOf(config.value.role) >= roles.indexOf(role);
}

export const now = computed(() => frames.value[frames.value.length - 1]);
const before = computed(() => {
  const all = frames.value;
  const last = now.value;
  if (!last) return undefined;
  return all.find((f) => last.at - f.at <= smoothing * 1000 + 500);
});

/** Per second, from `from` to `to`; nothing when counters began anew. */
export function perSecond(
  of: (f: Frame) => number | undefined,
  to: Frame | undefined = now.value,
  from: Frame | undefined = before.value,
): number | null {
  if (!from || !to || from === to) return null;
  const a = of(from);
  const b = of(to);
  if (a === undefined || b === undefined || b < a) return null;
  return ((b - a) * 1000) / (to.at - from.at);
}

const byName = new WeakMap<Frame, Map<string, Backend>>();
export function backendIn(frame: Frame, name: string): Backend | undefined {
  let names = byName.get(frame);
  if (!names) byName.set(frame, (names = new Map(frame.backends.map((b) => [b.name, b]))));
  return names.get(name);
}
export function attempts(b: Backend | undefined): number | undefined {
  return b && b.served + b.throttled + b.failed;
}

let reading: AbortController | null = null;
let again: ReturnType<typeof setTimeout> | undefined;

async function read(): Promise<void> {
  reading?.abort();
  clearTimeout(again);
  const mine = new AbortController();
  reading = mine;
  try {
    for await (const frame of api.events(mine.signal)) {
      phase.value = "open";
      connected.value = true;
      trouble.value = "";
      if (!config.value) void readConfig();
      if (!session.value || session.value.by === "nothing") void readSession();
      frames.value = [...frames.value.slice(1 - most), frame];
    }
  } catch (error) {
    if (mine.signal.aborted) return;
    if (error instanceof ApiError && error.status === 401) {
      connected.value = false;
      trouble.value = token() ? t("wrong_token") : session.value?.by === "oidc" ? t("session_over") : "";
      await askForLogIn();
      return;
    }
    trouble.value = error instanceof ApiError ? whyOf(error) : t("unreachable");
  }
  connected.value = false;
  if (phase.value === "starting") phase.value = "open";
  again = setTimeout(() => void read(), 1000);
}

export async function readConfig(): Promise<void> {
  try {
    config.value = await api.config();
  } catch {
    // The next frame tries again.
  }
}

function forget(): void {
  keepToken("");
  loggedIn.value = false;
  session.value = null;
  frames.value = [];
  config.value = null;
}

/** The address stays as it is: it leads back to the same view. */
async function askForLogIn(): Promise<void> {
  forget();
  await readSession();
  phase.value = "login";
}

export function logIn(value: string): void {
  keepToken(value);
  loggedIn.value = true;
  void read();
}

export async function logOut(): Promise<void> {
  try {
    await endSession();
  } catch (error) {
    announcement.value = t("not_done", { why: whyOf(error) });
    return;
  }
  reading?.abort();
  clearTimeout(again);
  connected.value = false;
  trouble.value = "";
  await askForLogIn();
}

export async function change(backend: string, verb: "drain" | "disable" | "enable"): Promise<void> {
  try {
    const told = await api.change(backend, verb);
    const lost = !told.kept && config.value?.store;
    unkept.value = lost ? t("not_kept", { name: backend, why: told.why ?? "" }) : "";
    announcement.value = t(`did_${verb}`, { name: backend });
  } catch (error) {
    announcement.value = t("not_done", { why: whyOf(error) });
    void readConfig(); // the role may be another by now
  }
}

export function start(): void {
  followAddress(view);
  addEventListener("hashchange", () => {
    view.value = viewOf(location.hash);
    if (view.value === "config" || view.value === "keys") void readConfig();
  });
  void read();
}
