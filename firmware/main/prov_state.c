#include "prov_state.h"

const char *prov_state_name(prov_state_t state)
{
    static const char *const NAMES[] = {
#define X(name) #name,
        PROV_STATES(X)
#undef X
    };
    return state < PROV_STATE_COUNT ? NAMES[state] : "?";
}

const char *prov_event_name(prov_event_id_t event)
{
    static const char *const NAMES[] = {
#define X(name) #name,
        PROV_EVENTS(X)
#undef X
    };
    return event < PROV_EVENT_COUNT ? NAMES[event] : "?";
}
