// What the service worker does with a request. It keeps the page itself, for times without its server, and nothing
// else: neither what the clouds are asked nor what they answer.

/** `page`: the network, else what is kept. `file`: what is kept, its name tells contents apart. `leave`: not its matter. */
export type Way = "page" | "file" | "old" | "leave";

export type Asked = { method: string; mode: string; url: string };

/** `files`: the paths of this version's files. */
export function wayOf({ method, mode, url }: Asked, origin: string, files: ReadonlySet<string>): Way {
  const { origin: whose, pathname, search } = new URL(url);
  if (method !== "GET" || whose !== origin) return "leave";
  if (mode === "navigate") return pathname === "/" ? "page" : "leave";
  if (search !== "") return "leave";
  if (pathname !== "/" && files.has(pathname)) return "file";
  // Of a version before, whose page is still open somewhere.
  return pathname.startsWith("/console/assets/") ? "old" : "leave";
}

export const CACHE = "muster-console-";

/** Which of the kept versions may go: this one stays, and the one before it, whose pages may still be open. */
export function outdated(names: readonly string[], own: string): string[] {
  const before = names.filter((name) => name.startsWith(CACHE) && name !== own);
  return before.slice(0, -1);
}
