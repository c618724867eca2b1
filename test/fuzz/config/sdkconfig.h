/* Every symbol as codegen writes it, with the AP's window open for a while only. */
#pragma once

#include "../../golden/sdkconfig.h"

#undef CONFIG_PROV_AP_WINDOW_S
#define CONFIG_PROV_AP_WINDOW_S 600
