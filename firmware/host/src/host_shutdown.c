#include "host_shutdown.h"

#include <stdio.h>
#include <unistd.h>

#include "host_softap.h"

void host_shutdown(int status)
{
    host_softap_withdraw();
    fflush(stdout);
    _exit(status);
}
