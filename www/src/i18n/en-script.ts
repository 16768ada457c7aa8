// What the page says of scripts before the panel is loaded.

export const script = {
  panel: "Script",
  running: "A script is running",
};
