/*
 * Allocations that fail on purpose. A call stack that ends in an allocation has a name, the hash of its return
 * addresses. PROV_HOST_OOM_TRACE names a file that gets a line for each stack when it comes first: its name, then where
 * each return address lies (in hexadecimal, `program` or the library's name, and the offset in it). PROV_HOST_OOM_FAIL
 * lists names whose next allocation fails, once each.
 */
#pragma once

#include <stdbool.h>

/** Of the allocation under way: notes it, and says whether it is to fail. */
bool host_oom_fails(void);
