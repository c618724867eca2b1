/*
 * Allocations that fail on purpose, for `npm run test:oom`. The call stack of an allocation has a name, the hash of its
 * return addresses. PROV_HOST_OOM names a folder with three files, of one name a line: a stack of `fail` finds no memory,
 * once; then it is in `struck`, and the next boot passes it over. `seen`, if there is one, gets each stack when it comes
 * first, and after its name where the return addresses lie, innermost first.
 */
#pragma once

#include <stdbool.h>

/** Of the allocation under way: notes it, and says whether it is to fail. */
bool host_oom_fails(void);
