// The conversation in view.
import { useEffect, useRef } from "preact/hooks";
import * as state from "../state";
import { t } from "../strings";
import { Answer, Question } from "./message";
import { TroubleNote } from "./trouble";

function Welcome() {
  return (
    <div class="welcome">
      <h2>{t("welcome")}</h2>
      <p class="muted">{t("welcome_more")}</p>
      <ul>
        {(["example_1", "example_2", "example_3"] as const).map((key) => (
          <li key={key}>
            <button type="button" class="button" onClick={() => void state.ask("", t(key))}>
              {t(key)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Thread() {
  const scroller = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const lastTop = useRef(0);
  const path = state.path.value;
  const last = path.at(-1);
  useEffect(() => {
    follow.current = true;
  }, [state.current.value, path.length]);
  useEffect(() => {
    // Follow the answer, unless the reader has scrolled up.
    if (follow.current) scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  });
  const unanswered = last?.role === "user" && !state.busy.value && !state.trouble.value;
  return (
    <div class="thread" ref={scroller} tabIndex={0} role="region" aria-label={t("conversation")}
      onScroll={(e) => {
        const el = e.currentTarget;
        // Only upwards is the reader's doing: text that grows leaves the place where it is.
        if (el.scrollTop < lastTop.current - 4) follow.current = false;
        if (el.scrollHeight - el.scrollTop - el.clientHeight < 40) follow.current = true;
        lastTop.current = el.scrollTop;
      }}>
      <div class="column">
        {path.length === 0 && !state.busy.value && <Welcome />}
        {path.map((m, i) =>
          m.role === "user" ? (
            <Question key={m.id} message={m} />
          ) : (
            <Answer key={m.id} message={m} last={i === path.length - 1} />
          ),
        )}
        {unanswered && (
          <div class="trouble mild">
            <p>{t("no_answer")}</p>
            <button type="button" class="button" onClick={() => state.regenerate(last)}>
              {t("try_again")}
            </button>
          </div>
        )}
        <TroubleNote />
      </div>
    </div>
  );
}
