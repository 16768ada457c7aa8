import type { Dict } from "./en";

export const script: Dict["script"] = {
  panel: "脚本",
  running: "脚本正在运行",
};
