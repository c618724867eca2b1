/* The host's own header, which names nothing of a C library. */
#pragma once

#include "/usr/include/http_parser.h"
