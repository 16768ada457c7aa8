/* What a host of the plugin needs of a WebAssembly runtime, and nothing else. One file implements it for one runtime
 * (engine_wasm3.c, engine_wamr.c). The plugin needs no imports, no WASI, no threads and nothing after WebAssembly 1.0.
 *
 * An engine is one instance of one module, and belongs to one thread. */
#ifndef MUSTER_ENGINE_H
#define MUSTER_ENGINE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct engine engine;

/* The runtime's name and version. */
const char *engine_name(void);

/* Loads and instantiates a module whose bytes stay where they are, unchanged, until engine_free. NULL, and the reason
 * in *error, if that cannot be done. Begins with engine_inspect. */
engine *engine_load(const uint8_t *wasm, size_t size, const char **error);

/* Calls an export that takes `argc` (at most 4) 32-bit integers. If `result` is not NULL the export returns one, which
 * goes there. NULL if all went well; otherwise the reason: no such export, another signature, a trap. After a trap the
 * instance must not be called again. */
const char *engine_call(engine *e, const char *name, int argc, const uint32_t argv[], uint32_t *result);

/* The linear memory as it is now, and its size in bytes. Any call may move it: ask again after each. */
uint8_t *engine_memory(engine *e, size_t *size);

/* Ends the instance. NULL is fine. */
void engine_free(engine *e);

/* Looks at a module before a runtime does: it must import nothing, so that nothing of this machine is within its
 * reach, run nothing on its own at the start, and have a memory. NULL if so; otherwise what is wrong. */
static inline const char *engine_inspect(const uint8_t *wasm, size_t size) {
    size_t at = 8, length;
    int memory = 0;
    if (size < 8 || memcmp(wasm, "\0asm\1\0\0", 8) != 0) return "not a core module of WebAssembly";
    while (at < size) { /* sections: a kind, a length in LEB128, a body that begins with how much is in it */
        uint8_t kind = wasm[at++], byte = 0x80;
        length = 0;
        for (int shift = 0; byte & 0x80; shift += 7) {
            if (at == size || shift > 28) return "a broken module";
            byte = wasm[at++];
            length |= (size_t)(byte & 0x7f) << shift;
        }
        if (length > size - at) return "a broken module";
        if (kind == 2 && (length != 1 || wasm[at] != 0)) return "the module wants to import something";
        if (kind == 5) memory = length > 0 && wasm[at] == 1;
        if (kind == 8) return "the module wants to run at its start";
        at += length;
    }
    return memory ? NULL : "the module has no memory of its own";
}

#endif
