// Lists of devices and results, as CSV: read as `muster fleet` reads them, and written as it writes them.

export type CsvProblem =
  | { line: number; what: "fields"; have: number; want: number }
  | { line: number; what: "column"; column: number }
  | { line: number; what: "twice"; column: string }
  | { line: number; what: "quote" | "utf8" | "empty" };

/** Names of settings, one row a device, and each row's line as editors count. */
export type List = { columns: string[]; rows: string[][]; lines: number[] };

type Record = { line: number; fields: string[]; open: boolean };

/** The first line that is no UTF-8, or the text. A mark in front is a spreadsheet's. */
export function decoded(bytes: Uint8Array): string | CsvProblem {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    let line = 1;
    let begin = 0;
    for (let at = 0; at <= bytes.length; at += 1) {
      if (at < bytes.length && bytes[at] !== 10) continue;
      try {
        new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(begin, at));
      } catch {
        return { line, what: "utf8" };
      }
      begin = at + 1;
      line += 1;
    }
    return { line, what: "utf8" };
  }
}

/** A list of devices, or everything that is wrong with it: nothing is skipped. */
export function readList(text: string): { list: List; problems: CsvProblem[] } {
  const list: List = { columns: [], rows: [], lines: [] };
  const problems: CsvProblem[] = [];
  const [header, ...records] = recordsOf(text);
  if (header === undefined) return { list, problems: [{ line: 1, what: "empty" }] };
  if (header.open) return { list, problems: [{ line: header.line, what: "quote" }] };
  list.columns = header.fields;
  header.fields.forEach((name, at) => {
    if (!/^[A-Za-z0-9_]+$/.test(name)) problems.push({ line: header.line, what: "column", column: at + 1 });
    else if (header.fields.indexOf(name) < at) problems.push({ line: header.line, what: "twice", column: name });
  });
  for (const { line, fields, open } of records) {
    if (open) problems.push({ line, what: "quote" });
    else if (fields.length !== header.fields.length) problems.push({ line, what: "fields", have: fields.length, want: header.fields.length });
    list.rows.push(fields);
    list.lines.push(line);
  }
  if (records.length === 0) problems.push({ line: header.line, what: "empty" });
  return { list, problems };
}

/** Lines that are empty are none, and what begins with # is a note. */
function recordsOf(text: string): Record[] {
  const records: Record[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    if (text[at] === "\n" || text[at] === "\r") {
      if (text[at] === "\n") line += 1;
      at += 1;
      continue;
    }
    if (text[at] === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
      continue;
    }
    const record: Record = { line, fields: [], open: false };
    for (;;) {
      let field = "";
      // A quote opens only at a field's beginning.
      if (text[at] === '"') {
        at += 1;
        record.open = true;
        while (at < text.length) {
          if (text[at] === '"') {
            at += 1;
            if (text[at] !== '"') {
              record.open = false;
              break;
            }
          }
          if (text[at] === "\n") line += 1;
          field += text[at];
          at += 1;
        }
      }
      let end = at;
      while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end += 1;
      field += text.slice(at, end);
      at = end;
      record.fields.push(field.trim());
      if (text[at] !== ",") break;
      at += 1;
    }
    records.push(record);
  }
  return records;
}

/** One field; quoted where it has to be. */
function field(text: string): string {
  return /[",\r\n]/.test(text) || text.startsWith("#") || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

export function writeCsv(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, ...rows].map((row) => `${row.map(field).join(",")}\n`).join("");
}
