#include "host_oom.h"

#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 48
#define NAME_DIGITS 16
#define MODULES_MAX 32
#define TARGETS_MAX 64
#define SEEN_SLOTS (1u << 15)
#define LINE_MAX_BYTES (DEPTH_MAX * 48 + 32)

typedef struct {
    uintptr_t start;
    uintptr_t end;
    uintptr_t base;
    const char *name;
} module_t;

static pthread_once_t s_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t s_lock = PTHREAD_MUTEX_INITIALIZER;
static module_t s_modules[MODULES_MAX];
static size_t s_module_count;
static int s_seen_fd = -1;
static int s_struck_fd = -1;
static uint64_t s_seen[SEEN_SLOTS];
static size_t s_seen_count;
static uint64_t s_targets[TARGETS_MAX];
static atomic_size_t s_target_count;
static __thread bool t_is_inside; /* the unwinder allocates too */

static int note_module(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    (void)argument;
    for (int i = 0; i < info->dlpi_phnum && s_module_count < MODULES_MAX; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD && (header->p_flags & PF_X) != 0) {
            const char *slash = strrchr(info->dlpi_name, '/');
            uintptr_t start = info->dlpi_addr + header->p_vaddr;
            s_modules[s_module_count++] = (module_t){
                .start = start,
                .end = start + header->p_memsz,
                .base = info->dlpi_addr,
                .name = slash != NULL ? slash + 1 : info->dlpi_name[0] != '\0' ? info->dlpi_name : "program",
            };
        }
    }
    return 0;
}

static int open_file(const char *name, int flags)
{
    char path[512];
    const char *folder = getenv("PROV_HOST_OOM");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, flags | O_CLOEXEC, 0600);
}

static void forget_target(uint64_t name)
{
    for (size_t i = 0; i < s_target_count; i++) {
        if (s_targets[i] == name) {
            s_targets[i] = s_targets[--s_target_count];
            return;
        }
    }
}

static void add_target(uint64_t name)
{
    if (s_target_count < TARGETS_MAX) {
        s_targets[s_target_count++] = name;
    }
}

static void read_names(const char *file, void (*take)(uint64_t name))
{
    char name[NAME_DIGITS + 1];
    int fd = open_file(file, O_RDONLY);
    while (fd >= 0 && read(fd, name, sizeof name) == (ssize_t)sizeof name) {
        take(strtoull(name, NULL, 16));
    }
    if (fd >= 0) {
        close(fd);
    }
}

static void start(void)
{
    if (getenv("PROV_HOST_OOM") == NULL) {
        return;
    }
    dl_iterate_phdr(note_module, NULL);
    s_seen_fd = open_file("seen", O_WRONLY | O_APPEND);
    s_struck_fd = open_file("struck", O_WRONLY | O_APPEND | O_CREAT);
    read_names("fail", add_target);
    read_names("struck", forget_target);
}

static const module_t *module_of(const void *address)
{
    for (size_t i = 0; i < s_module_count; i++) {
        if ((uintptr_t)address >= s_modules[i].start && (uintptr_t)address < s_modules[i].end) {
            return &s_modules[i];
        }
    }
    return NULL;
}

/* FNV-1a over the offsets in their modules, which are the same in each process. */
static uint64_t name_of(void *const *frames, int count)
{
    uint64_t name = UINT64_C(0xcbf29ce484222325);
    for (int i = 0; i < count; i++) {
        const module_t *module = module_of(frames[i]);
        uint64_t part = module != NULL ? (uintptr_t)frames[i] - module->base : 0;
        for (unsigned shift = 0; shift < 64; shift += 8) {
            name = (name ^ (part >> shift & 0xff)) * UINT64_C(0x100000001b3);
        }
    }
    return name;
}

static void write_line(uint64_t name, void *const *frames, int count)
{
    char line[LINE_MAX_BYTES];
    int length = snprintf(line, sizeof line, "%016" PRIx64, name);
    for (int i = 0; i < count && length < (int)sizeof line - 64; i++) {
        const module_t *module = module_of(frames[i]);
        if (module != NULL) {
            length += snprintf(line + length, sizeof line - (size_t)length, " %.24s+%" PRIxPTR, module->name,
                               (uintptr_t)frames[i] - module->base);
        }
    }
    line[length++] = '\n';
    if (write(s_seen_fd, line, (size_t)length) != length) {
        abort();
    }
}

/* With the lock held. */
static bool is_first(uint64_t name)
{
    size_t slot = name & (SEEN_SLOTS - 1);
    while (s_seen[slot] != 0 && s_seen[slot] != name) {
        slot = (slot + 1) & (SEEN_SLOTS - 1);
    }
    bool is_new = s_seen[slot] == 0 && s_seen_count < SEEN_SLOTS / 2;
    if (is_new) {
        s_seen[slot] = name;
        s_seen_count++;
    }
    return is_new;
}

/* With the lock held. */
static bool strike(uint64_t name)
{
    size_t before = s_target_count;
    forget_target(name);
    if (s_target_count == before) {
        return false;
    }
    char line[NAME_DIGITS + 2];
    int length = snprintf(line, sizeof line, "%016" PRIx64 "\n", name);
    if (write(s_struck_fd, line, (size_t)length) != length) {
        abort();
    }
    fprintf(stderr, "host_oom: %016" PRIx64 " finds no memory\n", name);
    return true;
}

static bool judge(void)
{
    void *frames[DEPTH_MAX];
    int count = backtrace(frames, DEPTH_MAX);
    uint64_t name = name_of(frames, count);
    pthread_mutex_lock(&s_lock);
    if (s_seen_fd >= 0 && is_first(name)) {
        write_line(name, frames, count);
    }
    bool fails = strike(name);
    pthread_mutex_unlock(&s_lock);
    return fails;
}

bool host_oom_fails(void)
{
    pthread_once(&s_once, start);
    if (t_is_inside || (s_seen_fd < 0 && s_target_count == 0)) {
        return false;
    }
    t_is_inside = true;
    bool fails = judge();
    t_is_inside = false;
    return fails;
}
