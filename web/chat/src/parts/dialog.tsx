// A modal dialog: the browser's own element keeps the focus inside and closes on Escape.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../strings";
import { IconButton } from "./icons";

export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; class?: string }) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog ref={element} class={props.class} aria-labelledby={heading} onClose={props.onClose}
      onClick={(e) => e.target === element.current && element.current?.close()}>
      <div class="dialog-head">
        <h2 id={heading}>{props.title}</h2>
        <IconButton icon="close" label={t("close")} onClick={() => element.current?.close()} />
      </div>
      <div class="dialog-body">{props.children}</div>
    </dialog>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm(props: { question: string; onYes: () => void; onClose: () => void }) {
  return (
    <Dialog title={props.question} onClose={props.onClose} class="confirm">
      <div class="row end">
        <button type="button" class="button" onClick={props.onClose}>
          {t("cancel")}
        </button>
        <button type="button" class="button danger"
          onClick={() => {
            props.onYes();
            props.onClose();
          }}>
          {t("delete")}
        </button>
      </div>
    </Dialog>
  );
}
