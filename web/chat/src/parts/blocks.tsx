// An answer's text: its blocks, each set into the page once.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { memo } from "preact/compat";
import { language } from "../../../shared/i18n";
import { languagesKnown } from "../highlight";
import { Rendering, type Block } from "../markdown";
import { mathReady } from "../math";
import { t } from "../strings";
import type { Source } from "../types";

/** Draws what `.diagram` holds in a frame that can reach nothing; its source is shown until then, and if it fails. */
function mountDiagram(place: HTMLElement): () => void {
  const pre = place.querySelector("pre")!;
  const source = pre.textContent ?? "";
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = t("diagram");
  frame.hidden = true;
  const onMessage = (event: MessageEvent) => {
    if (event.source !== frame.contentWindow) return;
    const { ready, height, error } = event.data as { ready?: boolean; height?: number; error?: string };
    if (ready) {
      const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
      frame.contentWindow!.postMessage({ source, dark }, "*");
    } else if (height !== undefined) {
      frame.height = String(Math.min(Math.max(height, 20), 2000));
      pre.hidden = true;
      place.dataset.state = "drawn";
    } else if (error) {
      frame.remove();
      place.dataset.state = "failed";
    }
  };
  addEventListener("message", onMessage);
  frame.src = "sandbox/diagram.html";
  frame.hidden = false;
  frame.height = "0";
  place.prepend(frame);
  return () => {
    removeEventListener("message", onMessage);
    frame.remove();
  };
}

const BlockView = memo(function BlockView({ html }: { html: string }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const found = [...place.current!.querySelectorAll<HTMLElement>(".diagram")].map(mountDiagram);
    return () => found.forEach((remove) => remove());
  }, [html]);
  // The HTML comes from Rendering, which sanitizes it.
  return <div class="block" ref={place} dangerouslySetInnerHTML={{ __html: html }} />;
});

/** How long, in milliseconds, text is rendered before the page may do something else. */
const slice = 8;
/** How often, in milliseconds, what is rendered so far is shown: styling and layout cost more than the text itself. */
const step = 100;

/** The blocks of an answer, and what they cite; of a long one more and more of them. */
export function useBlocks(text: string, sources: Source[], streaming: boolean) {
  const known = `${language.value} ${languagesKnown.value} ${mathReady.value}`;
  const rendering = useMemo(() => new Rendering(), [known]);
  const [round, setRound] = useState(0);
  const before = useRef<{ rendering: Rendering; blocks: Block[] }>(undefined);
  const since = useRef(0); // when something was shown, or there was nothing more to do
  const shown = useMemo(() => {
    const now = rendering.update(text, sources, streaming, slice);
    // What is rendered anew is shown when it is all there.
    const last = before.current;
    since.current ||= performance.now();
    const early = performance.now() - since.current < step;
    const kept = now.more && last && (last.rendering !== rendering || early) ? last.blocks : undefined;
    if (!kept) {
      before.current = { rendering, blocks: now.blocks };
      since.current = now.more ? performance.now() : 0;
    }
    const blocks = kept ?? now.blocks;
    return { blocks, more: now.more, cited: [...new Set(blocks.flatMap((b) => b.cited))] };
  }, [rendering, text, sources, streaming, round]);
  useEffect(() => {
    if (!shown.more) return undefined;
    const next = setTimeout(() => setRound((n) => n + 1));
    return () => clearTimeout(next);
  }, [shown]);
  return shown;
}

const partLength = 2;
/** So many blocks are no trouble, and are best left as they are. */
const few = 40;

/** Blocks that the browser leaves out of layout and painting together while they are out of sight. */
const Part = memo(
  function Part({ blocks, whole }: { blocks: Block[]; whole: boolean }) {
    return (
      <div class={whole ? "part whole" : "part"}>
        {blocks.map((b, i) => (
          <BlockView key={i} html={b.html} />
        ))}
      </div>
    );
  },
  (a, b) => a.whole === b.whole && a.blocks.length === b.blocks.length && a.blocks.every((one, i) => one === b.blocks[i]),
);

export function Blocks({ blocks }: { blocks: Block[] }) {
  const parts = Math.ceil(blocks.length / partLength);
  return (
    <>
      {Array.from({ length: parts }, (_, i) => (
        <Part key={i} blocks={blocks.slice(i * partLength, (i + 1) * partLength)} 
          whole={i < parts - 1 && blocks.length > few} />
      ))}
    </>
  );
}
