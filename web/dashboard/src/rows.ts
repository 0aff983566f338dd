// Rows of a table: found, sorted, and as comma-separated values (RFC 4180).

export type Cell = string | number | null;

/** Whether the row has each word of `text` in one of its cells, whatever the case. */
export function found(cells: Cell[], text: string): boolean {
  const whole = cells.filter((c) => typeof c === "string").join("\n").toLocaleLowerCase();
  return text
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => whole.includes(word));
}

const texts = new Intl.Collator(undefined, { numeric: true });

/** Numbers by size, texts as people sort them (r2 before r10); what is not known goes last either way. */
export function compareCells(a: Cell, b: Cell, down: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order =
    typeof a === "number" && typeof b === "number"
      ? a - b
      : texts.compare(String(a), String(b));
  return down ? -order : order;
}

function quoted(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  // A spreadsheet would run what begins like a formula.
  const safe = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csv(rows: Cell[][]): string {
  return rows.map((row) => row.map(quoted).join(",") + "\r\n").join("");
}
