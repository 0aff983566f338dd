// Beside the conversation: a source opened at its place, or how an answer came about.
import { Fragment } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatNumber } from "../../../shared/i18n";
import { api } from "../api";
import { placeText } from "../markdown";
import * as state from "../state";
import { has, t } from "../strings";
import type { Message, Source, Step } from "../types";
import { IconButton } from "./icons";

/** The page's text with the cited pieces marked. */
function marked(text: string, pieces: string[]) {
  const spots = pieces
    .map((piece) => ({ at: text.indexOf(piece), length: piece.length }))
    .filter((s) => s.at >= 0 && s.length > 0)
    .sort((a, b) => a.at - b.at);
  const out = [];
  let done = 0;
  for (const spot of spots) {
    const begin = Math.max(spot.at, done);
    const end = spot.at + spot.length;
    if (end <= done) continue;
    out.push(text.slice(done, begin), <mark>{text.slice(begin, end)}</mark>);
    done = end;
  }
  out.push(text.slice(done));
  return out;
}

function SourceView({ source }: { source: Source }) {
  const [page, setPage] = useState(source.page);
  const [text, setText] = useState<string | null>(null);
  const [gone, setGone] = useState(false);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => setPage(source.page), [source]);
  useEffect(() => {
    let late = false;
    setGone(false);
    api
      .pageText(source.document, page)
      .then((got) => late || setText(got))
      .catch(() => late || setGone(true));
    return () => {
      late = true;
    };
  }, [source, page]);
  useEffect(() => {
    body.current?.querySelector("mark")?.scrollIntoView({ block: "center" });
  }, [text]);
  const document = state.documents.value.find((d) => d.id === source.document);
  if (gone) return <p>{t("document_gone")}</p>;
  const place = page > 0 ? t("page_n", { n: page }) : placeText(source);
  const address = `api/documents/${source.document}/content${page > 0 ? `#page=${page}` : ""}`;
  return (
    <>
      <div class="row source-head">
        <h3>
          {source.name}
          <span class="muted">, {place}</span>
        </h3>
        {page > 0 && (
          <span class="row">
            <IconButton icon="left" class="small" label={t("previous_page")} disabled={page <= 1}
              onClick={() => setPage(page - 1)} />
            <IconButton icon="right" class="small" label={t("next_page")} disabled={page >= (document?.pages ?? page)}
              onClick={() => setPage(page + 1)} />
          </span>
        )}
        <a class="button" href={address} target="_blank" rel="noopener">
          {t("open_file")}
        </a>
      </div>
      <div class="page-text" ref={body} tabIndex={0} role="region" aria-label={`${source.name}, ${place}`}>
        {text === null ? t("loading") : marked(text, page === source.page ? source.texts : [])}
      </div>
    </>
  );
}

function StepView({ step }: { step: Step }) {
  if (step.kind === "search")
    return (
      <li>
        <h3>{t("step_search")}</h3>
        <p>
          “{step.question}”
          <br />
          {step.by_meaning ? t("step_search_by", { model: step.model }) : t("step_search_words")} · {step.ms} ms
        </p>
        {step.context && <p class="muted">{t("step_context", { text: step.context })}</p>}
        {step.trouble && <p class="note bad">{t("step_trouble", { why: step.trouble })}</p>}
        {step.results.length === 0 && <p>{t("step_nothing")}</p>}
        <ol class="hits">
          {step.results.map((s) => (
            <li key={s.marker}>
              <button type="button" class="button source" onClick={() => (state.panel.value = { kind: "source", source: s })}>
                {s.name}, {placeText(s)}
              </button>
              <span class="muted">
                {s.word_rank > 0 && ` ${t("step_rank_word", { n: s.word_rank })}`}
                {s.vector_rank > 0 &&
                  ` ${t("step_rank_vector", { n: s.vector_rank, similarity: s.similarity.toFixed(2) })}`}
              </span>
              <p class="excerpt">{s.texts[0]}</p>
            </li>
          ))}
        </ol>
      </li>
    );
  if (step.kind === "prompt")
    return (
      <li>
        <h3>{t("step_prompt")}</h3>
        {step.messages.map((m, i) => {
          const key = `role_${m.role}`;
          return (
            <Fragment key={i}>
              {i > 0 && step.history ? <p class="muted">{t("step_history", { n: step.history })}</p> : null}
              <details open={i === step.messages.length - 1}>
                <summary>{has(key) ? t(key) : m.role}</summary>
                <pre tabIndex={0}>{m.content}</pre>
              </details>
            </Fragment>
          );
        })}
      </li>
    );
  return (
    <li>
      <h3>{t("step_retry")}</h3>
      <p>
        {t("step_retry_more", { backend: step.error.backend || "?", n: step.shown, why: step.error.message })}
      </p>
    </li>
  );
}

function Thoughts({ message }: { message: Message }) {
  const d = message.details;
  const seconds = (ms = 0) => (ms / 1000).toFixed(1);
  const facts: [string, string][] = [];
  if (d.backend) facts.push([t("fact_backend"), d.backend]);
  if (d.attempts) facts.push([t("fact_attempts"), String(d.attempts)]);
  if (d.model) facts.push([t("fact_model"), d.model]);
  if (d.usage) {
    const { prompt, completion } = d.usage;
    facts.push([t("fact_tokens"),
      t("fact_tokens_value", { prompt: formatNumber(prompt), completion: formatNumber(completion) })]); // prettier-ignore
  }
  if (d.total_ms)
    facts.push([t("fact_time"), t("fact_time_value", { first: seconds(d.first_ms), total: seconds(d.total_ms) })]);
  if (d.request_id) facts.push([t("fact_request"), d.request_id]);
  return (
    <ol class="steps">
      {(d.steps ?? []).map((step, i) => (
        <StepView key={i} step={step} />
      ))}
      {facts.length > 0 && (
        <li>
          <h3>{t("step_answer")}</h3>
          <dl class="facts-list">
            {facts.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </li>
      )}
    </ol>
  );
}

export function SidePanel() {
  const panel = state.panel.value;
  const element = useRef<HTMLElement>(null);
  const before = useRef<Element | null>(null);
  const isOpen = panel !== null;
  useEffect(() => {
    if (!isOpen) return;
    before.current = document.activeElement;
    element.current?.querySelector<HTMLElement>("h2")?.focus();
    return () => {
      if (before.current instanceof HTMLElement && before.current.isConnected) before.current.focus();
    };
  }, [isOpen]);
  if (!panel) return null;
  const message = panel.kind === "thoughts" ? state.messages.value.find((m) => m.id === panel.message) : undefined;
  return (
    <aside class="panel" ref={element} aria-labelledby="panel-title">
      <div class="row panel-head">
        <h2 id="panel-title" tabIndex={-1}>
          {panel.kind === "source" ? t("source") : t("thoughts")}
        </h2>
        <IconButton icon="close" label={t("close")} onClick={() => (state.panel.value = null)} />
      </div>
      <div class="panel-body">
        {panel.kind === "source" ? <SourceView source={panel.source} /> : message && <Thoughts message={message} />}
      </div>
    </aside>
  );
}
