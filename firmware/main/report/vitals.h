/* How the chip is, for a status message. */
#pragma once

#include "status_report.h"

/** All but the radio's signal and the count of messages. */
void vitals_read(status_vitals_t *vitals);
