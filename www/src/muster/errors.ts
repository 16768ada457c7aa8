// Errors as classes with a code. The Worker sends them as plain data, because a class does not survive the crossing.

/** Something that was refused, with the next move where there is one. Code `misuse`: what was passed in; `data.key`. */
export class MusterError extends Error {
  override readonly name: string = "MusterError";
  constructor(
    readonly code: string,
    message: string,
    /** What to do about it. */
    readonly next?: string,
    /** More, by the code. */
    readonly data?: unknown,
  ) {
    super(message);
  }
}

/** A setting that is missing, unknown or out of range. Code `config`. */
export class SettingsError extends MusterError {
  override readonly name = "SettingsError";
  get key(): string {
    return field(this.data, "key");
  }
  get problem(): string {
    return field(this.data, "problem");
  }
}

/** The operator's cloud said no. Codes `not_found`, `exists`, `invalid`, `full`, `unsupported`. */
export class CloudRefused extends MusterError {
  override readonly name = "CloudRefused";
}

/** A call of the owner's app came to nothing. Code `call_failed`; `data` is the core's `Error`. */
export class CallFailed extends MusterError {
  override readonly name = "CallFailed";
}

/** The browser's storage did not keep something, or another tab holds it. Codes `storage`, `in_use`, `stored_…`. */
export class StorageError extends MusterError {
  override readonly name = "StorageError";
}

/** The WebAssembly instance has died; everything of it is over. */
export class MusterDied extends Error {
  override readonly name = "MusterDied";
}

/** An error on its way between page and Worker. */
export type PlainError = { code: string; message: string; next?: string; data?: unknown };

export function toPlain(error: unknown): PlainError {
  if (typeof error === "object" && error !== null && "code" in error && "message" in error) {
    const { code, message, next, data } = error as Record<string, unknown>;
    const plain: PlainError = { code: String(code), message: String(message) };
    if (typeof next === "string") plain.next = next;
    if (data !== undefined && data !== null) plain.data = data;
    return plain;
  }
  return { code: "misuse", message: error instanceof Error ? error.message : String(error) };
}

export function fromPlain({ code, message, next, data }: PlainError): MusterError {
  return new (classOf(code))(code, message, next, data);
}

function classOf(code: string): typeof MusterError {
  if (code === "config") return SettingsError;
  if (code === "call_failed") return CallFailed;
  if (code === "storage" || code === "in_use" || code.startsWith("stored_")) return StorageError;
  if (["not_found", "exists", "invalid", "full", "unsupported"].includes(code)) return CloudRefused;
  return MusterError;
}

function field(data: unknown, name: string): string {
  const value = typeof data === "object" && data !== null ? (data as Record<string, unknown>)[name] : undefined;
  return typeof value === "string" ? value : "";
}
