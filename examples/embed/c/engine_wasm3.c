/* muster_engine.h on wasm3 0.5. Mind that wasm3 has no limit on time: run plugins that are trusted to end, or let a
 * watchdog end the device. It compiles a function when that is first called, and so reads the module's bytes for as
 * long as the engine lives. */
#include "muster_engine.h"

#include <stdlib.h>

#include "wasm3.h"

struct engine {
    IM3Environment environment;
    IM3Runtime runtime;
};

enum { STACK = 64 * 1024 }; /* wasm3's own, for the values of the interpreter */

const char *engine_name(void) { return "wasm3 " M3_VERSION; }

engine *engine_load(const uint8_t *wasm, size_t size, const char **error) {
    IM3Module module = NULL;
    engine *e;
    if ((*error = engine_inspect(wasm, size)) != NULL) return NULL;
    *error = "out of memory";
    if (size > UINT32_MAX || (e = calloc(1, sizeof *e)) == NULL) return NULL;
    if ((e->environment = m3_NewEnvironment()) == NULL) goto fail;
    if ((e->runtime = m3_NewRuntime(e->environment, STACK, NULL)) == NULL) goto fail;
    if ((*error = m3_ParseModule(e->environment, &module, wasm, (uint32_t)size)) != NULL) goto fail;
    if ((*error = m3_LoadModule(e->runtime, module)) != NULL) {
        m3_FreeModule(module); /* the runtime has not taken it */
        goto fail;
    }
    return e;
fail:
    engine_free(e);
    return NULL;
}

const char *engine_call(engine *e, const char *name, int argc, const uint32_t argv[], uint32_t *result) {
    IM3Function function = NULL;
    const void *pointers[4];
    M3Result error = m3_FindFunction(&function, e->runtime, name);
    if (error != NULL) return error;
    if (m3_GetArgCount(function) != (uint32_t)argc) return "another signature";
    if (m3_GetRetCount(function) != (result != NULL)) return "another signature";
    for (int i = 0; i < argc; i++) {
        if (m3_GetArgType(function, (uint32_t)i) != c_m3Type_i32) return "another signature";
        pointers[i] = &argv[i];
    }
    if (result != NULL && m3_GetRetType(function, 0) != c_m3Type_i32) return "another signature";
    if ((error = m3_Call(function, (uint32_t)argc, pointers)) != NULL || result == NULL) return error;
    pointers[0] = result;
    return m3_GetResults(function, 1, pointers);
}

uint8_t *engine_memory(engine *e, size_t *size) {
    uint32_t bytes = 0;
    uint8_t *memory = m3_GetMemory(e->runtime, &bytes, 0);
    *size = memory == NULL ? 0 : bytes;
    return memory;
}

void engine_free(engine *e) {
    if (e == NULL) return;
    if (e->runtime != NULL) m3_FreeRuntime(e->runtime);
    if (e->environment != NULL) m3_FreeEnvironment(e->environment);
    free(e);
}
