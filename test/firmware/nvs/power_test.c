/*
 * Loses power in the middle of every single flash operation of a scenario, and again in the
 * middle of the recovery from that. Afterwards each key must hold its old or its new value,
 * nothing may leak, and the partition must be fully usable.
 *
 *   nvs_power_test FLASH STRIDE     every STRIDE-th cut is followed by cuts of its recovery
 *
 * Every boot of the board is a forked process, because a cut kills it.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum {
    PAGES = 4,
    NVS_SIZE = PAGES * 4096,
    MAX_BLOB = 5000,
};

typedef enum { ERASE, NUMBER, TEXT, BLOB, ERASE_ALL } action_t;

typedef struct {
    action_t action;
    const char *ns;
    const char *key; /* NULL with ERASE_ALL */
    size_t size;     /* bytes */
    uint32_t seed;   /* of the value */
} step_t;

/* Starts on a partition that is nearly full of garbage, so that pages move all the time. */
static const step_t STEPS[] = {
    {TEXT, "test", "text", 40, 1},      {BLOB, "test", "blob", 4000, 2},
    {NUMBER, "test", "number", 0, 3},   {BLOB, "test", "blob", 4000, 4},
    {TEXT, "test", "text", 700, 5},     {BLOB, "test", "small", 10, 6},
    {NUMBER, "other", "late", 0, 7},    {TEXT, "other", "text", 33, 8},
    {BLOB, "test", "blob", 1200, 9},    {ERASE, "test", "number", 0, 0},
    {NUMBER, "test", "small", 0, 10},   {BLOB, "test", "blob", 5000, 11},
    {BLOB, "test", "small", 300, 12},   {TEXT, "test", "small", 20, 13},
    {ERASE, "test", "blob", 0, 0},      {BLOB, "other", "blob", 2000, 14},
    {BLOB, "test", "blob", 4000, 15},   {ERASE_ALL, "other", NULL, 0, 0},
    {TEXT, "test", "text", 3000, 16},   {BLOB, "test", "blob", 0, 17},
    {NUMBER, "test", "number", 0, 18},  {BLOB, "test", "blob", 4000, 19},
    {TEXT, "test", "text", 1, 20},      {BLOB, "test", "blob", 4001, 21},
};
enum { STEP_COUNT = sizeof(STEPS) / sizeof(STEPS[0]) };

static const struct {
    const char *ns;
    const char *key;
} SLOTS[] = {
    {"test", "text"},  {"test", "blob"},  {"test", "number"}, {"test", "small"},
    {"other", "late"}, {"other", "text"}, {"other", "blob"},
};
enum { SLOT_COUNT = sizeof(SLOTS) / sizeof(SLOTS[0]) };

static const char *const NAMESPACES[] = {"test", "other", "filler"};

static uint8_t s_data[MAX_BLOB];
static int *s_progress; /* shared with the children: steps begun so far */
static char s_count_file[4096];

static void fill_text(const step_t *step)
{
    fill_pattern(s_data, step->size, step->seed);
    for (size_t i = 0; i < step->size; ++i) {
        s_data[i] = (uint8_t)('a' + s_data[i] % 26);
    }
    s_data[step->size] = '\0';
}

static void perform(const step_t *step)
{
    nvs_handle_t handle;
    CHECK_OK(nvs_open(step->ns, NVS_READWRITE, &handle));
    switch (step->action) {
    case ERASE:
        CHECK_OK(nvs_erase_key(handle, step->key));
        break;
    case NUMBER:
        CHECK_OK(nvs_set_u32(handle, step->key, step->seed));
        break;
    case TEXT:
        fill_text(step);
        CHECK_OK(nvs_set_str(handle, step->key, (const char *)s_data));
        break;
    case BLOB:
        fill_pattern(s_data, step->size, step->seed);
        CHECK_OK(nvs_set_blob(handle, step->key, s_data, step->size));
        break;
    case ERASE_ALL:
        CHECK_OK(nvs_erase_all(handle));
        break;
    }
    nvs_close(handle);
}

/* The step that gave a slot its value, NULL when it has none, after `count` steps. */
static const step_t *expected(int slot, int count)
{
    const step_t *last = NULL;
    for (int i = 0; i < count && i < STEP_COUNT; ++i) {
        const step_t *step = &STEPS[i];
        if (strcmp(step->ns, SLOTS[slot].ns) != 0) {
            continue;
        }
        if (step->action == ERASE_ALL) {
            last = NULL;
        } else if (strcmp(step->key, SLOTS[slot].key) == 0) {
            last = step->action == ERASE ? NULL : step;
        }
    }
    return last;
}

/* How many values the key has, of whatever type: there must never be two. */
static int count_values(int slot)
{
    nvs_iterator_t it = NULL;
    int count = 0;
    esp_err_t err = nvs_entry_find(NVS_DEFAULT_PART_NAME, SLOTS[slot].ns, NVS_TYPE_ANY, &it);
    while (err == ESP_OK) {
        nvs_entry_info_t info;
        CHECK_OK(nvs_entry_info(it, &info));
        count += strcmp(info.key, SLOTS[slot].key) == 0 ? 1 : 0;
        err = nvs_entry_next(&it);
    }
    return count;
}

static bool slot_holds(int slot, const step_t *step)
{
    static uint8_t got[NVS_SIZE];
    size_t size = sizeof(got);
    uint32_t number = 0;
    nvs_handle_t handle;
    bool holds = false;

    CHECK_OK(nvs_open(SLOTS[slot].ns, NVS_READONLY, &handle));
    if (step->action == NUMBER) {
        holds = nvs_get_u32(handle, step->key, &number) == ESP_OK && number == step->seed;
    } else if (step->action == TEXT) {
        fill_text(step);
        holds = nvs_get_str(handle, step->key, (char *)got, &size) == ESP_OK &&
                size == step->size + 1 && memcmp(got, s_data, size) == 0;
    } else {
        fill_pattern(s_data, step->size, step->seed);
        holds = nvs_get_blob(handle, step->key, got, &size) == ESP_OK && size == step->size &&
                memcmp(got, s_data, size) == 0;
    }
    nvs_close(handle);
    return holds;
}

/* True when a slot is what the steps `old` or `new` (NULL: nothing) made of it. Counted before
 * reading, because reading a damaged value erases it. */
static bool slot_is_either(int slot, const step_t *old, const step_t *new)
{
    const int values = count_values(slot);
    if (values == 0) {
        return old == NULL || new == NULL;
    }
    return values == 1 && ((old != NULL && slot_holds(slot, old)) ||
                           (new != NULL && slot_holds(slot, new)));
}

/* ---- what the children do ---- */

static void prepare(int unused)
{
    (void)unused;
    nvs_handle_t handle;
    CHECK_OK(nvs_flash_init());
    CHECK_OK(nvs_open("filler", NVS_READWRITE, &handle));
    for (uint32_t i = 0; i < 60; ++i) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", (unsigned)(i % 20));
        fill_pattern(s_data, 150, i);
        CHECK_OK(nvs_set_blob(handle, key, s_data, 150));
    }
    for (uint32_t i = 4; i < 20; ++i) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", (unsigned)i);
        CHECK_OK(nvs_erase_key(handle, key));
    }
}

static void play(int unused)
{
    (void)unused;
    *s_progress = 0;
    CHECK_OK(nvs_flash_init());
    for (int i = 0; i < STEP_COUNT; ++i) {
        *s_progress = i + 1;
        perform(&STEPS[i]);
    }
}

static void recover(int unused)
{
    (void)unused;
    CHECK_OK(nvs_flash_init());
}

static void check_filler(void)
{
    nvs_handle_t handle;
    CHECK_OK(nvs_open("filler", NVS_READONLY, &handle));
    for (uint32_t i = 0; i < 4; ++i) {
        char key[16];
        snprintf(key, sizeof(key), "key%u", (unsigned)i);
        fill_pattern(s_data, 150, i + 40);
        check_blob(handle, key, s_data, 150);
    }
    nvs_close(handle);
}

static void use(int round)
{
    for (int slot = 0; slot < SLOT_COUNT; ++slot) {
        const step_t step = {slot == 0 ? TEXT : BLOB, SLOTS[slot].ns, SLOTS[slot].key,
                             slot == 1 ? 4000 : 50, (uint32_t)(1000 + round * SLOT_COUNT + slot)};
        perform(&step);
        CHECK(slot_holds(slot, &step));
    }
}

/* `begun` steps were begun when the power failed, the last of them not finished. */
static void verify(int begun)
{
    CHECK_OK(nvs_flash_init());
    for (int slot = 0; slot < SLOT_COUNT; ++slot) {
        if (!slot_is_either(slot, expected(slot, begun - 1), expected(slot, begun))) {
            fprintf(stderr, "step %d: %s/%s is neither old nor new\n", begun, SLOTS[slot].ns,
                    SLOTS[slot].key);
            exit(1);
        }
    }
    check_filler();
    check_no_garbage_in_use(NAMESPACES, 3);
    use(0);
    CHECK_OK(nvs_flash_deinit());
    CHECK_OK(nvs_flash_init());
    use(1);
    check_filler();
    check_no_garbage_in_use(NAMESPACES, 3);
}

/* ---- what the parent does ---- */

/* Run one boot; returns waitpid's status. `cut_at` 0: the power stays on. */
static int boot(void (*work)(int), int argument, unsigned long cut_at)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        if (cut_at > 0) {
            char text[32];
            snprintf(text, sizeof(text), "%lu", cut_at);
            setenv("PROV_HOST_NVS_CUT_AT", text, 1);
        } else {
            setenv("PROV_HOST_NVS_COUNT_FILE", s_count_file, 1);
        }
        work(argument);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static unsigned long boot_and_count(void (*work)(int), int argument)
{
    unsigned long count = 0;
    CHECK(boot(work, argument, 0) == 0);
    FILE *file = fopen(s_count_file, "r");
    CHECK(file != NULL);
    if (fscanf(file, "%lu", &count) != 1) {
        count = 0; /* nothing was written */
    }
    fclose(file);
    return count;
}

static void boot_and_cut(void (*work)(int), unsigned long cut_at)
{
    const int status = boot(work, 0, cut_at);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void verify_image(const uint8_t *image, int begun, unsigned long cut, unsigned long again)
{
    if (boot(verify, begun, 0) != 0) {
        fprintf(stderr, "after cut %lu (and %lu of the recovery)\n", cut, again);
        poke_flash(BLANK_FLASH_NVS, image, NVS_SIZE); /* left behind for a look */
        exit(1);
    }
}

static unsigned long cut_recovery(const uint8_t *image, int begun, unsigned long cut)
{
    unsigned long cuts = 0;
    poke_flash(BLANK_FLASH_NVS, image, NVS_SIZE);
    const unsigned long total = boot_and_count(recover, 0);
    for (unsigned long at = 1; at <= total; ++at) {
        poke_flash(BLANK_FLASH_NVS, image, NVS_SIZE);
        boot_and_cut(recover, at);
        verify_image(image, begun, cut, at);
        cuts += 1;
    }
    return cuts;
}

static uint32_t newest_page(void)
{
    uint32_t newest = 0;
    for (uint32_t page = 0; page < PAGES; ++page) {
        uint32_t words[2];
        peek_flash(BLANK_FLASH_NVS + page * 4096, words, sizeof(words));
        newest = words[0] != UINT32_MAX && words[1] > newest ? words[1] : newest;
    }
    return newest;
}

int main(int argc, char **argv)
{
    static uint8_t base[NVS_SIZE];
    static uint8_t after[NVS_SIZE];
    CHECK(argc == 3);
    const unsigned long stride = strtoul(argv[2], NULL, 10);
    CHECK(stride > 0);

    create_flash(argv[1], PAGES);
    snprintf(s_count_file, sizeof(s_count_file), "%s.count", argv[1]);
    s_progress = mmap(NULL, sizeof(*s_progress), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(s_progress != MAP_FAILED);

    CHECK(boot(prepare, 0, 0) == 0);
    const uint32_t pages_before = newest_page();
    peek_flash(BLANK_FLASH_NVS, base, sizeof(base));
    const unsigned long total = boot_and_count(play, 0);
    const uint32_t pages_taken = newest_page() - pages_before;
    CHECK(boot(verify, STEP_COUNT + 1, 0) == 0);
    CHECK(pages_taken >= 8); /* two rounds through the partition: pages were moved */

    unsigned long again = 0;
    for (unsigned long cut = 1; cut <= total; ++cut) {
        poke_flash(BLANK_FLASH_NVS, base, sizeof(base));
        boot_and_cut(play, cut);
        const int begun = *s_progress;
        peek_flash(BLANK_FLASH_NVS, after, sizeof(after));
        verify_image(after, begun, cut, 0);
        if (cut % stride == 0) {
            again += cut_recovery(after, begun, cut);
        }
    }
    printf("%lu cuts, %lu cuts of a recovery, %u pages taken\n", total, again,
           (unsigned)pages_taken);
    return 0;
}
