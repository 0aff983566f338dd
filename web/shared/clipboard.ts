// Copying, also where the clipboard interface does not exist: a page over plain http that is not localhost.

function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  field.setAttribute("aria-hidden", "true");
  // Inside an open dialog nothing else can take the focus.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  const before = document.activeElement as HTMLElement | null;
  field.select();
  let done = false;
  try {
    done = document.execCommand("copy");
  } catch {
    done = false;
  }
  field.remove();
  before?.focus();
  return done;
}

/** Whether `text` is in the clipboard now. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Not allowed: the older way may be.
    }
  }
  return copyBySelection(text);
}
