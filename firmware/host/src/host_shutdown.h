/* The two ways in which the board ends in an orderly manner. */
#pragma once

#define HOST_EXIT_POWER_OFF 0
#define HOST_EXIT_RESTART 88

/**
 * Take the SoftAP off the air and end the process with `status`. Nothing else of the firmware
 * runs: power and reset do not ask either.
 */
void host_shutdown(int status) __attribute__((__noreturn__));
