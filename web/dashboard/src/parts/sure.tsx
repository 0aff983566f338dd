// A question before something is changed.
import { useEffect, useRef } from "preact/hooks";
import { t } from "../strings";

interface Props {
  title: string;
  text: string;
  verb: string;
  run: () => void;
  close: () => void;
}

export function Sure({ title, text, verb, run, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current!.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={close}>
      <div class="sure">
        <h2>{title}</h2>
        <p>{text}</p>
        <p class="muted">{t("till_restart")}</p>
        <div class="row end">
          <button type="button" class="button" onClick={() => dialog.current!.close()}>
            {t("cancel")}
          </button>
          <button type="button" class="button primary"
            onClick={() => {
              run();
              dialog.current!.close();
            }}>
            {verb}
          </button>
        </div>
      </div>
    </dialog>
  );
}
