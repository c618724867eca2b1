/* Bit masks under the names ESP-IDF gives them. */
#pragma once

#define BIT2 0x00000004
#define BIT1 0x00000002
#define BIT0 0x00000001

#ifndef BIT
#define BIT(nr) (1UL << (nr))
#endif
#ifndef BIT64
#define BIT64(nr) (1ULL << (nr))
#endif
