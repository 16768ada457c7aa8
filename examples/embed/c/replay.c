/* Plays recorded calls (tests/conformance/) to the plugin and compares every reply byte for byte.
 * Usage: replay muster.wasm life.txt … */
#define main conversation
#include "host.c"
#undef main

static int nibble(int c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static size_t from_hex(char *text) { /* in place */
    size_t n = 0;
    for (char *at = text; nibble(at[0]) >= 0; at += 2, n++) {
        if (nibble(at[1]) < 0) fail("half a byte in the recording");
        text[n] = (char)(nibble(at[0]) << 4 | nibble(at[1]));
    }
    return n;
}

int main(int argc, char **argv) {
    static uint8_t wasm[1 << 20];
    static char line[1 << 17], right[1 << 17];
    const char *error;
    FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
    size_t size = file != NULL ? fread(wasm, 1, sizeof wasm, file) : 0;
    if (file == NULL || size == 0 || size == sizeof wasm || fclose(file) != 0) fail("usage: replay muster.wasm life.txt");
    fprintf(stderr, "%s\n", engine_name());
    for (int i = 2; i < argc; i++) {
        int calls = 0;
        engine *e = engine_load(wasm, size, &error);
        if ((file = fopen(argv[i], "r")) == NULL) fail("cannot read %s", argv[i]);
        while (fgets(line, sizeof line, file) != NULL) {
            if (line[0] == '#') continue;
            line[strcspn(line, "\n")] = 0;
            if (strcmp(line, "new") == 0) {
                engine_free(e), e = engine_load(wasm, size, &error);
                continue;
            }
            if (e == NULL) fail("%s", error);
            size_t length, name = strcspn(line, " ");
            char *request = line + name + (line[name] == ' ');
            line[name] = 0;
            if (fgets(right, sizeof right, file) == NULL || strncmp(right, "= ", 2) != 0) fail("no reply recorded");
            uint8_t *reply = call(e, line, (uint8_t *)request, from_hex(request), &length);
            if (length != from_hex(right + 2) || memcmp(reply, right + 2, length) != 0)
                fail("%s: call %d, `%s`: other bytes than recorded", argv[i], calls, line);
            wipe(reply, length), free(reply), calls++;
        }
        engine_free(e), fclose(file);
        const char *base = strrchr(argv[i], '/');
        printf("%s: %d calls alike\n", base != NULL ? base + 1 : argv[i], calls);
    }
    return 0;
}
