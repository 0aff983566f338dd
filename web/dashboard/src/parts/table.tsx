// A table to be sorted by each of its columns, searched, and taken along as CSV. What was chosen is in the address.
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { formatNumber } from "../../../shared/i18n";
import { choice } from "../address";
import { compareCells, csv, found, type Cell } from "../rows";
import { t } from "../strings";

export interface Column<Row> {
  id: string;
  label: string;
  /** What it is sorted by and what stands in the CSV. */
  value: (row: Row) => Cell;
  /** What is shown, if not the value. */
  show?: (row: Row) => ComponentChildren;
  number?: boolean;
  /** Not sorted by, not in the CSV. */
  plain?: boolean;
}

interface Props<Row> {
  id: string;
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  /** Attributes of a row, its key among them. */
  attributes: (row: Row) => { key: string } & Record<`data-${string}`, string>;
  /** Column sorted by at first: "name", or "-used" for the largest first. */
  sort: string;
  /** Choices beside the search. */
  children?: ComponentChildren;
  /** From so many rows on there is a search. */
  searchFrom?: number;
  /** So many rows are shown at first, and more when asked for. */
  most?: number;
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

export function Table<Row>({ id, label, rows, columns, attributes, sort, children, searchFrom = 8, most = 500 }: Props<Row>) {
  const sorted = choice(`${id}.sort`, sort);
  const search = choice<string>(`${id}.find`, "");
  const down = sorted.value.startsWith("-");
  const by = columns.find((c) => c.id === sorted.value.replace(/^-/, "")) ?? columns[0]!;
  const words = search.value.trim();
  const shown = useMemo(() => {
    const values = columns.filter((c) => !c.plain);
    const kept = words ? rows.filter((row) => found(values.map((c) => c.value(row)), words)) : [...rows];
    return kept.sort((a, b) => compareCells(by.value(a), by.value(b), down));
  }, [rows, words, by.id, down, columns]);
  const [pages, setPages] = useState(1);
  const left = shown.length - pages * most;
  const searched = rows.length >= searchFrom || words !== "";
  return (
    <>
      <div class="row choices">
        {searched && (
          <label class="choice" for={`${id}-find`}>
            {t("find")}
            <input id={`${id}-find`} class="field" type="search" value={search.value}
              onInput={(e) => (search.value = e.currentTarget.value)} />
          </label>
        )}
        {children}
        <span class="muted grow" role="status">
          {words || shown.length !== rows.length ? t("n_of", { n: shown.length, all: rows.length }) : ""}
        </span>
        <button type="button" class="button small"
          onClick={() =>
            save(`spillway-${id}.csv`, csv([
              columns.filter((c) => !c.plain).map((c) => c.label),
              ...shown.map((row) => columns.filter((c) => !c.plain).map((c) => c.value(row))),
            ]))
          }>
          {t("csv")}
        </button>
      </div>
      <div class="table" tabIndex={0} role="group" aria-label={label}>
        <table id={id}>
          <thead>
            <tr>
              {columns.map((c) => (
                <th scope="col" key={c.id} class={c.number ? "number" : undefined}
                  aria-sort={c === by && !c.plain ? (down ? "descending" : "ascending") : undefined}>
                  {c.plain ? (
                    c.label
                  ) : (
                    <button type="button"
                      onClick={() => (sorted.value = c === by ? (down ? c.id : `-${c.id}`) : c.number ? `-${c.id}` : c.id)}>
                      {c.label}
                      <span aria-hidden="true">{c === by ? (down ? " ↓" : " ↑") : ""}</span>
                    </button>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.slice(0, pages * most).map((row) => {
              const { key, ...data } = attributes(row);
              return (
                <tr key={key} {...data}>
                  {columns.map((c, i) => {
                    const content = c.show ? c.show(row) : (c.value(row) ?? "–");
                    return i === 0 ? (
                      <th scope="row" key={c.id}>{content}</th>
                    ) : (
                      <td key={c.id} class={c.number ? "number" : undefined} data-column={c.id}>{content}</td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {left > 0 && (
        <button type="button" class="button small more" onClick={() => setPages(pages + 1)}>
          {t("show_more", { n: Math.min(left, most), left: formatNumber(left) })}
        </button>
      )}
    </>
  );
}
