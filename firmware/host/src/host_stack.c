#include "host_stack.h"

#include <alloca.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host_heap.h"

/* What a chip's stack is here: frames of 64 bits, and what glibc's printf() takes more; measured, see CONTRIBUTING.md. */
#define FRAME_FACTOR 2
#define PRINTF_BYTES 1536

#if defined(HOST_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

#define OWN_BYTES (512 * 1024)
/* glibc keeps a thread's block and its thread-local variables at the top of the same memory, and takes no less. */
#define RESERVE_BYTES (32 * 1024)
#define GUARD_BYTES (64 * 1024) /* no frame is so large as to jump over it */
#define SIGNAL_BYTES (32 * 1024)
#define PAGE_BYTES 4096
#define PAINT 0xa5 /* tskSTACK_FILL_BYTE */
#define CANARY_BYTES 16 /* what FreeRTOS' second method looks at */

struct host_stack {
    host_stack_t *next; /* of those whose thread is over */
    char task[16]; /* configMAX_TASK_NAME_LEN */
    uint32_t chip_bytes;
    /* From low to high: the signal handler's stack, pages without access, the task's stack, glibc's part. */
    unsigned char *mapping; /* NULL: pthread's own stack */
    size_t mapping_bytes;
    unsigned char *bottom;
    size_t bytes;
    pthread_t thread;
    void (*code)(void *);
    void *argument;
};

static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static host_stack_t *s_over;
static __thread host_stack_t *t_stack;

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

static void __attribute__((__noreturn__)) overflow(const char *task)
{
    say("\n***ERROR*** A stack overflow in task ");
    say(task);
    say(" has been detected.\n");
    abort();
}

/* In a signal handler. Any other fault happens again when it returns, and is what it would be without it. */
static void on_fault(int number, siginfo_t *fault, void *context)
{
    (void)context;
    const unsigned char *address = fault->si_addr;
    if (t_stack != NULL && address >= t_stack->bottom - GUARD_BYTES && address < t_stack->bottom) {
        overflow(t_stack->task);
    }
    signal(number, SIG_DFL);
}

static void watch_for_faults(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (!IS_SANITIZED) {
        sigaction(SIGSEGV, &action, NULL);
    }
}

static void release(host_stack_t *stack)
{
    if (stack->mapping != NULL) {
        munmap(stack->mapping, stack->mapping_bytes);
    }
    host_heap_give(stack->chip_bytes);
    free(stack);
}

/* A thread has left its stack when it can be joined, and not before: as FreeRTOS' idle task frees the deleted ones'. */
static void bury(void)
{
    pthread_mutex_lock(&s_lock);
    host_stack_t *stack = s_over;
    s_over = NULL;
    pthread_mutex_unlock(&s_lock);
    while (stack != NULL) {
        host_stack_t *next = stack->next;
        pthread_join(stack->thread, NULL);
        release(stack);
        stack = next;
    }
}

static bool map(host_stack_t *stack)
{
    stack->bytes = (size_t)stack->chip_bytes * FRAME_FACTOR + PRINTF_BYTES;
    size_t room = (stack->bytes + RESERVE_BYTES + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    stack->mapping_bytes = SIGNAL_BYTES + GUARD_BYTES + room;
    void *mapping = mmap(NULL, stack->mapping_bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED) {
        return false;
    }
    stack->mapping = mapping;
    stack->bottom = stack->mapping + SIGNAL_BYTES + GUARD_BYTES;
    memset(stack->bottom, PAINT, stack->bytes);
    return mprotect(stack->mapping + SIGNAL_BYTES, GUARD_BYTES, PROT_NONE) == 0;
}

host_stack_t *host_stack_create(const char *task, uint32_t chip_bytes)
{
    static pthread_once_t s_once = PTHREAD_ONCE_INIT;
    pthread_once(&s_once, watch_for_faults);
    bury();
    host_stack_t *stack = calloc(1, sizeof *stack);
    if (stack == NULL) {
        return NULL;
    }
    snprintf(stack->task, sizeof stack->task, "%s", task);
    if (!host_heap_take(chip_bytes)) {
        free(stack);
        return NULL;
    }
    stack->chip_bytes = chip_bytes;
    if (chip_bytes != HOST_OWN_STACK && !IS_SANITIZED && !map(stack)) {
        release(stack);
        return NULL;
    }
    return stack;
}

static __attribute__((noinline)) void run(host_stack_t *stack)
{
    stack->code(stack->argument);
}

static void *enter(void *argument)
{
    host_stack_t *stack = argument;
    if (stack->mapping != NULL) {
        t_stack = stack;
        sigaltstack(&(stack_t){.ss_sp = stack->mapping, .ss_size = SIGNAL_BYTES}, NULL);
        /* From here down, the task has what it asked for and no more, whatever glibc took above. */
        unsigned char *here = __builtin_frame_address(0);
        void *above = alloca((size_t)(here - stack->bottom) - stack->bytes);
        __asm__ volatile("" : : "r"(above) : "memory");
    }
    run(stack);
    if (stack->mapping == NULL) {
        release(stack);
        return NULL;
    }
    host_heap_give(stack->chip_bytes);
    stack->chip_bytes = 0;
    pthread_mutex_lock(&s_lock);
    stack->next = s_over;
    s_over = stack;
    pthread_mutex_unlock(&s_lock);
    return NULL;
}

bool host_stack_start(host_stack_t *stack, void (*code)(void *), void *argument)
{
    stack->code = code;
    stack->argument = argument;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (stack->mapping != NULL) {
        size_t above_guard = stack->mapping_bytes - SIGNAL_BYTES - GUARD_BYTES;
        pthread_attr_setstack(&attributes, stack->bottom, above_guard);
    } else {
        pthread_attr_setstacksize(&attributes, OWN_BYTES);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    }
    int result = pthread_create(&stack->thread, &attributes, enter, stack);
    pthread_attr_destroy(&attributes);
    if (result != 0) {
        release(stack);
    }
    return result == 0;
}

uint32_t host_stack_unused(const host_stack_t *stack)
{
    size_t unused = 0;
    while (unused < stack->bytes && stack->bottom[unused] == PAINT) {
        unused++;
    }
    return stack->mapping != NULL ? (uint32_t)(unused * stack->chip_bytes / stack->bytes) : stack->chip_bytes;
}

void host_stack_check(void)
{
    for (int i = 0; t_stack != NULL && i < CANARY_BYTES; i++) {
        if (t_stack->bottom[i] != PAINT) {
            overflow(t_stack->task);
        }
    }
}
