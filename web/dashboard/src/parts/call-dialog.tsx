// A form in a dialog that asks the gateway for something: what is wrong is said at the field that it belongs to, which
// gets the focus, and what was typed stays.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Faults } from "../keys";
import { faultsIn } from "../keys-state";
import { t } from "../strings";
import { Dialog } from "./dialog";

interface Props {
  title: string;
  verb: string;
  danger?: boolean;
  wide?: boolean;
  /** Fields that there are. */
  fields?: readonly string[];
  /** Asks; returns what is wrong without asking, if something is. Throws what the gateway says. */
  call: () => Promise<Faults | void>;
  close: () => void;
  children: (faults: Faults) => ComponentChildren;
}

export function CallDialog({ title, verb, danger, wide, fields = [], call, close, children }: Props) {
  const [faults, setFaults] = useState<Faults>({});
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const gone = useRef(false);
  useEffect(() => () => void (gone.current = true), []);
  useEffect(() => {
    if (Object.keys(faults).length === 0) return;
    const wrong = form.current!.querySelector<HTMLElement>("[aria-invalid=true], [data-wrong]");
    const details = wrong?.closest("details");
    if (details) details.open = true;
    (wrong ?? form.current!.querySelector<HTMLElement>(".trouble"))?.focus();
  }, [faults]);

  const submit = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    let wrong: Faults | void;
    try {
      wrong = await call();
    } catch (error) {
      wrong = faultsIn(error, fields);
    }
    if (gone.current) return;
    setBusy(false);
    if (wrong && Object.keys(wrong).length > 0) setFaults(wrong);
    else close();
  };
  return (
    <Dialog title={title} onClose={close} class={wide ? "wide" : undefined}>
      <form ref={form} class="call" noValidate autocomplete="off" aria-busy={busy}
        onSubmit={(e) => {
          e.preventDefault();
          void submit();
        }}>
        {faults[""] && <p class="trouble" role="alert" tabIndex={-1}>{faults[""]}</p>}
        {children(faults)}
        <div class="row end">
          <button type="button" class="button" onClick={close}>{t("cancel")}</button>
          <button type="submit" class={danger ? "button danger" : "button primary"} aria-disabled={busy}>{verb}</button>
        </div>
      </form>
    </Dialog>
  );
}
