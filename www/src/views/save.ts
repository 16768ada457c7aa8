/** Hands a file to the person. */
export function saveFile(name: string, type: string, parts: BlobPart[]): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A name that every file system takes. */
export function fileName(text: string, end: string): string {
  return `${text.replace(/[^\w.-]+/g, "_").replace(/^[._]+|_+$/g, "") || "muster"}.${end}`;
}

/** 20260102T030405, for names of files. */
export function stamp(now: Date): string {
  return now.toISOString().slice(0, 19).replace(/[-:]/g, "");
}
