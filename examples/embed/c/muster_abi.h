/* The numbers of docs/abi.md, byte schema 1, as far as a C host needs them by name. */
#ifndef MUSTER_ABI_H
#define MUSTER_ABI_H

#define MUSTER_EXPORT "muster:agent/agent@1.0.0#" /* stands before a function's name */
#define MUSTER_POST "cabi_post_" MUSTER_EXPORT

enum { MUSTER_SCHEMA = 1 };
enum { MUSTER_UCLOUD, MUSTER_CMCC, MUSTER_KRTYUN, MUSTER_ALIBABA };
enum { MUSTER_CREDENTIAL, MUSTER_SCHEDULE, MUSTER_FIRMWARE };

/* What comes out. */
enum { MUSTER_COMMAND, MUSTER_EVENT, MUSTER_DEADLINE };
enum {
    MUSTER_CONNECT, MUSTER_CLOSE, MUSTER_SUBSCRIBE, MUSTER_PUBLISH, MUSTER_REQUEST,
    MUSTER_STORE, MUSTER_ERASE, MUSTER_DOWNLOAD, MUSTER_CANCEL_DOWNLOAD, MUSTER_INSTALL
};
enum {
    MUSTER_STEP, MUSTER_REGISTERED, MUSTER_READY, MUSTER_HEARTBEAT, MUSTER_UPDATE, MUSTER_RETRYING, MUSTER_STOPPED,
    MUSTER_WARNING, MUSTER_PROPERTIES_SET, MUSTER_PROPERTIES_POSTED, MUSTER_BIND_TOKEN, MUSTER_PERMIT, MUSTER_TOPOLOGY,
    MUSTER_SCHEDULED, MUSTER_EVENTS
};

/* What goes in. */
enum {
    MUSTER_TIMEOUT, MUSTER_CONNECTED, MUSTER_CLOSED, MUSTER_MESSAGE, MUSTER_ACKED, MUSTER_RESPONSE,
    MUSTER_STORED, MUSTER_PROGRESS, MUSTER_DOWNLOADED, MUSTER_INSTALLED, MUSTER_USER
};

/* Names for people. */
#define MUSTER_STORE_NAMES {"credential", "schedule", "firmware"}
#define MUSTER_EVENT_NAMES \
    {"step", "registered", "ready", "heartbeat", "update", "retrying", "stopped", "warning", "properties set", \
     "properties posted", "bind token", "permit", "topology", "scheduled"}
#define MUSTER_STEP_NAMES \
    {"connect to register", "subscribe for secret", "request secret", "store secret", "confirm secret", \
     "leave registration", "login", "subscribe", "report version", "heartbeat", "report token", "download", "install", \
     "erase secret", "post properties"}
enum { MUSTER_STEPS = 15 };

#endif
