// The page as a whole: its parts, keyboard, dropping of files.
import { useEffect, useState } from "preact/hooks";
import { Composer } from "./parts/composer";
import { IconButton } from "./parts/icons";
import { SidePanel } from "./parts/panel";
import { SettingsDialog, ShortcutsDialog } from "./parts/settings";
import { focusQuestion, newChat, Sidebar } from "./parts/sidebar";
import { Thread } from "./parts/thread";
import { failureText } from "./parts/trouble";
import * as state from "./state";
import { t } from "./strings";
import * as turns from "./turns";
import { addFiles } from "./uploads";

const narrowQuery = matchMedia("(max-width: 820px)");

function onKey(e: KeyboardEvent): void {
  if (e.isComposing || state.dialog.value) return;
  const typing = e.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
  if (e.key === "Escape") {
    if (document.querySelector("dialog[open]")) return;
    if (state.panel.value) state.panel.value = null;
    else if (state.menuOpen.value) state.menuOpen.value = false;
    else if (state.busy.value) void turns.stop();
  } else if ((e.ctrlKey || e.metaKey) && e.shiftKey && e.key.toLowerCase() === "o") {
    e.preventDefault();
    newChat();
  } else if (!typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
    if (e.key === "/") {
      e.preventDefault();
      focusQuestion();
    } else if (e.key === "?") {
      state.dialog.value = "shortcuts";
    }
  }
}

function useDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const files = (e: DragEvent) => e.dataTransfer?.types.includes("Files");
    const enter = (e: DragEvent) => {
      if (!files(e)) return;
      e.preventDefault();
      depth++;
      setOver(state.ready.value);
    };
    const move = (e: DragEvent) => files(e) && e.preventDefault();
    const leave = (e: DragEvent) => {
      if (files(e) && --depth <= 0) setOver(false);
    };
    const drop = (e: DragEvent) => {
      if (!files(e)) return;
      e.preventDefault();
      depth = 0;
      setOver(false);
      if (state.ready.value) void addFiles(e.dataTransfer!.files);
    };
    addEventListener("dragenter", enter);
    addEventListener("dragover", move);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    return () => {
      removeEventListener("dragenter", enter);
      removeEventListener("dragover", move);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
    };
  }, []);
  return over;
}

export function App() {
  const [narrow, setNarrow] = useState(narrowQuery.matches);
  const over = useDrop();
  useEffect(() => {
    const changed = () => setNarrow(narrowQuery.matches);
    const moved = () => void state.openFromAddress();
    narrowQuery.addEventListener("change", changed);
    addEventListener("popstate", moved);
    addEventListener("keydown", onKey);
    return () => {
      narrowQuery.removeEventListener("change", changed);
      removeEventListener("popstate", moved);
      removeEventListener("keydown", onKey);
    };
  }, []);
  useEffect(() => {
    document.title = state.current.value ? `${state.title.value} – ${t("app")}` : t("app");
  });
  if (state.fatal.value)
    return (
      <main class="fatal">
        <h1>{t("app")}</h1>
        <p role="alert">{failureText(state.fatal.value)}</p>
        <button type="button" class="button primary" onClick={() => location.reload()}>
          {t("try_again")}
        </button>
      </main>
    );
  return (
    <div class={state.panel.value ? "frame with-panel" : "frame"}>
      <a class="skip" href="#question"
        onClick={(e) => {
          e.preventDefault(); // the address names the conversation
          focusQuestion();
        }}>
        {t("skip")}
      </a>
      <Sidebar narrow={narrow} />
      <main class="main" inert={narrow && (state.menuOpen.value || state.panel.value !== null)}>
        <header class="head">
          {narrow && (
            <IconButton icon="menu" label={t("open_menu")} expanded={state.menuOpen.value}
              onClick={() => (state.menuOpen.value = true)} />
          )}
          <h1 title={state.title.value}>{state.title.value}</h1>
          {narrow && <IconButton icon="plus" label={t("new_chat")} onClick={newChat} />}
        </header>
        {state.session.value && state.ready.value ? (
          <>
            <Thread />
            <Composer />
          </>
        ) : (
          <p class="muted">{t("loading")}</p>
        )}
      </main>
      <SidePanel />
      {over && <div class="drop">{t("drop_here")}</div>}
      {state.dialog.value === "settings" && <SettingsDialog />}
      {state.dialog.value === "shortcuts" && <ShortcutsDialog />}
      <div class="unseen" role="status">
        {state.announcement.value}
      </div>
    </div>
  );
}
