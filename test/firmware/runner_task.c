/* The runner's task, run by hand: no time passes but what the machine waits for. */
#include "runner_task.h"

#include "fakes.h"
#include "one_thread.h"
#include "prov_runner.c" /* for what is static in it */

bool runner_power_on(esp_err_t storage)
{
    static bool s_is_ready;
    s_is_ready = s_is_ready || (prov_status_init() == ESP_OK && prov_mailbox_init() == ESP_OK);
    memset(&s_context, 0, sizeof s_context);
    prov_status_set(&s_context.status, true);
    return s_is_ready && prov_runner_start(storage) == ESP_OK;
}

prov_state_t runner_state(void)
{
    return s_context.status.state;
}

int64_t runner_wait_ms(void)
{
    return g_queued > 0 ? 0 : prov_timers_wait_ms(&s_context.timers, g_uptime_ms, IDLE_WAIT_MS);
}

void runner_round(void)
{
    g_uptime_ms += runner_wait_ms();
    if (setjmp(fakes_restarted) == 0) {
        run_once(0);
    }
}
