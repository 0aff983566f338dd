// A key that was just made, shown once. Who leaves without having copied it is asked.
import { useEffect, useRef, useState } from "preact/hooks";
import { copyText } from "../../../shared/clipboard";
import { fresh } from "../keys-state";
import { t } from "../strings";
import { Dialog } from "./dialog";

interface Props {
  name: string;
  secret: string;
  /** What has the focus afterwards. */
  back: HTMLElement | null;
}

export function KeySecret({ name, secret, back }: Props) {
  const [copied, setCopied] = useState<boolean | null>(null); // null: not tried
  const [asked, setAsked] = useState(false);
  const shown = useRef<HTMLElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  const kept = copied === true;

  useEffect(() => {
    if (kept) return;
    const stay = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, [kept]);
  useEffect(() => {
    if (asked) first.current!.focus();
  }, [asked]);

  const copy = async (): Promise<void> => {
    const done = await copyText(secret);
    setCopied(done);
    setAsked(false);
    if (!done) getSelection()?.selectAllChildren(shown.current!);
  };
  const close = (): void => {
    if (kept || asked) fresh.value = null;
    else setAsked(true);
  };
  return (
    <Dialog title={t("secret_title", { name })} back={back} onClose={() => (kept ? (fresh.value = null) : setAsked(true))}>
      <p>{t("secret_text")}</p>
      <p class="secret">
        <code id="new-key" ref={shown}
          onCopy={() => {
            if (getSelection()?.toString().trim() === secret) setCopied(true); // by hand
          }}>
          {secret}
        </code>
      </p>
      <p role="status" class={copied === false ? "fault" : "muted"} id="copied">
        {copied === null ? "" : t(copied ? "secret_copied" : "secret_not_copied")}
      </p>
      {asked && !kept && <p class="trouble" role="alert">{t("secret_sure")}</p>}
      <div class="row end">
        <button ref={first} type="button" class={kept ? "button" : "button primary"} onClick={() => void copy()}>
          {t("secret_copy")}
        </button>
        <button type="button" class={kept ? "button primary" : asked ? "button danger" : "button"} onClick={close}>
          {t(asked && !kept ? "secret_leave" : "secret_done")}
        </button>
      </div>
    </Dialog>
  );
}
