// The page as a whole: its head, the login, and the view that is open.
import { useEffect } from "preact/hooks";
import { language, setLanguage, type Language } from "../../shared/i18n";
import { setTheme, theme, type Theme } from "../../shared/theme";
import { fresh } from "./keys-state";
import { ConfigView } from "./parts/config";
import { KeySecret } from "./parts/key-secret";
import { KeysView } from "./parts/keys";
import { LiveView } from "./parts/live";
import { Login } from "./parts/login";
import { UsageView } from "./parts/usage";
import { Who } from "./parts/who";
import { session } from "./session";
import * as state from "./state";
import { t } from "./strings";

function Head() {
  const open = state.phase.value === "open";
  return (
    <header class="head">
      <h1>{t("app")}</h1>
      {open && (
        <nav aria-label={t("views")}>
          {state.views.map((v) => (
            <a key={v} href={`#${v}`} aria-current={state.view.value === v ? "page" : undefined}>
              {t(v)}
            </a>
          ))}
        </nav>
      )}
      <div class="tools">
        {open && (
          <span class={state.connected.value ? "link up" : "link down"} role="status">
            {t(state.connected.value ? "connected" : "disconnected")}
          </span>
        )}
        <label>
          <span class="unseen">{t("language")}</span>
          <select value={language.value} onChange={(e) => setLanguage(e.currentTarget.value as Language)}>
            <option value="en">English</option>
            <option value="ko">한국어</option>
          </select>
        </label>
        <label>
          <span class="unseen">{t("theme")}</span>
          <select value={theme.value} onChange={(e) => setTheme(e.currentTarget.value as Theme)}>
            <option value="system">{t("theme_system")}</option>
            <option value="light">{t("theme_light")}</option>
            <option value="dark">{t("theme_dark")}</option>
          </select>
        </label>
        {open && <Who />}
        {(state.loggedIn.value || session.value?.by === "oidc") && open && (
          <button type="button" class="button" onClick={state.logOut}>
            {t("log_out")}
          </button>
        )}
      </div>
    </header>
  );
}

export function App() {
  useEffect(() => {
    document.title = state.phase.value === "open" ? `${t(state.view.value)} – ${t("app")}` : t("app");
  });
  return (
    <>
      <a class="skip" href="#main"
        onClick={(e) => {
          e.preventDefault(); // the address names the view
          document.getElementById("main")!.focus();
        }}>
        {t("skip")}
      </a>
      <Head />
      <main class="main" id="main" tabIndex={-1}>
        {state.phase.value === "login" && <Login />}
        {state.phase.value === "starting" && <p class="muted">{t("starting")}</p>}
        {state.phase.value === "open" && (
          <>
            {state.trouble.value && (
              <p class="trouble" role="alert">
                {state.trouble.value}
              </p>
            )}
            {state.unkept.value && (
              <p class="trouble" role="alert">
                {state.unkept.value}
              </p>
            )}
            {state.view.value === "live" && <LiveView />}
            {state.view.value === "usage" && <UsageView />}
            {state.view.value === "keys" && <KeysView />}
            {state.view.value === "config" && <ConfigView />}
          </>
        )}
      </main>
      {fresh.value && <KeySecret key={fresh.value.secret} {...fresh.value} />}
      <div class="unseen" role="status" id="announcement">
        {state.announcement.value}
      </div>
    </>
  );
}
