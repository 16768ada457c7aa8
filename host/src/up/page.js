"use strict";
(() => {
  const root = document.documentElement;
  const toast = document.querySelector(".toast");
  const words = { en: { copied: "Copied", failed: "Copying was refused: select the text" }, zh: { copied: "已复制", failed: "浏览器拒绝复制，请手动选择文本" } };
  let timer;
  const say = (key) => {
    toast.textContent = words[root.dataset.lang][key];
    toast.classList.add("on");
    clearTimeout(timer);
    timer = setTimeout(() => toast.classList.remove("on"), 1600);
  };
  // Storage may be switched off; then a choice lasts as long as the page.
  const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* not kept */ } };
  const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const mark = () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const theme = root.dataset.theme ?? (dark ? "dark" : "light");
    for (const b of document.querySelectorAll("[data-set-lang]")) b.setAttribute("aria-pressed", String(b.dataset.setLang === root.dataset.lang));
    for (const b of document.querySelectorAll("[data-set-theme]")) b.setAttribute("aria-pressed", String(b.dataset.setTheme === theme));
  };
  const setLang = (lang) => { root.dataset.lang = lang; root.lang = lang === "zh" ? "zh-CN" : "en"; mark(); };
  const setTheme = (theme) => { root.dataset.theme = theme; mark(); };
  if (["en", "zh"].includes(kept("muster.lang"))) setLang(kept("muster.lang"));
  if (["light", "dark"].includes(kept("muster.theme"))) setTheme(kept("muster.theme"));
  mark();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", mark);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { copy, setLang: lang, setTheme: theme } = button.dataset;
    if (lang) { setLang(lang); keep("muster.lang", lang); }
    if (theme) { setTheme(theme); keep("muster.theme", theme); }
    if (copy !== undefined) navigator.clipboard.writeText(copy).then(() => say("copied"), () => say("failed"));
    if (button.classList.contains("show")) {
      const secret = button.parentElement.querySelector(".secret");
      const shown = button.getAttribute("aria-pressed") === "true";
      secret.textContent = shown ? "••••••••" : secret.dataset.secret;
      button.setAttribute("aria-pressed", String(!shown));
      const [en, zh] = shown ? ["Show", "显示"] : ["Hide", "隐藏"];
      button.querySelector(".en").textContent = en;
      button.querySelector(".zh").textContent = zh;
    }
  });
})();
