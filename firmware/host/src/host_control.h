/* The control descriptor: what the person at the virtual board does with their fingers. */
#pragma once

/**
 * Start the thread that reads `gpio <n> <level>` lines from `fd`. When the other end of a pipe
 * or socket goes away, so does the power: a board cannot outlive the hand that holds it.
 */
void host_control_start(int fd);
