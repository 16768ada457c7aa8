// Which rows of a long list are drawn. All rows are of one height, so that a place is a multiplication.

/** So few are all drawn: a browser finds in them, and a screen reader reads them through. */
export const ALL = 200;
/** Drawn beyond what is seen, so that a small step draws nothing. */
const BEYOND = 12;

export type Range = { from: number; to: number };

/** `top`: how far the list is scrolled. `height`: how much of it is seen. */
export function drawn(count: number, rowHeight: number, top: number, height: number): Range {
  if (count <= ALL) return { from: 0, to: count };
  const first = Math.floor(top / rowHeight);
  const seen = Math.ceil(height / rowHeight) + 1;
  const from = Math.max(0, Math.min(first, count - seen) - BEYOND);
  return { from, to: Math.min(count, Math.max(0, first) + seen + BEYOND) };
}

/** Where to scroll so that a row is wholly seen, from where it is now; null: it is. */
export function reveal(index: number, rowHeight: number, top: number, height: number): number | null {
  const begin = index * rowHeight;
  if (begin < top) return begin;
  return begin + rowHeight > top + height ? Math.max(0, begin + rowHeight - height) : null;
}
