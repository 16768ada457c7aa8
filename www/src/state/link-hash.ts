/** What a link that carries profiles begins with: all that the first page has to know of links. */
export const ROUTE = "#/open/";

export function isLink(hash: string): boolean {
  return hash.startsWith(ROUTE);
}
