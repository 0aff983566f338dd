// The history, and the way to settings.
import { useEffect, useRef, useState } from "preact/hooks";
import * as state from "../state";
import { t } from "../strings";
import type { Conversation } from "../types";
import { Confirm } from "./dialog";
import { Icon, IconButton } from "./icons";

function Entry({ conversation }: { conversation: Conversation }) {
  const [renaming, setRenaming] = useState(false);
  const [removing, setRemoving] = useState(false);
  const name = conversation.title || t("untitled");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (renaming) field.current?.select();
  }, [renaming]);
  const finish = () => {
    const next = field.current?.value.trim();
    setRenaming(false);
    if (next && next !== name) void state.rename(conversation.id, next);
  };
  const here = state.current.value === conversation.id;
  return (
    <li class={here ? "entry here" : "entry"}>
      {renaming ? (
        <input ref={field} class="field" defaultValue={name} maxLength={120} aria-label={t("rename_label")}
          onBlur={finish}
          onKeyDown={(e) => {
            if (e.isComposing) return;
            if (e.key === "Enter") finish();
            if (e.key === "Escape") {
              e.stopPropagation();
              setRenaming(false);
            }
          }} />
      ) : (
        <>
          <a href={`#c/${conversation.id}`} title={name} aria-current={here ? "page" : undefined}
            onClick={(e) => {
              e.preventDefault();
              void state.open(conversation.id);
            }}>
            {name}
          </a>
          <IconButton icon="edit" class="small" label={t("rename", { title: name })} onClick={() => setRenaming(true)} />
          <IconButton icon="trash" class="small" label={t("remove", { title: name })} onClick={() => setRemoving(true)} />
        </>
      )}
      {removing && (
        <Confirm question={t("remove_sure", { title: name })} onClose={() => setRemoving(false)}
          onYes={() => void state.removeConversation(conversation.id)} />
      )}
    </li>
  );
}

export function Sidebar({ narrow }: { narrow: boolean }) {
  const element = useRef<HTMLElement>(null);
  const open = state.menuOpen.value;
  const list = state.conversations.value;
  useEffect(() => {
    if (narrow && open) element.current?.querySelector("button")?.focus();
  }, [narrow, open]);
  return (
    <>
      {narrow && open && <div class="shade" onClick={() => (state.menuOpen.value = false)} />}
      <nav ref={element} class={open ? "sidebar open" : "sidebar"} aria-label={t("history")} inert={narrow && !open}>
        <div class="row">
          <button type="button" class="button grow" onClick={newChat}>
            <Icon name="plus" />
            {t("new_chat")}
          </button>
          {narrow && (
            <IconButton icon="close" label={t("close_menu")} onClick={() => (state.menuOpen.value = false)} />
          )}
        </div>
        <h2 class="small-head">{t("history")}</h2>
        {list.length === 0 ? (
          <p class="muted">{t("no_history")}</p>
        ) : (
          <ul class="entries">
            {list.map((c) => (
              <Entry key={c.id} conversation={c} />
            ))}
          </ul>
        )}
        <div class="sidebar-foot">
          <button type="button" class="button plain" onClick={() => (state.dialog.value = "settings")}>
            <Icon name="gear" />
            {t("settings")}
          </button>
          <IconButton icon="keys" label={t("shortcuts")} onClick={() => (state.dialog.value = "shortcuts")} />
        </div>
      </nav>
    </>
  );
}

export function newChat(): void {
  state.fresh();
  focusQuestion();
}

export function focusQuestion(): void {
  document.querySelector<HTMLTextAreaElement>("#question")?.focus();
}
