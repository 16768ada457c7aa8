// The Cloud view's texts come with the view: most people never go there, and the first page is small.

import { i18n, type Language } from ".";
import { operator as en } from "./en-cloud";
import { operator as zh } from "./zh-cloud";

export type OperatorTexts = typeof en;

const TEXTS: Record<Language, OperatorTexts> = { en, zh };

/** The operator's texts of the language in use. */
export function o(): OperatorTexts {
  return TEXTS[i18n.language];
}
