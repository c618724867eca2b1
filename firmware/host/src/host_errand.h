/* What a task of the chip has done by the machine around it, which has stack and heap of its own. */
#pragma once

/** Run `code` and wait for it: on a thread with room for any library, and off the chip's heap. */
void host_errand(void (*code)(void *), void *argument);
