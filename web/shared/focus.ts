// The focus never falls to the body: when what has it goes away, or is disabled, it moves to what is nearest.

const focusable =
  'a[href], button:not([disabled]), input:not([disabled], [type="file"]), select:not([disabled]), ' +
  'textarea:not([disabled]), summary, [tabindex]:not([tabindex^="-"])';
const written = 'textarea:not([disabled]), input:not([disabled], [type="file"], [type="checkbox"])';

function usable(element: HTMLElement): boolean {
  // A skip link shows while it has the focus, and covers what is beneath.
  return element.isConnected && !element.matches(".skip") && element.getClientRects().length > 0 && !element.closest("[inert]") && !element.matches(":disabled");
}

function firstIn(place: Element): HTMLElement | undefined {
  const among = (selector: string) => [...place.querySelectorAll<HTMLElement>(selector)].find(usable);
  // Not where a keyboard on the screen would come up by itself.
  const field = matchMedia("(hover: hover)").matches ? among(written) : undefined;
  return field ?? among(focusable);
}

/** Call once, when the page begins. */
export function keepFocus(): void {
  let last: HTMLElement | undefined; // that had the focus
  let around: Element[] = []; // and what it was in, from the inside out
  let due = false;

  const look = (): void => {
    due = false;
    if (!last || usable(last) || (document.activeElement && document.activeElement !== document.body)) return;
    const open = document.querySelector("dialog[open]");
    const places = open ? [open] : around.filter((place) => place.isConnected);
    for (const place of places) {
      const next = firstIn(place);
      if (!next) continue;
      next.focus({ preventScroll: true });
      return;
    }
  };
  const later = (): void => {
    if (due) return;
    due = true;
    // Behind the browser's own moving of the focus, which comes with the next frame.
    requestAnimationFrame(() => setTimeout(look));
  };

  document.addEventListener("focusin", (event) => {
    last = event.target as HTMLElement;
    around = [];
    for (let place = last.parentElement; place; place = place.parentElement) around.push(place);
  });
  // Who clicks beside everything wants no focus.
  document.addEventListener("pointerdown", (event) => {
    if (!(event.target as Element).closest(focusable)) last = undefined;
  });
  new MutationObserver(later).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["disabled", "inert", "hidden", "open"],
  });
}
