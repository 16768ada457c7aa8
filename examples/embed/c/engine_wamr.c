/* muster_engine.h on WAMR 2 (WebAssembly Micro Runtime), the smallest build included: an interpreter alone, with WASI,
 * libc, bulk memory, reference types and the rest switched off. */
#include "muster_engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "wasm_export.h"

struct engine {
    uint8_t *wasm; /* WAMR writes into the bytes that it loads, and keeps using them */
    wasm_module_t module;
    wasm_module_inst_t instance;
    wasm_exec_env_t environment;
    char error[128];
};

/* Its stack for the values of the interpreter; no heap of its own in the plugin's memory. */
enum { STACK = 32 * 1024, HEAP = 0 };

static int engines; /* how many there are: the runtime itself begins with the first and ends with the last */

const char *engine_name(void) {
    static char name[32];
    uint32_t major, minor, patch;
    wasm_runtime_get_version(&major, &minor, &patch);
    snprintf(name, sizeof name, "WAMR %u.%u.%u", (unsigned)major, (unsigned)minor, (unsigned)patch);
    return name;
}

engine *engine_load(const uint8_t *wasm, size_t size, const char **error) {
    static char reason[128];
    engine *e;
    if ((*error = engine_inspect(wasm, size)) != NULL) return NULL;
    *error = reason;
    snprintf(reason, sizeof reason, "out of memory");
    if (engines == 0 && !wasm_runtime_init()) return NULL;
    engines++;
    if ((e = calloc(1, sizeof *e)) == NULL) {
        if (--engines == 0) wasm_runtime_destroy();
        return NULL;
    }
    if (size > UINT32_MAX || (e->wasm = malloc(size)) == NULL) goto fail;
    memcpy(e->wasm, wasm, size);
    if ((e->module = wasm_runtime_load(e->wasm, (uint32_t)size, reason, sizeof reason)) == NULL) goto fail;
    if ((e->instance = wasm_runtime_instantiate(e->module, STACK, HEAP, reason, sizeof reason)) == NULL) goto fail;
    if ((e->environment = wasm_runtime_create_exec_env(e->instance, STACK)) == NULL) goto fail;
    return e;
fail:
    engine_free(e);
    return NULL;
}

const char *engine_call(engine *e, const char *name, int argc, const uint32_t argv[], uint32_t *result) {
    wasm_function_inst_t function = wasm_runtime_lookup_function(e->instance, name);
    uint32_t cells[4] = {0};
    wasm_valkind_t kinds[4];
    if (function == NULL) return "no such export";
    if (wasm_func_get_param_count(function, e->instance) != (uint32_t)argc) return "another signature";
    if (wasm_func_get_result_count(function, e->instance) != (result != NULL)) return "another signature";
    wasm_func_get_param_types(function, e->instance, kinds);
    for (int i = 0; i < argc; i++) {
        if (kinds[i] != WASM_I32) return "another signature";
        cells[i] = argv[i];
    }
    if (result != NULL) wasm_func_get_result_types(function, e->instance, kinds);
    if (result != NULL && kinds[0] != WASM_I32) return "another signature";
    if (!wasm_runtime_call_wasm(e->environment, function, (uint32_t)argc, cells)) {
        const char *exception = wasm_runtime_get_exception(e->instance);
        snprintf(e->error, sizeof e->error, "%s", exception != NULL ? exception : "a trap");
        return e->error;
    }
    if (result != NULL) *result = cells[0];
    return NULL;
}

uint8_t *engine_memory(engine *e, size_t *size) {
    wasm_memory_inst_t memory = wasm_runtime_get_default_memory(e->instance);
    *size = 0;
    if (memory == NULL) return NULL;
    *size = (size_t)(wasm_memory_get_cur_page_count(memory) * wasm_memory_get_bytes_per_page(memory));
    return wasm_memory_get_base_address(memory);
}

void engine_free(engine *e) {
    if (e == NULL) return;
    if (e->environment != NULL) wasm_runtime_destroy_exec_env(e->environment);
    if (e->instance != NULL) wasm_runtime_deinstantiate(e->instance);
    if (e->module != NULL) wasm_runtime_unload(e->module);
    free(e->wasm);
    free(e);
    if (--engines == 0) wasm_runtime_destroy();
}
