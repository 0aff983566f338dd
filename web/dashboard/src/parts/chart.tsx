// A chart over time: stacked areas or bars, or lines, drawn here, so that no library is needed.
import { useState } from "preact/hooks";
import { language } from "../../../shared/i18n";
import { short, t } from "../strings";

export interface Series {
  name: string;
  /** One for each of the times; null where nothing is known. */
  values: (number | null)[];
}
interface Props {
  title: string;
  series: Series[];
  /** Unix milliseconds, rising. */
  times: number[];
  stacked?: boolean;
  /** Of a bar, in milliseconds: each value is the sum of so long, and stacked. */
  bars?: number;
  /** Shows the date besides the time of day. */
  days?: boolean;
}

const width = 600;
const height = 150;

/** The next of 1, 2, 5, 10, 20, … */
function rounded(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= most * 0.999)!;
}

export function Chart({ title, series, times, stacked = false, bars = 0, days = false }: Props) {
  const [hover, setHover] = useState<number | null>(null);
  const empty = times.length < 2 || !series.some((s) => s.values.some((v) => v !== null && v > 0));
  const tops = times.map((_, i) =>
    stacked || bars > 0
      ? series.reduce((sum, s) => sum + (s.values[i] ?? 0), 0)
      : Math.max(0, ...series.map((s) => s.values[i] ?? 0)),
  );
  const most = rounded(Math.max(0, ...tops));
  const first = times[0] ?? 0;
  const last = (times[times.length - 1] ?? 1) + bars;
  const x = (i: number) => ((times[i]! - first) / Math.max(1, last - first)) * width;
  const y = (v: number) => height - (v / most) * height;
  const at = hover !== null && hover < times.length ? hover : times.length - 1;
  const clock = new Intl.DateTimeFormat(language.value, {
    ...(days ? { month: "short", day: "numeric" } : {}),
    hour: "2-digit",
    minute: "2-digit",
    ...(last - first < 600_000 ? { second: "2-digit" } : {}),
  });

  const base = times.map(() => 0);
  const shapes = series.map((s, n) => {
    if (!stacked && bars === 0) {
      let d = "";
      let pen = false;
      s.values.forEach((v, i) => {
        if (v === null) pen = false;
        else {
          // A value alone between two that are not known is a dot: a line of no length with round ends.
          d += `${pen ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}${pen ? "" : "h0"}`;
          pen = true;
        }
      });
      return <path key={s.name} class={`line s${n % 8}`} d={d} />;
    }
    const lower = [...base];
    s.values.forEach((v, i) => (base[i]! += v ?? 0));
    if (bars > 0) {
      const wide = Math.max(1, (bars / Math.max(1, last - first)) * width - 1);
      const d = s.values
        .map((v, i) => (v ? `M${x(i).toFixed(1)} ${y(base[i]!).toFixed(1)}h${wide.toFixed(1)}V${y(lower[i]!).toFixed(1)}h-${wide.toFixed(1)}Z` : ""))
        .join("");
      return <path key={s.name} class={`area s${n % 8}`} d={d} />;
    }
    const up = times.map((_, i) => `${x(i).toFixed(1)} ${y(base[i]!).toFixed(1)}`);
    const back = times.map((_, i) => `${x(i).toFixed(1)} ${y(lower[i]!).toFixed(1)}`).reverse();
    return <path key={s.name} class={`area s${n % 8}`} d={`M${up.join("L")}L${back.join("L")}Z`} />;
  });

  const spoken = series.map((s) => `${s.name} ${short(s.values[times.length - 1])}`).join(", ");
  return (
    <figure class="chart card">
      <figcaption>{title}</figcaption>
      {empty ? (
        <p class="muted empty">{t("nothing_yet")}</p>
      ) : (
        <>
          <div class="plot">
            <span class="scale top">{short(most)}</span>
            <span class="scale bottom">0</span>
            <svg role="img" aria-label={`${title}: ${spoken}`} viewBox={`0 0 ${width} ${height}`}
              preserveAspectRatio="none"
              onPointerMove={(e) => {
                const box = e.currentTarget.getBoundingClientRect();
                const wanted = first + ((e.clientX - box.left) / box.width) * (last - first);
                let best = 0;
                times.forEach((time, i) => {
                  if (Math.abs(time - wanted) < Math.abs(times[best]! - wanted)) best = i;
                });
                setHover(best);
              }}
              onPointerLeave={() => setHover(null)}>
              <path class="grid" d={`M0 .5H${width}M0 ${height / 2}H${width}M0 ${height - 0.5}H${width}`} />
              {shapes}
              {hover !== null && <path class="cursor" d={`M${x(at)} 0V${height}`} />}
            </svg>
            <div class="whens">
              <span>{clock.format(first)}</span>
              <span>{clock.format(hover === null ? last : times[at]!)}</span>
            </div>
          </div>
          <ul class="legend">
            {series.map((s, n) => (
              <li key={s.name}>
                <span class={`swatch s${n % 8}`} aria-hidden="true" />
                {s.name} <b>{short(s.values[at])}</b>
              </li>
            ))}
          </ul>
        </>
      )}
    </figure>
  );
}
