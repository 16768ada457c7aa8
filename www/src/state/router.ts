import { Store } from "./store";

export type View = "devices" | "fleet" | "cloud" | "bind" | "tools";
export const VIEWS: readonly View[] = ["devices", "fleet", "cloud", "bind", "tools"];

export type Route = { view: View; rest: string[]; query: Record<string, string> };

/** `#/cloud/ucloud?product=p` is view `cloud`, rest `["ucloud"]`, query `{product: "p"}`. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", ...rest] = path.split("/").map(decode).filter((part) => part !== "");
  const view = VIEWS.find((name) => name === first) ?? "devices";
  return { view, rest, query: Object.fromEntries(new URLSearchParams(search)) };
}

export function formatRoute(view: View, rest: readonly string[] = [], query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${[view, ...rest].map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

class Router extends Store {
  route: Route = parseRoute("");

  start(): void {
    const read = () => {
      this.route = parseRoute(location.hash);
      this.changed();
    };
    addEventListener("hashchange", read);
    read();
  }

  go(view: View, rest: readonly string[] = [], query: Record<string, string> = {}): void {
    location.hash = formatRoute(view, rest, query);
  }
}

export const router = new Router();
