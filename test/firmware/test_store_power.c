/*
 * Cuts the power in the middle of every single flash write of a provisioning, a re-provisioning and a
 * reset, and boots again: device_store must hold the old or the new state, never a mixture, and the
 * device must always be able to finish.
 *
 *   test_store_power DIR
 *
 * A cut kills the process (PROV_HOST_NVS_CUT_AT), so every boot is a forked one.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blank_flash.h"
#include "check.h"
#include "device_store.h"
#include "nvs.h"
#include "nvs_flash.h"

#define RUNS 2
#define SURVIVED 0
#define INCONSISTENT 3

/** Shared with the children: which run's POST was answered, and whether its certificate was stored. */
static struct {
    int answered;
    int certified;
} *s_progress;

static char s_flash[512];

static provisioning_t run_of(int run)
{
    provisioning_t prov;
    memset(&prov, 0, sizeof prov);
    snprintf(prov.wifi.ssid, sizeof prov.wifi.ssid, "network-%d", run);
    snprintf(prov.wifi.password, sizeof prov.wifi.password, "password-%d", run);
    snprintf(prov.enrol.attempt_id, sizeof prov.enrol.attempt_id, "attempt-%d", run);
    memset(prov.enrol.token, 'A' + run, 700);
    memset(prov.enrol.bearer, 'a' + run, 900);
    return prov;
}

static certificate_t certificate_of(int run)
{
    certificate_t certificate;
    char pem[1200];
    memset(pem, 'p' + run, sizeof pem - 1);
    pem[sizeof pem - 1] = '\0';
    if (!certificate_make(pem, pem, &certificate)) {
        exit(INCONSISTENT);
    }
    return certificate;
}

/** Which run a certificate slot belongs to; -1 = empty. Anything else in it is a failure. */
static int certificate_run(certificate_slot_t slot)
{
    certificate_t certificate;
    if (device_store_load_certificate(slot, &certificate) != ESP_OK) {
        return -1;
    }
    int run = certificate.certificate_pem[0] - 'p';
    CHECK(run >= 0 && run < RUNS);
    certificate_t expected = certificate_of(run);
    CHECK_TEXT(certificate.certificate_pem, expected.certificate_pem);
    CHECK_TEXT(certificate.ca_pem, expected.ca_pem);
    certificate_free(&expected);
    certificate_free(&certificate);
    return run;
}

static int wifi_run(const wifi_credentials_t *wifi)
{
    for (int run = 0; run < RUNS; run++) {
        provisioning_t expected = run_of(run);
        if (memcmp(wifi, &expected.wifi, sizeof *wifi) == 0) {
            return run;
        }
    }
    return -1;
}

/** Which run an enrolment record belongs to; its token may be spent, the rest must be complete. */
static int enrol_run(const enrolment_t *enrol)
{
    for (int run = 0; run < RUNS; run++) {
        enrolment_t expected = run_of(run).enrol;
        if (enrol->token[0] == '\0') {
            memset(expected.token, 0, sizeof expected.token);
        }
        if (memcmp(enrol, &expected, sizeof expected) == 0) {
            return run;
        }
    }
    return -1;
}

/** What a boot finds must be one of the states between two steps. */
static void check_state(void)
{
    static provisioning_t pending;
    static wifi_credentials_t wifi;
    static enrolment_t enrol;
    uint32_t revision;
    bool has_pending = device_store_load_pending(&pending, &revision) == ESP_OK;
    bool has_wifi = device_store_load_wifi(&wifi) == ESP_OK;
    bool has_enrol = device_store_load_enrolment(&enrol) == ESP_OK;
    int newest = certificate_run(CERTIFICATE_SLOT_NEW);
    int active = certificate_run(CERTIFICATE_SLOT_ACTIVE);
    if (has_pending) {
        CHECK(wifi_run(&pending.wifi) >= 0);
        CHECK(enrol_run(&pending.enrol) == wifi_run(&pending.wifi) && pending.enrol.token[0] != '\0');
    }
    if (has_wifi) {
        CHECK(wifi_run(&wifi) >= 0);
    }
    if (has_enrol) {
        CHECK(enrol_run(&enrol) >= 0);
    }
    if (has_wifi && !has_pending) {
        /* Committed: both records are of one run, and that run can finish or has finished. */
        CHECK(has_enrol && enrol_run(&enrol) == wifi_run(&wifi));
        CHECK(enrol.token[0] != '\0' || newest >= 0 || active >= 0);
    }
    if (s_progress->answered > 0) {
        CHECK(has_pending || has_wifi); /* an answered POST is never forgotten */
    }
    if (s_progress->certified > 0) {
        CHECK(newest >= 0 || active >= 0); /* an identity once stored is never lost */
    }
}

static void must(esp_err_t err)
{
    if (err != ESP_OK) {
        fprintf(stderr, "unexpected error 0x%x\n", (unsigned)err);
        exit(INCONSISTENT);
    }
}

/** What the state machine does after a boot or a POST, with a network and a backend that agree. */
static int finish(void)
{
    static wifi_credentials_t wifi;
    static enrolment_t enrol;
    static provisioning_t pending;
    uint32_t revision;
    if (device_store_load_pending(&pending, &revision) == ESP_OK) {
        must(device_store_commit_pending(revision));
    }
    if (device_store_load_wifi(&wifi) != ESP_OK) {
        return -1;
    }
    must(device_store_load_enrolment(&enrol));
    int run = enrol_run(&enrol);
    if (certificate_run(CERTIFICATE_SLOT_NEW) < 0 && enrol.token[0] != '\0') {
        certificate_t certificate = certificate_of(run);
        must(device_store_save_certificate(&certificate));
        certificate_free(&certificate);
        s_progress->certified = 1;
    }
    must(device_store_promote_certificate());
    must(device_store_save_clock(&(clock_record_t){.time = 1750000000 + run}));
    return run;
}

static void scenario(void)
{
    must(device_store_init());
    check_state();
    int done = finish();
    for (int run = done + 1; run < RUNS; run++) {
        provisioning_t prov = run_of(run);
        must(device_store_save_pending(&prov));
        s_progress->answered = run + 1;
        CHECK(finish() == run);
    }
    CHECK(certificate_run(CERTIFICATE_SLOT_ACTIVE) == RUNS - 1 && certificate_run(CERTIFICATE_SLOT_NEW) < 0);
    /* A token that is left beside an active certificate would be presented again, and refused. */
    static enrolment_t enrol;
    CHECK(device_store_load_enrolment(&enrol) == ESP_OK && enrol.token[0] == '\0');
}

/** Whether eight bytes of that value in a row are anywhere in the flash; a record is never cut finer. */
static bool is_in_flash(const char *needle, size_t size)
{
    static uint8_t image[BLANK_FLASH_SIZE];
    int fd = open(s_flash, O_RDONLY);
    CHECK(fd >= 0 && read(fd, image, sizeof image) == (ssize_t)sizeof image);
    close(fd);
    return memmem(image, sizeof image, needle, size) != NULL;
}

/** Nothing of a run's token, or of all its secrets, can be read out of the chip. */
static void check_forgotten(int run, bool token_only)
{
    provisioning_t prov = run_of(run);
    CHECK(!is_in_flash(prov.enrol.token, 8));
    if (!token_only) {
        CHECK(!is_in_flash(prov.enrol.bearer, 8));
        CHECK(!is_in_flash(prov.wifi.password, strlen(prov.wifi.password)));
    }
}

/** What was replaced or spent is gone; what is needed is there. */
static void check_purged(void)
{
    must(device_store_init());
    check_forgotten(0, false);
    check_forgotten(1, true);
    CHECK(is_in_flash("password-1", 10) && is_in_flash("bbbbbbbb", 8));
}

static void wifi_reset_scenario(void)
{
    wifi_credentials_t wifi;
    must(device_store_init());
    must(device_store_erase(true));
    CHECK(device_store_load_wifi(&wifi) == ESP_ERR_NOT_FOUND && device_store_has_certificate());
    check_forgotten(0, false);
    check_forgotten(1, false);
}

/** A reset that is cut leaves a device that can be reset again; afterwards nothing is left. */
static void reset_scenario(void)
{
    wifi_credentials_t wifi;
    must(device_store_init());
    must(device_store_erase(false));
    CHECK(device_store_load_wifi(&wifi) == ESP_ERR_INVALID_STATE); /* closed, so that nothing comes back */
    CHECK(!device_store_has_certificate() && device_store_save_clock(&(clock_record_t){.time = 1}) != ESP_OK);
}

static void after_reset_scenario(void)
{
    wifi_credentials_t wifi;
    clock_record_t clock;
    must(device_store_init());
    CHECK(device_store_load_wifi(&wifi) == ESP_ERR_NOT_FOUND);
    CHECK(!device_store_has_certificate() && device_store_load_clock(&clock) != ESP_OK);
    check_forgotten(0, false);
    check_forgotten(1, false);
    CHECK(!is_in_flash("pppppppp", 8) && !is_in_flash("qqqqqqqq", 8)); /* nor of the certificates */
}

static void check_reset_state(void)
{
    wifi_credentials_t wifi;
    must(device_store_init());
    bool has_wifi = device_store_load_wifi(&wifi) == ESP_OK;
    bool complete = has_wifi && device_store_has_certificate();
    CHECK(!has_wifi || complete); /* without its WiFi it boots into AP_MODE, whatever else is left */
    (void)certificate_run(CERTIFICATE_SLOT_ACTIVE);
}

/** One boot; the power is cut at its n-th write, 0 = never. True when it got to the end. */
static bool boot(void (*what)(void), int cut_at)
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

static void erase_flash(void)
{
    CHECK(blank_flash_write(s_flash, BLANK_FLASH_PAGES));
    memset(s_progress, 0, sizeof *s_progress);
}

/** Leaves so little room that what may go first has to, in every step: three certificates do not fit, nor two requests. */
static void crowd(void)
{
    static uint8_t ballast[320 * 32];
    nvs_handle_t other;
    must(nvs_flash_init());
    must(nvs_open("other", NVS_READWRITE, &other));
    must(nvs_set_blob(other, "ballast", ballast, sizeof ballast));
    must(nvs_commit(other));
}

static int cut_provisioning(bool crowded)
{
    int cut = 1;
    for (bool ended = false; !ended; cut += crowded ? 2 : 1) { /* each boot costs, and half of them reach every step */
        erase_flash();
        if (crowded) {
            boot(crowd, 0);
        }
        ended = boot(scenario, cut);
        CHECK(boot(scenario, 0)); /* and it always finishes */
        CHECK(boot(check_purged, 0));
    }
    return cut;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    snprintf(s_flash, sizeof s_flash, "%s/store-flash.bin", argv[1]);
    setenv("PROV_HOST_FLASH", s_flash, 1);
    s_progress = mmap(NULL, sizeof *s_progress, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    int cut = cut_provisioning(false);
    int crowded_cut = cut_provisioning(true);
    int reset_cut = 1;
    for (bool ended = false; !ended; reset_cut++) {
        erase_flash();
        boot(scenario, 0);
        ended = boot(reset_scenario, reset_cut);
        CHECK(boot(check_reset_state, 0));
        CHECK(boot(reset_scenario, 0));
        CHECK(boot(after_reset_scenario, 0));
    }
    int wifi_reset_cut = 1;
    for (bool ended = false; !ended; wifi_reset_cut++) {
        erase_flash();
        boot(scenario, 0);
        ended = boot(wifi_reset_scenario, wifi_reset_cut);
        CHECK(boot(wifi_reset_scenario, 0));
    }
    CHECK(cut > 20 && crowded_cut > cut && reset_cut > 5 && wifi_reset_cut > 5);
    printf("%d cuts in provisioning, %d in one without room, %d in a reset, %d in one of the WiFi\n", cut - 2, crowded_cut - 2, reset_cut - 2, wifi_reset_cut - 2);
    return check_result("store_power");
}
