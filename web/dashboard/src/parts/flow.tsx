// The cascade: requests come in at the top, each priority takes its part, and the rest spills over to the next.
// What is refused is said, and why.
import { attempts, backendIn, now, perSecond } from "../state";
import { short, t } from "../strings";
import type { Backend, Frame } from "../types";
import { BackendCard, stateText } from "./backend";
import { BackendTable } from "./backend-table";

/** From so many backends on they are rows of a table. */
const tableFrom = 8;

/** The stream's width in pixels: by the root, so that little can be seen beside much. */
function width(rate: number, most: number): number {
  return rate > 0 && most > 0 ? 3 + 21 * Math.sqrt(Math.min(1, rate / most)) : 0;
}

interface FallProps {
  rate: number;
  most: number;
  spill: boolean;
}

/** The fall from above into one tier. */
function Fall({ rate, most, spill }: FallProps) {
  const wide = width(rate, most);
  const label = spill ? (rate > 0 ? t("spilling", { n: short(rate) }) : t("no_spill")) : t("incoming", { n: short(rate) });
  return (
    <div class={spill ? "fall spill" : "fall"} data-rate={rate}>
      <svg aria-hidden="true" width="32" height="44" viewBox="0 0 32 44">
        <path class="bed" d="M16 0 V 44" />
        {wide > 0 && <path class="stream" d="M16 0 V 44" stroke-width={wide} />}
        {wide > 0 && <path class="drops" d="M16 0 V 44" stroke-width={Math.max(2, wide / 3)} />}
      </svg>
      <p>{label}</p>
    </div>
  );
}

/** How the fall parts to the backends of a tier that stand side by side. */
function Branches({ rates, most, spill }: { rates: number[]; most: number; spill: boolean }) {
  const middle = rates.length * 50;
  return (
    <svg class={spill ? "branches spill" : "branches"} aria-hidden="true" viewBox={`0 0 ${rates.length * 100} 30`}
      preserveAspectRatio="none">
      {rates.map((rate, i) => {
        const path = `M ${middle} 0 C ${middle} 20, ${i * 100 + 50} 6, ${i * 100 + 50} 30`;
        const wide = width(rate, most);
        return (
          <g key={i}>
            <path class="bed" d={path} />
            {wide > 0 && <path class="stream" d={path} stroke-width={wide} />}
            {wide > 0 && <path class="drops" d={path} stroke-width={Math.max(2, wide / 3)} />}
          </g>
        );
      })}
    </svg>
  );
}

const refusals = ["limited", "no_quota", "failed", "refused"] as const;

/** Requests that no backend answered well: how many a second, and why. */
function Refusals() {
  const rates = refusals.map((why) => [why, perSecond((f) => f.totals[why]) ?? 0] as const).filter(([, rate]) => rate > 0);
  if (rates.length === 0) return null;
  const all = rates.reduce((sum, [, rate]) => sum + rate, 0);
  return (
    <p class="refusals" role="status" data-rate={all}>
      <b>{t("turned_away", { n: short(all) })}</b>{" "}
      {rates.map(([why, rate]) => `${t(`why_${why}`)}: ${t("per_second", { n: short(rate) })}`).join(" · ")}
    </p>
  );
}

/** "12 available, 3 out of quota" */
function states(backends: Backend[]): string {
  const counts = new Map<string, number>();
  for (const b of backends) counts.set(stateText(b), (counts.get(stateText(b)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([state, n]) => `${n} ${state}`).join(", ");
}

function answered(f: Frame): number {
  const { served, limited, no_quota, refused, failed, left } = f.totals;
  return served + limited + no_quota + refused + failed + left;
}

export function Flow() {
  const backends = now.value?.backends ?? [];
  const rateOf = (b: Backend) => perSecond((f) => attempts(backendIn(f, b.name))) ?? 0;
  const rates = new Map(backends.map((b) => [b.name, rateOf(b)]));
  const rate = (of: Backend[]) => of.reduce((sum, b) => sum + rates.get(b.name)!, 0);
  const priorities = [...new Set(backends.map((b) => b.priority))].sort((a, b) => a - b);
  // What comes in is what is answered, whether a backend was asked or not.
  const incoming = perSecond(answered) ?? 0;
  const most = Math.max(incoming, rate(backends));
  const asTable = backends.length >= tableFrom;
  return (
    <section aria-labelledby="flow-title">
      <h2 id="flow-title">{t("flow")}</h2>
      {priorities.map((priority, i) => {
        const here = backends.filter((b) => b.priority === priority);
        const down = i === 0 ? incoming : rate(backends.filter((b) => b.priority >= priority));
        return (
          <div class="tier" key={priority} data-priority={priority}>
            <Fall rate={down} most={most} spill={i > 0} />
            {i === 0 && <Refusals />}
            {!asTable && here.length <= 4 && <Branches rates={here.map((b) => rates.get(b.name)!)} most={most} spill={i > 0} />}
            <p class="tier-name">{t("priority", { n: priority })}</p>
            {asTable ? (
              <p class="tier-states">{states(here)} · {t("now_s", { n: short(rate(here)) })}</p>
            ) : (
              <div class={`cards n${Math.min(here.length, 4)}`}>
                {here.map((b) => (
                  <BackendCard key={b.name} backend={b} />
                ))}
              </div>
            )}
          </div>
        );
      })}
      {asTable && <BackendTable backends={backends} rates={rates} />}
    </section>
  );
}
