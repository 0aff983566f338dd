// A vessel that fills with what is used of a limit.
import { perWindow, usedShare } from "../fill";
import { short, t } from "../strings";

interface Props {
  name: string;
  kind: "tokens" | "requests";
  /** A minute's, as it is told. */
  limit: number | null;
  /** How long the window is that `remaining` is of. */
  window: number;
  remaining: number | null;
  reset: number;
}

const height = 100;
const top = 12;

export function Vessel({ name, kind, limit, window, remaining, reset }: Props) {
  const width = kind === "tokens" ? 92 : 48;
  const used = usedShare(limit, window, remaining);
  const known = used !== null;
  const share = used ?? 0;
  const granted = perWindow(limit, window) ?? 0;
  const level = top + (height - top - 4) * (1 - share);
  const percent = Math.round(share * 100);
  const what = t(kind);
  const label = known
    ? t(window === 60 || window === 0 ? "vessel" : "vessel_window", {
        name, used: short(granted * share), limit: short(granted), what, percent, n: short(window),
      })
    : `${name}: ${what}, ${t("no_limit")}`;
  const fullness = share > 0.95 ? "full" : share > 0.75 ? "high" : "";
  return (
    <figure class="vessel">
      <svg role="img" aria-label={label} viewBox={`0 0 ${width} ${height}`} width={width} height={height}
        data-percent={known ? percent : undefined} class={known ? fullness : "unknown"}>
        {known && (
          <g class="water" style={{ transform: `translateY(${level - top}px)` }}>
            <path d={`M4 ${top} q ${width / 8} -5 ${(width - 8) / 4} 0 t ${(width - 8) / 4} 0 t ${(width - 8) / 4} 0 t ${
              (width - 8) / 4} 0 V ${height * 2} H 4 Z`} />
          </g>
        )}
        <path class="mask" d={`M0 ${height - 3} H ${width} V ${height} H 0 Z`} />
        <path class="wall" d={`M1 4 L 3 8 V ${height - 8} q 0 6 6 6 H ${width - 9} q 6 0 6 -6 V 8 L ${width - 1} 4`} />
        <text x={width / 2} y={height / 2 + 10}>
          {known ? `${percent}%` : "?"}
        </text>
      </svg>
      <figcaption>
        <span>{what}</span>
        <span class="muted">{known ? short(limit) : t("no_limit")}</span>
        {known && share > 0.75 && reset > 0 && <span class="muted">{t("resets_in", { n: Math.ceil(reset) })}</span>}
      </figcaption>
    </figure>
  );
}
