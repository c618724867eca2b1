#include "prov_state.h"

#include <stdint.h>

const char *prov_state_name(prov_state_t state)
{
    static const char *const NAMES[] = {
#define PROV_STATE(name, phase, words) #name,
#include "prov_states.inc"
#undef PROV_STATE
    };
    return state < PROV_STATE_COUNT ? NAMES[state] : "?";
}

bool prov_state_is_working(prov_state_t state)
{
    enum { PHASE_STARTING, PHASE_WAITING, PHASE_WORKING, PHASE_ONLINE };
    static const uint8_t PHASES[] = {
#define PROV_STATE(name, phase, words) PHASE_##phase,
#include "prov_states.inc"
#undef PROV_STATE
    };
    return state < PROV_STATE_COUNT && PHASES[state] == PHASE_WORKING;
}

const char *prov_event_name(prov_event_id_t event)
{
    static const char *const NAMES[] = {
#define X(name, text) #name,
        PROV_EVENTS(X)
#undef X
    };
    return event < PROV_EVENT_COUNT ? NAMES[event] : "?";
}
