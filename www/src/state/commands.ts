// What to type in a terminal for the same: commands of this project, and of other people's clients.

import type { Demo, PlatformName } from "../muster/types";
import type { Addresses } from "./clouds";

export type Commands = { own: readonly string[]; others: readonly string[] };

/** Names the clouds to the other commands, unless they are where those look anyway. */
export function localFlag(at: Addresses): string {
  if (at.http === "http://127.0.0.1:7878") return "";
  const file = `${at.data.replace(/\/$/, "")}/up.json`;
  return /^[\w./:@+-]+$/.test(file) ? ` --local ${file}` : ` --local '${file.replaceAll("'", "'\\''")}'`;
}

/** `SECRET` stands where the product's secret belongs: it is shown in the settings, on request. */
export function commands(platform: PlatformName, at: Addresses, demo: Demo | undefined, product: string): Commands {
  const flag = localFlag(at);
  const own = [`muster device --platform ${platform}${flag}`];
  if (platform === "alibaba") own.push(`muster app alibaba bind${flag}`);
  own.push(`muster cloud -P ${platform} devices${flag}`, `muster cloud log --follow${flag}`);
  const tcp = at.mqtt[platform] ?? "";
  const [host = "127.0.0.1", port = ""] = tcp.replace(/^mqtt:\/\//, "").split(":");
  const second = demo?.[platform]?.devices[1];
  switch (platform) {
    case "ucloud": {
      const d = second ?? "112233445567";
      const login = `-h ${host} -p ${port} -i ${product}.${d} -u '${product}|${d}|2' -P SECRET -q 1`;
      return { own, others: [`mosquitto_rr -V mqttv311 -W 10 ${login} -t '/$system/${product}/${d}/password' -e '/$system/${product}/${d}/password_reply' -m '{"RequestID":"100"}'`] };
    }
    case "cmcc":
      return {
        own,
        others: [`curl -s ${at.http}/v2/customer/device/secret/info -H 'Content-Type: application/json' -d '{"deviceNoType":"SN","deviceNo":"MUSTER-SN-0001","productId":"${product}","productKey":"SECRET"}'`],
      };
    case "krtyun": {
      const d = "10002";
      const base = `/sys/${product}/${d}/thing/register`;
      return { own, others: [`mosquitto_rr -V mqttv311 -W 10 -h ${host} -p ${port} -i ${product} -u ${d} -P SECRET -q 1 -t ${base}/post -e ${base}/set -m '{"CMD":20,"ID":"1","PRODUCT_ID":"${product}","DEVICE_ID":"${d}"}'`] };
    }
    case "alibaba":
      return { own, others: [] };
  }
}
