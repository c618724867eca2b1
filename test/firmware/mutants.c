/*
 * The state machine's table with one fault each: what test_runner does not notice, it does not test. The faults are put
 * in between the runner and the table (the linker's --wrap), so the table itself is the real one.
 *   mutants          tries all; ends with 1 when one survives that mutant_equivalents.h does not explain
 *   mutants WORDS    shows what the tests say to those whose name has WORDS in it
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "mutant_equivalents.h"
#include "prov_actions.h"
#include "prov_sm.h"
#include "runner_scenarios.h"

#define STAYS PROV_STATE_COUNT
/** A mutant that hangs is noticed. */
#define HANGS_AFTER_S 20

prov_step_t __real_prov_sm_step(prov_state_t state, prov_event_id_t event);
bool __real_prov_sm_handles(prov_state_t state, prov_event_id_t event);
bool __real_prov_actions_run(prov_context_t *context, uint64_t actions, const prov_msg_t *msg);

/** An edge of the table: what `event` does in all states in which it does the same. */
typedef struct {
    prov_event_id_t event;
    uint32_t states;
    prov_state_t to; /* or STAYS */
    uint64_t actions;
} edge_t;

/** The one fault: the edge as it would be, or gone; or an action that runs after one that it stands before. */
static struct {
    const edge_t *edge;
    edge_t becomes;
    bool is_gone;
    uint64_t early;
    uint64_t late;
} s_mutant;

static edge_t s_edges[PROV_STATE_COUNT * PROV_EVENT_COUNT];
static size_t s_edge_count;
static const char *s_filter;
static int s_tried;
static int s_unexplained;
static bool s_is_used[sizeof EQUIVALENTS / sizeof EQUIVALENTS[0]];

static const char *const ACTIONS[] = {
#define X(name, function, text) #name,
    PROV_ACTIONS(X)
#undef X
};

/** Actions that could be mistaken for each other. */
static const uint64_t KINDS[] = {
    PROV_DO(MQTT_STOP) | PROV_DO(MQTT_LEAVE) | PROV_DO(MQTT_FAREWELL),
    PROV_DO(DROP_PENDING) | PROV_DO(COMMIT_PENDING),
    PROV_DO(STORE_CERTIFICATE) | PROV_DO(PROVE_CERTIFICATE),
    PROV_DO(NOTE_ERROR) | PROV_DO(SET_ERROR) | PROV_DO(CLEAR_ERROR),
    PROV_DO(AP_START) | PROV_DO(AP_OFFER),
    PROV_DO(CONNECT_SOON) | PROV_DO(CONNECT_BACKOFF) | PROV_DO(CONNECT),
    PROV_DO(SYNC_CLOCK) | PROV_DO(CHECK_CERTIFICATE) | PROV_DO(SUBMIT_CSR) | PROV_DO(MQTT_START) |
        PROV_DO(RETRY_BACKOFF),
    PROV_DO(RENEW) | PROV_DO(RENEW_LATER),
    PROV_DO(SHOW_STATUS) | PROV_DO(PUBLISH_STATUS) | PROV_DO(REPORT),
    PROV_DO(AP_LINGER) | PROV_DO(AP_STOP),
};

static bool is_of(const edge_t *edge, prov_state_t state, prov_event_id_t event)
{
    return edge != NULL && edge->event == event && (edge->states & (1u << state)) != 0;
}

prov_step_t __wrap_prov_sm_step(prov_state_t state, prov_event_id_t event)
{
    prov_step_t step = __real_prov_sm_step(state, event);
    if (is_of(s_mutant.edge, state, event)) {
        step.state = s_mutant.is_gone || s_mutant.becomes.to == STAYS ? state : s_mutant.becomes.to;
        step.actions = s_mutant.is_gone ? 0 : s_mutant.becomes.actions;
    }
    return step;
}

bool __wrap_prov_sm_handles(prov_state_t state, prov_event_id_t event)
{
    return __real_prov_sm_handles(state, event) && !(s_mutant.is_gone && is_of(s_mutant.edge, state, event));
}

bool __wrap_prov_actions_run(prov_context_t *context, uint64_t actions, const prov_msg_t *msg)
{
    uint64_t both = s_mutant.early | s_mutant.late;
    if (both == 0 || (actions & both) != both) {
        return __real_prov_actions_run(context, actions, msg);
    }
    uint64_t before_late = s_mutant.late - 1;
    return __real_prov_actions_run(context, actions & before_late & ~s_mutant.early, msg) &&
           __real_prov_actions_run(context, s_mutant.late, msg) &&
           __real_prov_actions_run(context, s_mutant.early, msg) &&
           __real_prov_actions_run(context, actions & ~before_late & ~s_mutant.late, msg);
}

static edge_t *edge_like(prov_event_id_t event, prov_state_t to, uint64_t actions)
{
    for (size_t i = 0; i < s_edge_count; i++) {
        if (s_edges[i].event == event && s_edges[i].to == to && s_edges[i].actions == actions) {
            return &s_edges[i];
        }
    }
    s_edges[s_edge_count] = (edge_t){.event = event, .to = to, .actions = actions};
    return &s_edges[s_edge_count++];
}

/** A table tells no edge that leads to where it starts from one that stays; here it is the state of the others. */
static void read_table(void)
{
    for (int event = 0; event < PROV_EVENT_COUNT; event++) {
        prov_state_t only = STAYS;
        bool moves = false;
        for (int state = 0; state < PROV_STATE_COUNT; state++) {
            prov_state_t to = __real_prov_sm_step((prov_state_t)state, (prov_event_id_t)event).state;
            if ((int)to != state) {
                moves = only == STAYS || only == to;
                only = to;
            }
        }
        for (int state = 0; state < PROV_STATE_COUNT; state++) {
            if (__real_prov_sm_handles((prov_state_t)state, (prov_event_id_t)event)) {
                prov_step_t step = __real_prov_sm_step((prov_state_t)state, (prov_event_id_t)event);
                bool stays = (int)step.state == state && !(moves && step.state == only);
                edge_like((prov_event_id_t)event, stays ? STAYS : step.state, step.actions)->states |= 1u << state;
            }
        }
    }
}

static bool is_explained(const char *name)
{
    bool found = false;
    for (size_t i = 0; i < sizeof EQUIVALENTS / sizeof EQUIVALENTS[0]; i++) {
        bool is_it = strcmp(EQUIVALENTS[i].mutant, name) == 0;
        s_is_used[i] |= is_it;
        found |= is_it;
    }
    return found;
}

/** Runs the tests against the mutant in a child; true when they end well. */
static bool survives(void)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (s_filter == NULL && (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)) {
            _Exit(2);
        }
        alarm(HANGS_AFTER_S);
        s_ends_at_failure = true;
        runner_scenarios();
        _Exit(check_result("runner"));
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || (WIFEXITED(status) && WEXITSTATUS(status) == 2)) {
        perror("fork");
        exit(2);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void try_mutant(const char *name)
{
    if (s_filter != NULL && strstr(name, s_filter) == NULL) {
        return;
    }
    bool is_alive = survives();
    s_tried++;
    if (s_filter != NULL) {
        printf("%s: %s\n", is_alive ? "survived" : "killed", name);
    } else if (is_alive != is_explained(name)) {
        s_unexplained++;
        printf("%s: %s\n", is_alive ? "SURVIVED" : "KILLED, but listed as equivalent", name);
    }
}

static void try_edge(const edge_t *edge, const char *what, const char *detail)
{
    static char s_name[160];
    char states[96] = "any state";
    if (edge->states != (1u << PROV_STATE_COUNT) - 1u) {
        states[0] = '\0';
        for (int state = 0; state < PROV_STATE_COUNT; state++) {
            if ((edge->states & (1u << state)) != 0) {
                size_t length = strlen(states);
                snprintf(states + length, sizeof states - length, "%s%s", length > 0 ? ", " : "",
                         prov_state_name((prov_state_t)state));
            }
        }
    }
    snprintf(s_name, sizeof s_name, "%s / %s: %s%s", states, prov_event_name(edge->event), what, detail);
    s_mutant.edge = edge;
    try_mutant(s_name);
    s_mutant.edge = NULL;
}

static uint64_t bit(int action)
{
    return UINT64_C(1) << action;
}

static uint64_t kind_of(int action)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if ((KINDS[i] & bit(action)) != 0) {
            return KINDS[i];
        }
    }
    return bit(action);
}

static void mutate_actions(const edge_t *edge)
{
    char detail[64];
    for (int action = 0; action < PROV_ACTION_COUNT; action++) {
        if ((edge->actions & bit(action)) == 0) {
            continue;
        }
        s_mutant.becomes = *edge;
        s_mutant.becomes.actions &= ~bit(action);
        try_edge(edge, "without ", ACTIONS[action]);
        for (int other = 0; other < PROV_ACTION_COUNT; other++) {
            if ((kind_of(action) & bit(other) & ~edge->actions) != 0) {
                s_mutant.becomes.actions = (edge->actions & ~bit(action)) | bit(other);
                snprintf(detail, sizeof detail, "%s for %s", ACTIONS[other], ACTIONS[action]);
                try_edge(edge, "", detail);
            }
        }
    }
}

static void mutate_target(const edge_t *edge)
{
    s_mutant.becomes = *edge;
    for (int to = 0; to <= PROV_STATE_COUNT; to++) {
        bool is_same = to == (int)edge->to || (edge->to == STAYS && edge->states == 1u << to) ||
                       (to == STAYS && edge->states == 1u << edge->to);
        if (!is_same) {
            s_mutant.becomes.to = (prov_state_t)to;
            try_edge(edge, to == STAYS ? "stays" : "to ", to == STAYS ? "" : prov_state_name((prov_state_t)to));
        }
    }
}

/** Each two actions that follow one another in an edge, the other way round wherever both are asked for. */
static void mutate_order(void)
{
    static bool s_is_tried[PROV_ACTION_COUNT][PROV_ACTION_COUNT];
    for (size_t i = 0; i < s_edge_count; i++) {
        int early = -1;
        for (int late = 0; late < PROV_ACTION_COUNT; late++) {
            if ((s_edges[i].actions & bit(late)) == 0) {
                continue;
            }
            if (early >= 0 && !s_is_tried[early][late]) {
                char name[96];
                s_is_tried[early][late] = true;
                s_mutant.early = bit(early);
                s_mutant.late = bit(late);
                snprintf(name, sizeof name, "order: %s before %s", ACTIONS[late], ACTIONS[early]);
                try_mutant(name);
            }
            early = late;
        }
    }
    s_mutant.early = 0;
    s_mutant.late = 0;
}

static void mutate_existence(const edge_t *edge)
{
    s_mutant.is_gone = true;
    try_edge(edge, "gone", "");
    for (int state = 0; state < PROV_STATE_COUNT && (edge->states & (edge->states - 1)) != 0; state++) {
        edge_t cell = *edge;
        cell.states &= 1u << state;
        if (cell.states != 0) {
            try_edge(&cell, "gone", "");
        }
    }
    s_mutant.is_gone = false;
}

int main(int argc, char **argv)
{
    s_filter = argc > 1 ? argv[1] : NULL;
    read_table();
    if (!survives()) {
        fprintf(stderr, "the tests fail without a fault in the table\n");
        return 2;
    }
    for (size_t i = 0; i < s_edge_count; i++) {
        mutate_actions(&s_edges[i]);
        mutate_target(&s_edges[i]);
        mutate_existence(&s_edges[i]);
    }
    mutate_order();
    size_t equivalents = sizeof EQUIVALENTS / sizeof EQUIVALENTS[0];
    for (size_t i = 0; i < equivalents && s_filter == NULL; i++) {
        if (!s_is_used[i]) {
            s_unexplained++;
            printf("NO MUTANT, but listed as equivalent: %s\n", EQUIVALENTS[i].mutant);
        }
    }
    printf("%zu edges, %d mutants, %zu of them equivalent, %d survivors or stale lines\n", s_edge_count, s_tried,
           equivalents, s_unexplained);
    return s_unexplained == 0 && s_tried > 0 ? 0 : 1;
}
