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

/** Of a kept version: when it began to answer; null: it never did, and no page is of it. */
export type Kept = { name: string; since: number | null };

/** Which of the kept versions may go: this one stays, and the one that answered before it, whose pages may still be open. */
export function outdated(versions: readonly Kept[], own: string): string[] {
  const others = versions.filter(({ name }) => name.startsWith(CACHE) && name !== own);
  const before = others.reduce<Kept | null>((last, one) => ((one.since ?? 0) > (last?.since ?? 0) ? one : last), null);
  return others.filter((one) => one !== before).map(({ name }) => name);
}
