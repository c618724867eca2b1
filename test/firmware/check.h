/* Assertions that NDEBUG cannot remove, and that let a test go on to show every failure at once. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One for all files of a program. Any thread may check, and ThreadSanitizer is to see no order in it. */
__attribute__((weak)) atomic_int s_failures;
__attribute__((weak)) atomic_int s_checks;
__attribute__((weak)) bool s_ends_at_failure;

static inline void check_that(int ok, const char *what, const char *file, int line)
{
    atomic_fetch_add_explicit(&s_checks, 1, memory_order_relaxed);
    if (!ok) {
        atomic_fetch_add_explicit(&s_failures, 1, memory_order_relaxed);
        fprintf(stderr, "%s:%d: %s\n", file, line, what);
        if (s_ends_at_failure) {
            _Exit(1);
        }
    }
}

#define CHECK(condition) check_that((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
/** One of a table: `name` says which. */
#define CHECK_CASE(condition, name) check_that((condition) ? 1 : 0, (name), __FILE__, __LINE__)
#define CHECK_TEXT(actual, expected)                                                             \
    do {                                                                                         \
        const char *actual_ = (actual);                                                          \
        const char *expected_ = (expected);                                                      \
        check_that(actual_ != NULL && strcmp(actual_, expected_) == 0, #actual, __FILE__, __LINE__); \
        if (actual_ == NULL || strcmp(actual_, expected_) != 0) {                                \
            fprintf(stderr, "    got \"%s\", expected \"%s\"\n", actual_ ? actual_ : "(null)", expected_); \
        }                                                                                        \
    } while (0)

/** The exit status of the test; a test that checked nothing has failed. */
static inline int check_result(const char *name)
{
    printf("%s: %d checks, %d failures\n", name, s_checks, s_failures);
    return s_failures == 0 && s_checks > 0 ? 0 : 1;
}
