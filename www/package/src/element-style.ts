// The element's own look. Everything that a page may want to change is a custom property or a part; adopted as a
// constructed sheet, so that a strict Content-Security-Policy holds.

export const STYLE = `
:host {
  display: block;
  box-sizing: border-box;
  max-inline-size: 100%;
  font: 13px/1.45 var(--muster-font, system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif);
  color-scheme: light;
  --_surface: var(--muster-surface, #fff);
  --_ink: var(--muster-ink, #171a1f);
  --_soft: var(--muster-ink-soft, #4d5560);
  --_line: var(--muster-line, #e2e5ea);
  --_edge: var(--muster-edge, #8b929d);
  --_accent: var(--muster-accent, #0b6e5f);
  --_accent-ink: var(--muster-accent-ink, #fff);
  --_ok: var(--muster-ok, #146c3f);
  --_warn: var(--muster-warn, #855400);
  --_bad: var(--muster-bad, #b3261e);
  color: var(--_ink);
}
@media (prefers-color-scheme: dark) {
  :host(:not([theme="light"])) {
    color-scheme: dark;
    --_surface: var(--muster-surface, #161a20);
    --_ink: var(--muster-ink, #e8eaee);
    --_soft: var(--muster-ink-soft, #b0b8c3);
    --_line: var(--muster-line, #2a303a);
    --_edge: var(--muster-edge, #6b7480);
    --_accent: var(--muster-accent, #4cc3b0);
    --_accent-ink: var(--muster-accent-ink, #07201c);
    --_ok: var(--muster-ok, #5fd195);
    --_warn: var(--muster-warn, #e0b052);
    --_bad: var(--muster-bad, #f2958d);
  }
}
:host([theme="dark"]) {
  color-scheme: dark;
  --_surface: var(--muster-surface, #161a20);
  --_ink: var(--muster-ink, #e8eaee);
  --_soft: var(--muster-ink-soft, #b0b8c3);
  --_line: var(--muster-line, #2a303a);
  --_edge: var(--muster-edge, #6b7480);
  --_accent: var(--muster-accent, #4cc3b0);
  --_accent-ink: var(--muster-accent-ink, #07201c);
  --_ok: var(--muster-ok, #5fd195);
  --_warn: var(--muster-warn, #e0b052);
  --_bad: var(--muster-bad, #f2958d);
}
:host([hidden]) { display: none; }
.card {
  background: var(--_surface);
  border: 1px solid var(--_line);
  border-radius: var(--muster-radius, 10px);
  padding: 12px;
  display: grid;
  gap: 8px;
}
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
.name { font-weight: 600; overflow-wrap: anywhere; min-inline-size: 0; }
.state { font-weight: 600; color: var(--_soft); }
.state::before { content: ""; display: inline-block; inline-size: 8px; block-size: 8px; border-radius: 50%; background: currentColor; margin-inline-end: 6px; }
.state[data-state="online"] { color: var(--_ok); }
.state[data-state="retrying"], .state[data-state="updating"] { color: var(--_warn); }
.state[data-state="stopped"] { color: var(--_bad); }
.run { margin-inline-start: auto; display: flex; gap: 8px; }
button {
  font: inherit;
  min-block-size: 32px;
  padding: 4px 14px;
  border: 1px solid var(--_edge);
  border-radius: 6px;
  background: var(--_surface);
  color: var(--_ink);
  cursor: pointer;
}
button.start { background: var(--_accent); border-color: var(--_accent); color: var(--_accent-ink); }
button[hidden] { display: none; }
button:focus-visible, .timeline:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.next, .trouble { margin: 0; color: var(--_soft); overflow-wrap: anywhere; }
.trouble { color: var(--_bad); }
.next:empty, .trouble:empty { display: none; }
.timeline {
  max-block-size: var(--muster-timeline-height, 180px);
  overflow: auto;
  border-block-start: 1px solid var(--_line);
  padding-block-start: 8px;
}
.timeline[hidden] { display: none; }
ol { list-style: none; margin: 0; padding: 0; }
li { display: flex; gap: 8px; padding: 1px 0; }
li .at { color: var(--_soft); font-variant-numeric: tabular-nums; flex: none; min-inline-size: 4.5em; text-align: end; }
li .way { flex: none; inline-size: 1em; text-align: center; color: var(--_soft); }
li .what { overflow-wrap: anywhere; min-inline-size: 0; }
li.event .what { font-weight: 600; }
li.bad .what { color: var(--_bad); }
.empty { color: var(--_soft); margin: 0; }
`;
