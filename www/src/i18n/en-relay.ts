// The relay, and the clouds that need it.

/** Of `trouble.reason`: what it is, and what to do. */
export const relayReasons = {
  relay_off: ["This page's server has no relay, or it is switched off or gone.", "Start muster up with --relay, then try again."],
  relay_token: ["The relay does not know this page any more: its server was started anew.", "Nothing: the next try shows it a new token."],
  relay_host: ["The relay may not go to this host: it goes to the vendors' known addresses, and to those it was started with.", "If the address is right, start muster up with it:"],
  relay_address: ["This name or address belongs to this machine or to a private network, where the relay does not go unasked.", "If that is meant, allow the address itself, not its name:"],
  relay_redirect: ["The server sends the request on to an address where the relay may not go.", "If that address is right, start muster up with it:"],
  relay_dns: ["The relay cannot resolve this name.", "Check the host in the settings, and whether this machine is online."],
  relay_refused: ["Nobody listens at this host and port, or there is no way to it from this machine.", "Check host and port, and whether a firewall is between."],
  relay_tls: ["The relay does not trust this server, or they share no TLS.", "Check host and port. If the server's authority is your own, or the vendor's own as at UCloud's port 8883, start muster up with --relay-ca and its certificate."],
  relay_timed_out: ["The relay asked, and nothing came back in time.", "Check host and port, and whether a firewall swallows what it does not let through."],
  relay_limit: ["It is more than the relay carries: too many connections at once, or too large a message.", "Stop some devices; a large image is fetched by muster device in a terminal."],
  relay_failed: ["The relay could not carry it.", "Look at the words beside it; they are the relay's own."],
} as const satisfies Record<string, readonly [string, string]>;

export const relay = {
  environment: "Environment",
  own: "Own addresses",
  ownNote: "Fill the addresses in below.",
  source: "Source:",
  way: "How to get there",
  direct: "Straight from this browser",
  directHelp: "WebSockets, and servers that let web pages in.",
  by: "By the relay of muster up",
  byHelp: "mqtt:// and mqtts:// brokers, and servers without CORS. WebSockets still go straight.",
  reach: {
    direct: "this browser can open it",
    cors: "only if the server lets web pages in (CORS): no document says that it does",
    plain_tcp: "this browser cannot: it is TCP or TLS, and web pages open WebSockets only",
    mixed_content: "this browser will not: this page came over https, and the address is not protected",
    unknown: "this is no whole address yet",
  },
  stuck: "Straight from this browser this will not work. The relay gets there.",
  off: {
    off: "The relay is switched off. Start muster up with it, then look again:",
    none: "This page's server has no relay. Open the console of a muster up that has one:",
  },
  notListed: "The relay's list does not hold this address. If it is right, start muster up with it:",
  look: "Look again",
  helps: "The relay of muster up gets there.",
  go: "Go by the relay",
  wouldHelp: {
    off: "The relay of muster up would get there, but it is switched off. Start it with:",
    none: "The relay of muster up would get there, but this page's server has none. Open the console of:",
  },
  did: (what: string) => `${what} by the relay`,
  went: "by the relay",
  road: "Way",
  roadText: "by the relay of this page's server",
};
