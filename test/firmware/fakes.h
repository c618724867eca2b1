/* Stand-ins for the modules around the runner: they write down what they are told to do. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "prov_records.h"

/**
 * Waits for the next call that begins with `prefix`, skipping others; NULL after 10 s. The text is
 * valid until fakes_reset().
 */
const char *fakes_wait(const char *prefix);

/** True when a call with that prefix came after the last one that was waited for. */
bool fakes_saw(const char *prefix);

/** Forgets all calls. */
void fakes_reset(void);

/** What the faked storage holds. */
typedef struct {
    bool has_pending;
    uint32_t pending_revision;
    provisioning_t pending;
    bool has_wifi;
    wifi_credentials_t wifi;
    bool has_certificate;
    bool has_worked;
    bool broken; /* every write fails */
} fake_store_t;

fake_store_t fakes_store(void);
void fakes_store_set(const fake_store_t *store);

void fakes_press_button(void);
