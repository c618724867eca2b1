/* Deadlines of the state machine's task: a table, not timer callbacks, so nothing runs beside it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    PROV_TIMER_CONNECT,  /* start the next association */
    PROV_TIMER_LINK,     /* the association or DHCP takes too long */
    PROV_TIMER_RETRY,    /* the next try of the current step, or its watchdog */
    PROV_TIMER_STATUS,   /* periodic status message */
    PROV_TIMER_ACK,      /* the broker has not acknowledged a status message */
    PROV_TIMER_LINGER,   /* close the AP */
    PROV_TIMER_AP_STOP,  /* the last answer has left; close the AP */
    PROV_TIMER_AP_RETRY, /* the AP did not start */
    PROV_TIMER_CLOCK,    /* store the time */
    PROV_TIMER_RENEW,    /* look at the certificate's lifetime */
    PROV_TIMER_OFFLINE,  /* open the AP beside the attempts */
    PROV_TIMER_WINDOW,   /* close the AP that nobody has used */
    PROV_TIMER_BUTTON,
    PROV_TIMER_COUNT
} prov_timer_t;

typedef struct {
    int64_t due_ms[PROV_TIMER_COUNT]; /* on the uptime clock; 0 = off */
} prov_timers_t;

void prov_timer_start(prov_timers_t *timers, prov_timer_t timer, int64_t now_ms, uint32_t delay_ms);
void prov_timer_stop(prov_timers_t *timers, prov_timer_t timer);

/** Milliseconds until the next deadline: 0 when one has passed, `max_ms` when none comes sooner. */
uint32_t prov_timers_wait_ms(const prov_timers_t *timers, int64_t now_ms, uint32_t max_ms);

/** Takes out the earliest timer that is due; false when none is. */
bool prov_timers_take(prov_timers_t *timers, int64_t now_ms, prov_timer_t *timer);
