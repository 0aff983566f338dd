// A modal dialog: the browser's own element keeps the focus inside and closes on Escape. Who opened it has the focus
// again afterwards.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface Props {
  title: string;
  /** It is to go away: Escape, or a button. */
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
  /** What has the focus afterwards, if not what had it when this was opened. */
  back?: HTMLElement | null;
}

export function Dialog({ title, onClose, children, class: kind, back }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current!;
    const opener = back ?? (document.activeElement as HTMLElement | null);
    dialog.showModal();
    return () => {
      dialog.close();
      if (opener?.isConnected) opener.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog ref={element} class={kind} aria-labelledby={heading}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
      onClose={(e) => {
        const dialog = e.currentTarget;
        if (!dialog.isConnected) return;
        onClose();
        // At a second Escape a browser closes it without asking, although it may have to stay.
        setTimeout(() => dialog.isConnected && !dialog.open && dialog.showModal());
      }}>
      <div class="sure">
        <h2 id={heading}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
