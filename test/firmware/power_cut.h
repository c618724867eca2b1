/* A device that boots in a process of its own and loses power at one of its writes to the flash. */
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "esp_err.h"

#define SURVIVED 0
#define INCONSISTENT 3

static inline void must(esp_err_t err)
{
    if (err != ESP_OK) {
        fprintf(stderr, "unexpected error 0x%x\n", (unsigned)err);
        exit(INCONSISTENT);
    }
}

/** One boot; the power is cut at its n-th write, 0 = never. True when it got to the end. */
static inline bool boot(void (*what)(void), int cut_at)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", cut_at);
        if (cut_at > 0) {
            setenv("PROV_HOST_NVS_CUT_AT", number, 1);
        } else {
            unsetenv("PROV_HOST_NVS_CUT_AT");
        }
        s_failures = 0;
        what();
        _exit(s_failures == 0 ? SURVIVED : INCONSISTENT);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    bool cut = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    CHECK(cut || (WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED));
    if (!cut && WEXITSTATUS(status) != SURVIVED) {
        fprintf(stderr, "    after a cut at write %d\n", cut_at);
    }
    return !cut;
}
