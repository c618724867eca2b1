/* Where the modules leave what they have to tell the state machine's task. It knows neither them nor the task. */
#pragma once

#include "esp_err.h"
#include "prov_event.h"

/** Makes the mailbox; call it before anything that posts. */
esp_err_t prov_mailbox_init(void);

/**
 * Puts a copy into the queue of the state machine's task. Waits briefly for room; false when there
 * is none, and the caller still owns what the message points to. Not for interrupts.
 */
bool prov_post(const prov_msg_t *msg);

/** Shorthand for a message that is just an event. */
bool prov_post_event(prov_event_id_t event);

/** For the state machine's task: the oldest message, waited for at most `timeout_ms`; false when none has come. */
bool prov_mailbox_take(prov_msg_t *msg, uint32_t timeout_ms);

/** Frees what a message owns that means nothing any more. */
void prov_msg_release(const prov_msg_t *msg);
