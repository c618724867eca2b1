/* Stands in for a header that the bare compiler's C library lacks: only the host port's spinlock names it. */
#pragma once

typedef struct {
    int unused;
} pthread_mutex_t;

#define PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP \
    {                                          \
        0                                      \
    }

int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
