// The conversation in view.
import { useEffect, useRef, useState } from "preact/hooks";
import { setDraft, setUnsent, unsent, type Unsent } from "../drafts";
import * as state from "../state";
import { t } from "../strings";
import * as turns from "../turns";
import { Icon } from "./icons";
import { Answer, Question } from "./message";
import { focusQuestion } from "./sidebar";
import { failureText, TroubleNote, useShown, Wait } from "./trouble";

function Welcome() {
  return (
    <div class="welcome">
      <h2>{t("welcome")}</h2>
      <p class="muted">{t("welcome_more")}</p>
      <ul>
        {(["example_1", "example_2", "example_3"] as const).map((key) => (
          <li key={key}>
            <button type="button" class="button" onClick={() => void turns.ask("", t(key))}>
              {t(key)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** A question that is on its way, or did not get there: nothing that was written is lost. */
function NotSent({ one }: { one: Unsent }) {
  const id = state.current.value;
  const place = useShown(one.failure);
  const failure = one.failure;
  const lost = failure?.kind === "gone" || failure?.kind === "not_yours";
  return (
    <article class="message question" aria-label={t("you")} data-state={failure ? "unsent" : "sending"}>
      <div class="bubble" dir="auto">
        {one.text}
      </div>
      {failure && (
        <div class="trouble" role="alert" data-kind={failure.kind} ref={place} tabIndex={-1}>
          <p>
            <strong>{t("not_sent")}</strong> {failureText(failure)}
          </p>
          {failure.retry_after_ms !== undefined && <Wait until={Date.now() + failure.retry_after_ms} />}
          <div class="row">
            <button type="button" class="button" disabled={state.busy.value}
              onClick={lost ? turns.sendInNew : turns.sendAgain}>
              {t(lost ? "send_in_new" : "send_again")}
            </button>
            <button type="button" class="button"
              onClick={() => {
                setDraft(id, one.text);
                setUnsent(id, undefined);
                focusQuestion();
              }}>
              {t("edit_text")}
            </button>
            <button type="button" class="button"
              onClick={() => {
                setUnsent(id, undefined);
                focusQuestion();
              }}>
              {t("discard")}
            </button>
          </div>
        </div>
      )}
    </article>
  );
}

export function Thread() {
  const [away, setAway] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const column = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const lastTop = useRef(0);
  const lastHeight = useRef(0);
  const path = state.path.value;
  const last = path.at(-1);
  const waiting = unsent.value[state.current.value];
  /** Follow the answer, or stay where the reader has scrolled up to, whatever gets its real height above. */
  const setFollow = (on: boolean) => {
    follow.current = on;
    scroller.current!.style.overflowAnchor = on ? "none" : "auto";
  };
  const seen = () => {
    lastTop.current = scroller.current!.scrollTop;
    lastHeight.current = scroller.current!.scrollHeight;
  };
  const toEnd = () => {
    scroller.current!.scrollTo({ top: scroller.current!.scrollHeight });
    seen();
  };
  useEffect(() => {
    setFollow(true);
    toEnd();
  }, [state.current.value, path.length, waiting]);
  useEffect(() => {
    const observer = new ResizeObserver(() => follow.current && toEnd());
    observer.observe(column.current!);
    observer.observe(scroller.current!);
    return () => observer.disconnect();
  }, []);
  const unanswered = !waiting && last?.role === "user" && !state.busy.value && !state.trouble.value;
  return (
    <div class="thread-frame">
      <div class="thread" ref={scroller} tabIndex={0} role="region" aria-label={t("conversation")}
        onScroll={(e) => {
          const el = e.currentTarget;
          // Only upwards is the reader's doing: text that grows leaves the place where it is,
          // and what gets shorter moves it, too.
          if (el.scrollTop < lastTop.current - 4 && el.scrollHeight >= lastHeight.current) setFollow(false);
          if (el.scrollHeight - el.scrollTop - el.clientHeight < 40) setFollow(true);
          seen();
          setAway(!follow.current && el.scrollHeight - el.scrollTop - el.clientHeight > 200);
        }}>
        <div class="column" ref={column}>
          {path.length === 0 && !waiting && !state.busy.value && <Welcome />}
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
              <button type="button" class="button" onClick={() => turns.regenerate(last)}>
                {t("try_again")}
              </button>
            </div>
          )}
          {waiting && <NotSent one={waiting} />}
          <TroubleNote />
        </div>
      </div>
      {away && (
        <button type="button" class="button to-end"
          onClick={() => {
            setFollow(true);
            scroller.current!.scrollTo({ top: scroller.current!.scrollHeight, behavior: "smooth" });
            setAway(false);
          }}>
          <Icon name="down" />
          {t("to_end")}
        </button>
      )}
    </div>
  );
}
