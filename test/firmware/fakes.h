/* Stand-ins for the modules around the runner: they write down what they are told to do. */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "prov_records.h"
#include "prov_status.h"

typedef struct {
    char text[64];
    prov_status_t status; /* what others saw of the device at that moment */
} fake_call_t;

/** The next call that begins with `prefix`, skipping others; NULL if there is none. */
const fake_call_t *fakes_take(const char *prefix);

/** The call that comes `index` after the last one that was taken; NULL if there is none. */
const fake_call_t *fakes_peek(int index);

/** True when a call with that prefix came after the last one that was taken. */
bool fakes_saw(const char *prefix);

/** Writes a call down, as printf() does. */
void fakes_note(const char *format, ...);

/** Forgets all calls. */
void fakes_reset(void);

/** Where esp_restart() leads. */
extern jmp_buf fakes_restarted;

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
    bool unreadable;
} fake_store_t;

fake_store_t *fakes_store(void);

void fakes_press_button(void);
