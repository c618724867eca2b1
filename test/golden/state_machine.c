/* Writes the compiled table of the state machine in words: test/golden/state-machine.txt. */
#include <ctype.h>
#include <stdio.h>

#include "prov_sm.h"

static const char *const EVENT_TEXTS[] = {
#define X(name, text) text,
    PROV_EVENTS(X)
#undef X
};

static const struct {
    const char *name;
    const char *text;
} ACTIONS[] = {
#define X(name, function, text) {#name, text},
    PROV_ACTIONS(X)
#undef X
};

/** SET_ERROR becomes "set error". */
static const char *in_words(const char *name)
{
    static char s_words[32];
    size_t i = 0;
    for (; name[i] != '\0' && i < sizeof s_words - 1; i++) {
        s_words[i] = (char)(name[i] == '_' ? ' ' : tolower((unsigned char)name[i]));
    }
    s_words[i] = '\0';
    return s_words;
}

static bool is_everywhere(prov_event_id_t event)
{
    prov_step_t first = prov_sm_step(PROV_STATE_INIT, event);
    bool is_same = prov_sm_handles(PROV_STATE_INIT, event);
    for (int state = 0; state < PROV_STATE_COUNT; state++) {
        prov_step_t step = prov_sm_step((prov_state_t)state, event);
        is_same = is_same && step.state == first.state && step.actions == first.actions;
    }
    return is_same;
}

static void print_edge(prov_state_t state, prov_event_id_t event, bool shows_target)
{
    prov_step_t step = prov_sm_step(state, event);
    const char *separator = ": ";
    printf("  %s", prov_event_name(event));
    if (shows_target) {
        printf(" → %s", prov_state_name(step.state));
    }
    for (int action = 0; action < PROV_ACTION_COUNT; action++) {
        if ((step.actions >> action & 1) != 0) {
            printf("%s%s", separator, in_words(ACTIONS[action].name));
            separator = ", ";
        }
    }
    putchar('\n');
}

int main(void)
{
    puts("The state machine of the firmware. Written by `npm run generate` from the table as it is compiled,\n"
         "firmware/main/machine/prov_sm.c.\n\n"
         "In each state: an event, the state that it leads to if that is another one, and what is done, in this order. An\n"
         "event that is not listed changes nothing.");
    for (int state = 0; state < PROV_STATE_COUNT; state++) {
        printf("\n%s\n", prov_state_name((prov_state_t)state));
        for (int event = 0; event < PROV_EVENT_COUNT; event++) {
            prov_step_t step = prov_sm_step((prov_state_t)state, (prov_event_id_t)event);
            if (prov_sm_handles((prov_state_t)state, (prov_event_id_t)event) && !is_everywhere((prov_event_id_t)event)) {
                print_edge((prov_state_t)state, (prov_event_id_t)event, (int)step.state != state);
            }
        }
    }
    puts("\nany state");
    for (int event = 0; event < PROV_EVENT_COUNT; event++) {
        if (is_everywhere((prov_event_id_t)event)) {
            print_edge(PROV_STATE_INIT, (prov_event_id_t)event, true);
        }
    }
    puts("\nEvents");
    for (int event = 0; event < PROV_EVENT_COUNT; event++) {
        printf("  %-14s  %s\n", prov_event_name((prov_event_id_t)event), EVENT_TEXTS[event]);
    }
    puts("\nActions, in the order in which they are carried out");
    for (int action = 0; action < PROV_ACTION_COUNT; action++) {
        printf("  %-17s  %s\n", in_words(ACTIONS[action].name), ACTIONS[action].text);
    }
    return 0;
}
