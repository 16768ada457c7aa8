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
