#include "host_errand.h"

#include <pthread.h>
#include <stdlib.h>

#include "host_heap.h"

typedef struct {
    void (*code)(void *);
    void *argument;
} errand_t;

static void *run(void *argument)
{
    const errand_t *errand = argument;
    host_heap_pause();
    errand->code(errand->argument);
    host_heap_resume();
    return NULL;
}

void host_errand(void (*code)(void *), void *argument)
{
    errand_t errand = {.code = code, .argument = argument};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, &errand) != 0 || pthread_join(thread, NULL) != 0) {
        abort();
    }
}
