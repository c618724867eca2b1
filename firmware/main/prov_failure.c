#include "prov_failure.h"

typedef struct {
    const char *code;
    const char *message;
} failure_row_t;

static const failure_row_t ROWS[PROV_FAILURE_COUNT] = {
    [PROV_FAILURE_NONE] = {"", ""},
#define PROV_FAILURE(name, code, message, outlook) [PROV_FAILURE_##name] = {code, message},
#include "prov_failure.inc"
#undef PROV_FAILURE
};

static const failure_row_t *row_of(prov_failure_t failure)
{
    return failure < PROV_FAILURE_COUNT ? &ROWS[failure] : &ROWS[PROV_FAILURE_NONE];
}

const char *prov_failure_code(prov_failure_t failure)
{
    return row_of(failure)->code;
}

const char *prov_failure_message(prov_failure_t failure)
{
    return row_of(failure)->message;
}

bool prov_failure_needs_help(prov_failure_t failure)
{
    enum { OUTLOOK_GIVES_UP, OUTLOOK_NEEDS_HELP, OUTLOOK_TRIES_ON };
    switch (failure) {
#define PROV_FAILURE(name, code, message, outlook) \
    case PROV_FAILURE_##name:                      \
        return OUTLOOK_##outlook == OUTLOOK_NEEDS_HELP;
#include "prov_failure.inc"
#undef PROV_FAILURE
    default:
        return false;
    }
}
