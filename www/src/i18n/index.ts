import { Store, kept } from "../state/store";
import type { Both } from "../state/settings";
import type { Dict } from "./en";

export type Language = "en" | "zh";
export const LANGUAGES: readonly Language[] = ["en", "zh"];

/** A page is read in one language: the other one is fetched when somebody asks for it. */
const DICTS: Record<Language, () => Promise<Dict>> = {
  en: async () => (await import("./en")).en,
  zh: async () => (await import("./zh")).zh,
};

class I18n extends Store {
  language: Language = "en";
  readonly #loaded: Partial<Record<Language, Dict>> = {};
  #wanted: Language = "en";

  /** Nothing has a text before this is done. */
  async start(): Promise<void> {
    const stored = kept.get("lang");
    const wanted = stored ?? navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag)) ?? "en";
    const language = /^zh/i.test(wanted) ? "zh" : "en";
    await this.load(language);
    this.#use(language);
  }

  /** At once, if it is here; otherwise when it has come, unless the person has changed their mind by then. */
  set(language: Language): void {
    kept.set("lang", language);
    this.#wanted = language;
    const turn = () => {
      if (this.#wanted !== language) return;
      this.#use(language);
      this.changed();
    };
    if (this.#loaded[language] !== undefined) turn();
    else void this.load(language).then(turn, () => {});
  }

  async load(language: Language): Promise<void> {
    this.#loaded[language] ??= await DICTS[language]();
  }

  get dict(): Dict {
    const dict = this.#loaded[this.language];
    if (dict === undefined) throw new Error("there is no text before start()");
    return dict;
  }

  #use(language: Language): void {
    this.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }
}

export const i18n = new I18n();

/** The dictionary of the language in use. */
export function t(): Dict {
  return i18n.dict;
}

/** The text of the language in use. */
export function say(both: Both): string {
  return both[i18n.language];
}

/** A time of day, by the wall clock of this machine. */
export function clockText(unix: number): string {
  return new Date(unix).toLocaleTimeString(i18n.language === "zh" ? "zh-CN" : "en-GB", { hour12: false });
}

/** Date and time of day. */
export function dateText(unix: number): string {
  return new Date(unix).toLocaleString(i18n.language === "zh" ? "zh-CN" : "en-GB", { hour12: false });
}

/** A stretch of time as people say it. Number and unit stay on one line. */
export function waitText(ms: number): string {
  const zhText = i18n.language === "zh";
  const unit = (n: number, enUnit: string, zhUnit: string) => `${n}\u00a0${zhText ? zhUnit : enUnit}`;
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return unit(seconds, "s", "秒");
  if (seconds < 600) return `${unit(Math.floor(seconds / 60), "min", "分")} ${unit(seconds % 60, "s", "秒")}`;
  if (seconds < 7_200) return unit(Math.floor(seconds / 60), "min", "分钟");
  if (seconds < 172_800) return `${unit(Math.floor(seconds / 3_600), "h", "小时")} ${unit(Math.floor((seconds % 3_600) / 60), "min", "分")}`;
  return unit(Math.floor(seconds / 86_400), "days", "天");
}
