// Texts of the page that are in Latin letters: of a page in Chinese, what may have been left in English.

/** Names: of firms, products and languages, of protocols, formats and units, of programs and headers, of keys. */
const SAME = new Set(
  `Muster UCloud Alibaba cn-gd UIoT Living Link Core uiot-core esp-idf-nvs-partition-gen curl Node Python GitHub Chromium Luhn Breeze
  WebAssembly WebSocket IndexedDB Worker App token broker wss mqtt mqtts http https ws ping Date Wi-Fi Zigbee hex Base64 blob yyyymmdd ms
  timestamp passwd Esc Enter Home End Del Delete Shift Ctrl Tab`.split(/\s+/),
);
/** Something that is written in capitals, with digits, underscores, dots or capitals within is a name too. */
const isName = (word) => SAME.has(word) || /[0-9_.…&/:=>[]/.test(word) || /[A-Z]{2}/.test(word) || /[a-z][A-Z]/.test(word) || /^[A-Z][A-Za-z]*(-[A-Z][A-Za-z]*)+$/.test(word) || !/[A-Za-z]{2}/.test(word);
/** Parts of sentences: fields of messages and what they may be, an option of a program, a time as a header has it. */
const PARTS = ["“now”", "MQTT over WebSocket", "--relay-ca", "（key、type、encoding、value）", "须有 imei", "须有 cmei", "、code 200（", "success 不为 false", "params 的每个键", "deviceName、random 及", "Sat, 31 Jan 2026 12:00:00 GMT"];
/** Whole texts: the other language, what the clouds call the demo's product and owner, and what is to be typed. */
const TEXTS = [/^English$/, /^Demo( \(a1muster001\))?$/, /^demo( 的家庭)?$/, /^显示 demo (iot|refresh)_token$/, /^留空：default$/, /^默认 (default|wifi)$/];

/** Words in Latin letters of everything that is seen or read out and is not code, and those that are no names. */
export async function latin(page) {
  const all = await page.evaluate((parts) => {
    // The log is in English whatever the page's language is, and says so.
    const CODE = "code, pre, kbd, samp, .mono, textarea, script, style, [lang=en], [translate=no]";
    const isCode = (element) => element.closest(CODE) !== null || /mono/i.test(getComputedStyle(element).fontFamily.split(",")[0] ?? "");
    const found = [];
    const note = (element, where, text) => {
      let rest = text;
      for (const part of parts) rest = rest.replaceAll(part, "");
      // Titles are cited as they are, and so are commands, and a code that a message carries.
      for (const word of rest.replace(/(《[^》]*》|\.md)( ?的“[^”]*”(、“[^”]*”)*)?|^code \d+$|\bmuster [a-z]+( --?[a-z-]+)*/g, "").match(/[A-Za-z0-9_][A-Za-z0-9_.…&'’/:=>[\]-]*[A-Za-z0-9_…\]]|[A-Za-z]{2}/g) ?? []) found.push({ where, word, text: text.slice(0, 160), literal: isLiteral(element, word) });
    };
    /** What a setting may be, with its help that says so; and what stands beside it as code, in the name of its button. */
    const isLiteral = (element, word) =>
      [...(element.closest(".field")?.querySelectorAll("select[data-testid^=setting-] option") ?? [])].some((option) => option.value === word) || [...(element.closest("button")?.closest("dl, tr, li")?.querySelectorAll("code") ?? [])].some((code) => code.textContent.trim() === word);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent.trim();
      if (element === null || text === "" || element.localName === "option" || isCode(element) || !element.checkVisibility()) continue;
      note(element, "text", text);
    }
    // Of a list that is closed only one is seen.
    for (const select of document.querySelectorAll("select")) if (select.checkVisibility() && !isCode(select)) for (const option of select.options) note(select, "option", option.textContent.trim());
    for (const element of document.querySelectorAll("[aria-label], [title], [placeholder]"))
      for (const name of ["aria-label", "title", "placeholder"]) {
        const text = element.getAttribute(name);
        const own = name === "placeholder" ? isCode(element) : element.closest("[lang=en]") !== null;
        if (text !== null && element.checkVisibility() && !own) note(element, name, text);
      }
    return found;
  }, PARTS);
  const left = all.filter(({ word, text, literal }) => !literal && !isName(word) && !TEXTS.some((pattern) => pattern.test(text)));
  return { words: all.length, left: [...new Set(left.map(({ where, word, text }) => `${word}: ${where} “${text}”`))] };
}
