// An error as people read it; a 429 counts down to when it is worth trying again.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatDate } from "../../../shared/i18n";
import * as state from "../state";
import { has, t, type TextKey } from "../strings";
import * as turns from "../turns";
import type { Failure } from "../types";

// What the gateway means by its codes (docs/errors.md), where the status alone says something else.
const meanings: Record<string, TextKey> = {
  quota_exceeded: "error_used_up",
  budget_exceeded: "error_used_up",
  insufficient_quota: "error_used_up",
  deployment_not_allowed: "error_not_allowed",
  address_not_allowed: "error_not_allowed",
  request_too_large: "error_too_long",
  no_backend: "error_no_capacity",
  drained: "error_no_capacity",
  timeout: "error_timeout",
};

export function failureText(failure: Failure): string {
  const key = meanings[failure.code ?? ""] ?? `error_${failure.kind}`;
  if (has(key)) return t(key);
  return failure.status && failure.status >= 400 && failure.status < 500 ? failure.message : t("error_server");
}

export function Wait({ until }: { until: number }) {
  const left = () => Math.max(0, Math.ceil((until - Date.now()) / 1000));
  const [seconds, setSeconds] = useState(left());
  useEffect(() => {
    const timer = setInterval(() => setSeconds(left()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return (
    <p class="wait" data-seconds={seconds}>
      {seconds > 300
        ? t("try_again_at", { when: formatDate(until) })
        : seconds > 0 ? t("try_again_in", { n: seconds }) : t("try_again_now")}
    </p>
  );
}

/** A place that is scrolled to and gets the focus when there is something to say in it. */
export function useShown(what: unknown) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!what) return;
    place.current?.scrollIntoView({ block: "nearest" });
    place.current?.focus({ preventScroll: true });
  }, [what]);
  return place;
}

export function TroubleNote() {
  const place = useShown(state.trouble.value);
  const trouble = state.trouble.value;
  if (!trouble || (trouble.conversation !== state.current.value && trouble.conversation !== "")) return null;
  const leaf = state.path.value.at(-1);
  const facts = [trouble.message, trouble.code, trouble.status && `HTTP ${trouble.status}`, trouble.backend,
    trouble.request_id].filter(Boolean); // prettier-ignore
  return (
    <div class="trouble" role="alert" data-kind={trouble.kind} ref={place} tabIndex={-1}>
      <p>
        <strong>{failureText(trouble)}</strong>
      </p>
      {trouble.retry_after_ms !== undefined && <Wait until={trouble.at + trouble.retry_after_ms} />}
      <details>
        <summary>{t("what_happened")}</summary>
        <p class="facts">{facts.join(" · ")}</p>
      </details>
      <div class="row">
        {leaf && (
          <button type="button" class="button" disabled={state.busy.value} onClick={() => turns.regenerate(leaf)}>
            {t("try_again")}
          </button>
        )}
        <button type="button" class="button" onClick={() => (state.trouble.value = null)}>
          {t("dismiss")}
        </button>
      </div>
    </div>
  );
}
