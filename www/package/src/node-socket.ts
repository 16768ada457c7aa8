// A WebSocket with the manners of a page's, around the one that Node has or the one of `ws`.
//
// The core's driver gives a socket up by dispatching a close event to it, after which it hears no more. Neither does
// `ws` dispatch events that others made, nor has every Node a `CloseEvent`. And with `ws`, an error that nobody listens
// to ends the program.

type Inner = {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly extensions: string;
  readonly protocol: string;
  readonly url: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: (() => void) | null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null;
  send(data: unknown): void;
  close(code?: number, reason?: string): void;
};
export type InnerClass = new (url: string, protocols?: string | string[]) => Inner;

class Close extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  constructor(type: string, { code = 0, reason = "", wasClean = false }: { code?: number; reason?: string; wasClean?: boolean } = {}) {
    super(type);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}

/** Makes the class; also gives this thread a `CloseEvent` if it has none. */
export function socketAround(Inner: InnerClass): unknown {
  (globalThis as { CloseEvent?: unknown }).CloseEvent ??= Close;
  return class extends EventTarget {
    readonly #inner: Inner;

    constructor(url: string, protocols?: string | string[]) {
      super();
      const inner = new Inner(url, protocols);
      inner.binaryType = "arraybuffer";
      inner.onopen = () => this.dispatchEvent(new Event("open"));
      inner.onmessage = ({ data }) => this.dispatchEvent(new MessageEvent("message", { data }));
      inner.onerror = () => this.dispatchEvent(new Event("error"));
      inner.onclose = ({ code, reason, wasClean }) => this.dispatchEvent(new Close("close", { code, reason, wasClean }));
      this.#inner = inner;
    }

    get binaryType(): string {
      return this.#inner.binaryType;
    }
    set binaryType(type: string) {
      this.#inner.binaryType = type;
    }
    get readyState(): number {
      return this.#inner.readyState;
    }
    get bufferedAmount(): number {
      return this.#inner.bufferedAmount;
    }
    get extensions(): string {
      return this.#inner.extensions;
    }
    get protocol(): string {
      return this.#inner.protocol;
    }
    get url(): string {
      return this.#inner.url;
    }
    send(data: unknown): void {
      this.#inner.send(data);
    }
    close(code?: number, reason?: string): void {
      this.#inner.close(code, reason);
    }
  };
}
