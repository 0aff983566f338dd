// An answer's text: its blocks, each set into the page once.
import { useEffect, useMemo, useRef } from "preact/hooks";
import { memo } from "preact/compat";
import { language } from "../../../shared/i18n";
import { languagesKnown } from "../highlight";
import { Rendering } from "../markdown";
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

/** The blocks of an answer, and what they cite. */
export function useBlocks(text: string, sources: Source[], streaming: boolean) {
  const known = `${language.value} ${languagesKnown.value} ${mathReady.value}`;
  const rendering = useMemo(() => new Rendering(), [known]);
  return useMemo(() => {
    const blocks = rendering.update(text, sources, streaming);
    return { blocks, cited: [...new Set(blocks.flatMap((b) => b.cited))] };
  }, [rendering, text, sources, streaming]);
}

export function Blocks({ blocks }: { blocks: { html: string }[] }) {
  return (
    <>
      {blocks.map((b, i) => (
        <BlockView key={i} html={b.html} />
      ))}
    </>
  );
}
