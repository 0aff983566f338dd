// The cascade: requests come in at the top, each priority takes its part, and the rest spills over to the next.
import { attempts, backendIn, now, perSecond } from "../state";
import { short, t } from "../strings";
import type { Backend } from "../types";
import { BackendCard } from "./backend";

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

export function Flow() {
  const backends = now.value?.backends ?? [];
  const rateOf = (b: Backend) => perSecond((f) => attempts(backendIn(f, b.name))) ?? 0;
  const priorities = [...new Set(backends.map((b) => b.priority))].sort((a, b) => a - b);
  const total = backends.reduce((sum, b) => sum + rateOf(b), 0);
  return (
    <section aria-labelledby="flow-title">
      <h2 id="flow-title">{t("flow")}</h2>
      {priorities.map((priority, i) => {
        const here = backends.filter((b) => b.priority === priority);
        const down = backends.filter((b) => b.priority >= priority).reduce((sum, b) => sum + rateOf(b), 0);
        return (
          <div class="tier" key={priority} data-priority={priority}>
            <Fall rate={down} most={total} spill={i > 0} />
            {here.length <= 4 && <Branches rates={here.map(rateOf)} most={total} spill={i > 0} />}
            <p class="tier-name">{t("priority", { n: priority })}</p>
            <div class={`cards n${Math.min(here.length, 4)}`}>
              {here.map((b) => (
                <BackendCard key={b.name} backend={b} />
              ))}
            </div>
          </div>
        );
      })}
    </section>
  );
}
