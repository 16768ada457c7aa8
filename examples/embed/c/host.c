/* A complete host of the plugin: checks and calls muster.wasm on any runtime behind muster_engine.h, and brings a
 * UCloud device from the factory to "ready" against a few lines that stand in for network and cloud.
 * docs/abi.md explains it; docs/embedding.md goes from here to a real device. Usage: host muster.wasm */
#include <stdio.h>
#include <stdlib.h>

#include "muster_abi.h"
#include "muster_engine.h"

enum { UINT, BYTES = 2, TEXT, ARRAY, MAP, TAG }; /* CBOR's major types */

#define fail(...) (fflush(stdout), fputs("error: ", stderr), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))
static void wipe(void *at, size_t n) { for (volatile uint8_t *p = at; n > 0; n--) *p++ = 0; } /* no compiler drops it */

typedef struct { uint8_t bytes[1024]; size_t length; } writer; /* of CBOR */
static void put(writer *w, const void *bytes, size_t length) {
    if (length > sizeof w->bytes - w->length) fail("a request is longer than this host's buffer");
    memcpy(w->bytes + w->length, bytes, length), w->length += length;
}
static void put_head(writer *w, int major, uint64_t n) {
    int more = n < 24 ? -1 : n < 0x100 ? 0 : n < 0x10000 ? 1 : n < 0x100000000 ? 2 : 3, size = more < 0 ? 0 : 1 << more;
    uint8_t head[9] = {(uint8_t)(major << 5 | (more < 0 ? (int)n : 24 + more))};
    for (int i = 0; i < size; i++) head[1 + i] = (uint8_t)(n >> 8 * (size - 1 - i));
    put(w, head, 1 + (size_t)size);
}
static void put_string(writer *w, int major, const void *at, size_t n) { put_head(w, major, n), put(w, at, n); }

/* Reading CBOR that somebody else made: never beyond its end, and the first fault ends it all. */
typedef struct { const uint8_t *at, *end; } reader;
static const uint8_t *take(reader *r, uint64_t length) {
    if (length > (uint64_t)(r->end - r->at)) fail("the plugin's reply ends too early");
    return r->at += length, r->at - length;
}
static uint64_t head(reader *r, int *major) {
    uint8_t first = *take(r, 1), info = first & 31;
    if (info > 27) fail("the plugin's reply is not CBOR of definite lengths");
    int size = info < 24 ? 0 : 1 << (info - 24);
    const uint8_t *bytes = take(r, (uint64_t)size);
    uint64_t n = size == 0 ? info : 0;
    for (int i = 0; i < size; i++) n = n << 8 | bytes[i];
    return *major = first >> 5, n;
}
static uint64_t expect(reader *r, int wanted) {
    int major;
    uint64_t n = head(r, &major);
    if (major != wanted) fail("the plugin's reply has an item of type %d where one of %d belongs", major, wanted);
    return n;
}
static reader string(reader *r, int major) {
    uint64_t length = expect(r, major);
    return take(r, length), (reader){r->at - length, r->at};
}
static void skip(reader *r) { /* without recursion: how deep it goes is not for the plugin to say */
    for (uint64_t left = 1; left > 0; left--) {
        int major;
        uint64_t n = head(r, &major), more = major == ARRAY ? n : major == MAP ? n + n : major == TAG;
        if (major == BYTES || major == TEXT) take(r, n);
        if (n > INT64_MAX || more > (uint64_t)(r->end - r->at)) fail("the plugin's reply promises more than it brings");
        left += more;
    }
}
static reader field(reader map, uint64_t key) { /* at the value of this key */
    for (uint64_t pairs = expect(&map, MAP); pairs > 0; pairs--, skip(&map))
        if (expect(&map, UINT) == key) return map;
    return fail("the plugin's reply lacks a field"), map;
}
static void show(const char *before, reader from) { /* what a plugin says must not steer a terminal */
    reader s = string(&from, TEXT);
    for (fputs(before, stdout); s.at < s.end; s.at++) putchar(*s.at >= ' ' && *s.at < 127 ? *s.at : '?');
}

/* One call, as docs/abi.md has it. The reply is the caller's to wipe and to free. */
static uint8_t *call(engine *e, const char *name, const uint8_t *request, size_t length, size_t *reply_length) {
    const char *error, *failed = "%s: %s";
    uint32_t args[4] = {0, 0, 1, (uint32_t)length}, pair = 0, at[2] = {0, 0};
    int takes = strcmp(name, "describe") != 0 && strcmp(name, "save") != 0;
    char export[64]; size_t size;
    if (takes) {
        if ((error = engine_call(e, "cabi_realloc", 4, args, &args[0])) != NULL) fail(failed, "cabi_realloc", error);
        uint8_t *memory = engine_memory(e, &size);
        if (length > size || args[0] > size - length) fail("%s: room for a request outside of the memory", name);
        memcpy(memory + args[0], request, length), args[1] = (uint32_t)length;
    }
    snprintf(export, sizeof export, MUSTER_EXPORT "%.16s", name);
    if ((error = engine_call(e, export, takes ? 2 : 0, args, &pair)) != NULL) fail(failed, name, error);
    uint8_t *memory = engine_memory(e, &size);
    if (size < 8 || pair > size - 8) fail("%s: a reply outside of the memory", name);
    for (int i = 0; i < 8; i++) at[i / 4] |= (uint32_t)memory[pair + i] << i % 4 * 8; /* little-endian */
    if (at[1] > size || at[0] > size - at[1]) fail("%s: a reply outside of the memory", name);
    uint8_t *reply = malloc((size_t)at[1] + 1);
    if (reply == NULL) fail("out of memory");
    memcpy(reply, memory + at[0], at[1]);
    wipe(memory + at[0], at[1]); /* it may hold a credential, and to free it is not to overwrite it */
    snprintf(export, sizeof export, MUSTER_POST "%.16s", name);
    if ((error = engine_call(e, export, 1, &pair, NULL)) != NULL) fail(failed, export, error);
    return *reply_length = at[1], reply;
}

typedef struct { uint64_t now, due; int ready, waiting; writer inputs[16], stored[3]; } device;
static writer *answer(device *d, int fields, uint64_t number, int64_t token) { /* an input for after this drain */
    if (d->waiting == 16) fail("the plugin asks for too much at once");
    writer *w = &d->inputs[d->waiting++];
    w->length = 0, put_head(w, ARRAY, (uint64_t)fields), put_head(w, UINT, number);
    if (token >= 0) put_head(w, UINT, (uint64_t)token);
    return w;
}
static void command(device *d, reader r) { /* where a real host uses its network and its flash */
    static const char *const keys[] = MUSTER_STORE_NAMES, given[] = "{\"RetCode\":\"0\",\"Password\":\"made-up\",";
    uint64_t fields = expect(&r, ARRAY), number = expect(&r, UINT), key = 0;
    int64_t token = fields > 1 ? expect(&r, UINT) & UINT32_MAX : 0;
    if (number == MUSTER_CONNECT)
        show("command  CONNECT to ", field(r, 0)), show(" as ", field(r, 1)), show(", user name ", field(r, 2)),
            answer(d, 2, MUSTER_CONNECTED, token);
    else if (number == MUSTER_CLOSE)
        fputs("command  DISCONNECT", stdout), put(answer(d, 3, MUSTER_CLOSED, token), "\x81\x02", 2); /* as asked */
    else if (number == MUSTER_SUBSCRIBE)
        show("command  SUBSCRIBE to ", field(r, 0)), put(answer(d, 3, MUSTER_ACKED, token), "\x82\x01\x01", 3);
    else if (number == MUSTER_PUBLISH) {
        reader at = field(r, 0), topic = string(&at, TEXT), in = field(r, 2), json = string(&in, BYTES);
        size_t name = (size_t)(topic.end - topic.at), body = (size_t)(json.end - json.at);
        show("command  PUBLISH to ", field(r, 0)), put(answer(d, 3, MUSTER_ACKED, token), "\x81\x00", 2);
        if (name > 9 && memcmp(topic.end - 9, "/password", 9) == 0 && body > 0) {
            writer *w = answer(d, 2, MUSTER_MESSAGE, -1); /* the cloud: the request's JSON with a secret put in front */
            put(w, "\xa2\x00", 2), put_head(w, TEXT, name + 6), put(w, topic.at, name), put(w, "_reply\x01", 7);
            put_head(w, BYTES, sizeof given + body - 2), put(w, given, sizeof given - 1), put(w, json.at + 1, body - 1);
        }
    } else if (number == MUSTER_STORE && (key = expect(&r, UINT)) < 3) {
        reader value = string(&r, BYTES);
        printf("command  STORE %s", keys[key]), wipe(&d->stored[key], sizeof(writer));
        put(&d->stored[key], value.at, (size_t)(value.end - value.at));
        put(answer(d, 3, MUSTER_STORED, token), "\x81\x00", 2); /* not before it is durable */
    } else fail("command %d is not in this host's power", (int)number);
    putchar('\n');
}
static void event(device *d, reader r) {
    static const char *const names[] = MUSTER_EVENT_NAMES, *const steps[] = MUSTER_STEP_NAMES;
    uint64_t fields = expect(&r, ARRAY), number = expect(&r, UINT), step = 0;
    printf("event    %s", number < MUSTER_EVENTS ? names[number] : "of a kind that this host does not know");
    if (number == MUSTER_STEP && fields > 1 && (step = expect(&r, UINT)) < MUSTER_STEPS) printf(": %s", steps[step]);
    putchar('\n'), d->ready |= number == MUSTER_READY;
}
static void ask(engine *e, device *d, const char *name, writer *request) { /* one input, then the drain to its end */
    size_t length;
    uint8_t *reply = call(e, name, request->bytes, request->length, &length);
    reader r = {reply, reply + length};
    wipe(request, sizeof *request);
    if (expect(&r, ARRAY) != 2 || expect(&r, UINT) != 0) fail("%s: the plugin refuses", name);
    r = field(r, 0), d->due = UINT64_MAX;
    uint64_t kind = MUSTER_COMMAND, left = expect(&r, ARRAY);
    for (; left > 0 && kind != MUSTER_DEADLINE; left--, skip(&r)) {
        reader one = r;
        if (expect(&one, ARRAY) < 2 || (kind = expect(&one, UINT)) > 2) fail("an unknown kind of output");
        if (kind != MUSTER_DEADLINE) (kind == MUSTER_COMMAND ? command : event)(d, one);
        else if (one.at < one.end && *one.at != 0xf6) d->due = expect(&one, UINT); /* not null */
    }
    if (left > 0 || kind != MUSTER_DEADLINE) fail("the drain does not end with its one deadline");
    wipe(reply, length), free(reply);
}
static void life(device *d, const uint8_t *wasm, size_t size) { /* from power-on to ready */
    static const char *const settings[] = {"broker", "mqtts://broker.example:8883", "product_sn", "example-product1",
                                           "product_secret", "the-product-secret", "device_sn", "example1"};
    FILE *random = fopen("/dev/urandom", "rb"); /* a seed that others know would give nonces that others know */
    writer w = {.length = 0};
    uint8_t seed[32];
    if (random == NULL || fread(seed, 1, 32, random) != 32 || fclose(random) != 0) fail("no entropy, no device");
    const char *error;
    engine *e = engine_load(wasm, size, &error);
    if (e == NULL) fail("%s", error);
    uint8_t *reply = call(e, "describe", NULL, 0, &size);
    reader about = {reply, reply + size}, newest = field(about, 0), oldest = field(about, 1);
    if (expect(&oldest, UINT) > MUSTER_SCHEMA || expect(&newest, UINT) < MUSTER_SCHEMA) fail("another byte schema");
    show("plugin   ", field(about, 4)), putchar('\n'), free(reply);
    put(&w, "\xa6\x00\x01\x01\x00\x02\x84", 7); /* six fields: schema 1; platform UCloud; four settings */
    for (int i = 0; i < 8; put_string(&w, TEXT, settings[i], strlen(settings[i])), i++)
        if (i % 2 == 0) put_head(&w, ARRAY, 2);
    put_head(&w, UINT, 3), put_head(&w, MAP, !!d->stored[0].length + !!d->stored[1].length + !!d->stored[2].length);
    for (int key = 0; key < 3; key++)
        if (d->stored[key].length > 0)
            put_head(&w, UINT, (uint64_t)key), put_string(&w, BYTES, d->stored[key].bytes, d->stored[key].length);
    put_head(&w, UINT, 4), put_string(&w, BYTES, seed, 32), wipe(seed, 32), put(&w, "\x05\xa1\x00", 3);
    put_head(&w, UINT, d->now), ask(e, d, "open", &w);
    while (!d->ready || d->waiting > 0) {
        if (d->waiting == 0 && d->due == UINT64_MAX) fail("nothing is left to wait for");
        d->now = d->waiting > 0 || d->due < d->now ? d->now + 10 : d->due; /* a real host asks its clocks */
        put(&w, "\xa2\x00\xa1\x00", 4), put_head(&w, UINT, d->now), put(&w, "\x01", 1);
        if (d->waiting == 0) put(&w, "\x81\x00", 2); /* the time has come */
        else put(&w, d->inputs->bytes, d->inputs->length), memmove(d->inputs, d->inputs + 1, --d->waiting * sizeof w);
        ask(e, d, "handle", &w);
    }
    engine_free(e), d->ready = 0;
}
int main(int argc, char **argv) {
    static uint8_t wasm[1 << 20];
    static device d; /* what it stored outlives its first life */
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t size = file != NULL ? fread(wasm, 1, sizeof wasm, file) : 0;
    if (file == NULL || size == 0 || size == sizeof wasm || fclose(file) != 0) fail("usage: host muster.wasm");
    puts("first power-on"), life(&d, wasm, size), puts("second power-on"), life(&d, wasm, size);
    return wipe(&d, sizeof d), 0;
}
