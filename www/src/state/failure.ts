/** A failure of the API: `code` is for programs, `next` the next move; see MusterError of src/muster. */
export type Refusal = { code: string; message: string; next: string | null; key: string | null };

export function refusal(error: unknown): Refusal {
  const value = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof value[name] === "string" && value[name] !== "" ? (value[name] as string) : null);
  return {
    code: text("code") ?? "",
    message: text("message") ?? String(error),
    next: text("next"),
    key: text("key"),
  };
}
