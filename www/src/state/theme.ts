import { Store, kept } from "./store";

export type Theme = "light" | "dark" | "system";
export const THEMES: readonly Theme[] = ["light", "dark", "system"];

class ThemeStore extends Store {
  theme: Theme = "system";

  start(): void {
    const stored = kept.get("theme");
    if (stored === "light" || stored === "dark") this.theme = stored;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#apply());
    this.#apply();
  }

  set(theme: Theme): void {
    this.theme = theme;
    kept.set("theme", theme);
    this.#apply();
    this.changed();
  }

  #apply(): void {
    const dark = this.theme === "dark" || (this.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  }
}

export const theme = new ThemeStore();
