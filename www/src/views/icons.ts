import { html, svg, type TemplateResult } from "lit";

// Drawn here, so that nothing has to be fetched. They say nothing that a text beside them does not say.
const PATHS = {
  devices: svg`<rect x="6" y="3" width="12" height="18" rx="2"/><path d="M10 18h4"/>`,
  fleet: svg`<rect x="3" y="3" width="5" height="8" rx="1"/><rect x="9.500" y="3" width="5" height="8" rx="1"/><rect x="16" y="3" width="5" height="8" rx="1"/><rect x="3" y="13" width="5" height="8" rx="1"/><rect x="9.500" y="13" width="5" height="8" rx="1"/><rect x="16" y="13" width="5" height="8" rx="1"/>`,
  cloud: svg`<path d="M7 18a4 4 0 0 1 0-8 6 6 0 0 1 11.5 1.5A3.5 3.5 0 0 1 18 18z"/>`,
  bind: svg`<path d="M10 14a4.5 4.5 0 0 0 6.4 0l3-3a4.5 4.5 0 0 0-6.4-6.4L11.5 6M14 10a4.5 4.5 0 0 0-6.4 0l-3 3a4.5 4.5 0 0 0 6.4 6.4l1.5-1.4"/>`,
  tools: svg`<rect x="4" y="3" width="16" height="18" rx="2"/><path d="M8 7h8M8 12h.01M12 12h.01M16 12h.01M8 16.5h.01M12 16.5h.01M16 16.5h.01"/>`,
  light: svg`<circle cx="12" cy="12" r="4"/><path d="M12 2v2m0 16v2M4.9 4.9l1.4 1.4m11.4 11.4 1.4 1.4M2 12h2m16 0h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4"/>`,
  dark: svg`<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>`,
  system: svg`<rect x="3" y="4" width="18" height="13" rx="2"/><path d="M9 21h6m-3-4v4"/>`,
  keyboard: svg`<rect x="2.5" y="6" width="19" height="12" rx="2"/><path d="M6.5 10h.01M10 10h.01M13.5 10h.01M17 10h.01M8 14h8"/>`,
  close: svg`<path d="M6 6l12 12M18 6 6 18"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  check: svg`<path d="M5 12.5l4.5 4.5L19 7.5"/>`,
  alert: svg`<path d="M12 4 2.8 20h18.400z"/><path d="M12 10v4m0 3h.01"/>`,
  list: svg`<path d="M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01"/>`,
  copy: svg`<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15V6a2 2 0 0 1 2-2h8"/>`,
  gear: svg`<path d="M4 7h9m4 0h3M4 17h3m4 0h9"/><circle cx="15" cy="7" r="2"/><circle cx="9" cy="17" r="2"/>`,
  up: svg`<path d="M6 15l6-6 6 6"/>`,
  down: svg`<path d="M6 9l6 6 6-6"/>`,
  chevron: svg`<path d="M9 6l6 6-6 6"/>`,
  play: svg`<path d="M7 5v14l12-7z"/>`,
  trash: svg`<path d="M4 7h16M10 4h4m-7 3 1 13h8l1-13"/>`,
  key: svg`<circle cx="8" cy="15" r="4"/><path d="M11 12l8-8m-3 3 3 3"/>`,
  save: svg`<path d="M12 4v11m-5-4 5 5 5-5M5 20h14"/>`,
  retry: svg`<path d="M20 11a8 8 0 1 0-2.3 6.3M20 5v6h-6"/>`,
  diagram: svg`<path d="M5 4v16M19 4v16M8 9h8m-3-3 3 3-3 3M16 16H8"/>`,
  table: svg`<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M3.500 10h17M3.500 14.500h17M9 10v9"/>`,
  search: svg`<circle cx="11" cy="11" r="6"/><path d="m16 16 4 4"/>`,
  filter: svg`<path d="M4 6h16M7 12h10M10 18h4"/>`,
  pause: svg`<path d="M8 5v14M16 5v14"/>`,
  end: svg`<path d="M12 4v12m-5-5 5 5 5-5M6 20h12"/>`,
  download: svg`<path d="M12 4v11m-5-4 5 4 5-4M5 19h14"/>`,
  edit: svg`<path d="M5 19l1-4L16 5l3 3L9 18zM14 7l3 3"/>`,
  twin: svg`<rect x="4" y="8" width="10" height="13" rx="2"/><path d="M9 5V5a2 2 0 0 1 2-2h7a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2"/>`,
  share: svg`<circle cx="6" cy="12" r="2.500"/><circle cx="17" cy="6" r="2.500"/><circle cx="17" cy="18" r="2.500"/><path d="M8.300 10.800 14.700 7.200M8.300 13.200l6.400 3.600"/>`,
  code: svg`<path d="m8 7-5 5 5 5M16 7l5 5-5 5M14 4l-4 16"/>`,
  bolt: svg`<path d="M13 3 5 14h6l-1 7 8-11h-6z"/>`,
  file: svg`<path d="M7 3h7l4 4v14H7zM14 3v4h4"/>`,
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${PATHS[name]}</svg>`;
}
