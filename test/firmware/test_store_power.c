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
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blank_flash.h"
#include "check.h"
#include "device_store.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "power_cut.h"
#include "some_certificate.h"

#define RUNS 2

/** Shared with the children: which run's POST was answered, and how many certificates were stored. */
static struct {
    int answered;
    int certified;
} *s_progress;

static char s_flash[512];

/** How long a token and a certificate are: so that all fits, or so that what may go has to. */
static size_t s_token_size = 700;
static size_t s_der_size = 1200;

/** The longest of everything: the secrets of a request do not fit twice beside a certificate that works. */
static bool is_full_size(void)
{
    return s_token_size == PROV_TOKEN_MAX;
}

static provisioning_t run_of(int run)
{
    provisioning_t prov;
    memset(&prov, 0, sizeof prov);
    snprintf(prov.wifi.ssid, sizeof prov.wifi.ssid, "network-%d", run);
    snprintf(prov.wifi.password, sizeof prov.wifi.password, "password-%d", run);
    snprintf(prov.enrol.attempt_id, sizeof prov.enrol.attempt_id, "attempt-%d", run);
    memset(prov.enrol.token, 'A' + run, s_token_size);
    memset(prov.enrol.bearer, 'a' + run, 900);
    return prov;
}

static certificate_t certificate_of(int run)
{
    certificate_t certificate = some_certificate('p' + 2 * run, s_der_size, s_der_size);
    if (certificate.record == NULL) {
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
    certificate_item_t own = {0};
    CHECK(certificate_next(&certificate, CERTIFICATE_SENT, &own));
    int run = (own.der[0] - 'p') / 2;
    CHECK(run >= 0 && run < RUNS);
    certificate_t expected = certificate_of(run);
    CHECK(is_same_certificate(&certificate, &expected));
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
        bool has_lost_secrets = !has_enrol && is_full_size() && active >= 0;
        CHECK(has_lost_secrets || (has_enrol && enrol_run(&enrol) == wifi_run(&wifi)));
        CHECK(has_lost_secrets || enrol.token[0] != '\0' || newest >= 0 || active >= 0);
    }
    if (s_progress->answered > 0) {
        CHECK(has_pending || has_wifi); /* an answered POST is never forgotten */
    }
    if (s_progress->certified > 0) {
        CHECK(newest >= 0 || active >= 0); /* an identity once stored is never lost */
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
    memset(&enrol, 0, sizeof enrol);
    esp_err_t err = device_store_load_enrolment(&enrol);
    must(err == ESP_ERR_NOT_FOUND && is_full_size() ? ESP_OK : err);
    int run = wifi_run(&wifi);
    if (certificate_run(CERTIFICATE_SLOT_NEW) < 0 && enrol.token[0] != '\0') {
        certificate_t certificate = certificate_of(run);
        must(device_store_save_certificate(&certificate));
        certificate_free(&certificate);
        s_progress->certified++;
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
    /* A token that is left beside an active certificate would be presented again, and refused. */
    static enrolment_t enrol;
    bool has_secrets = device_store_load_enrolment(&enrol) == ESP_OK;
    CHECK(has_secrets ? enrol.token[0] == '\0' : is_full_size());
    int active = certificate_run(CERTIFICATE_SLOT_ACTIVE);
    CHECK(active == RUNS - 1 || (is_full_size() && active == 0)); /* the one that works, if a cut took the other */
    CHECK(certificate_run(CERTIFICATE_SLOT_NEW) < 0);
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
    CHECK(is_in_flash("password-1", 10) && (is_full_size() || is_in_flash("bbbbbbbb", 8)));
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
    CHECK(!is_in_flash("pppppppp", 8) && !is_in_flash("rrrrrrrr", 8)); /* nor of the certificates */
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

static int cut_provisioning(bool crowded, int step)
{
    int cut = 1;
    for (bool ended = false; !ended; cut += step) { /* each boot costs, and some of them reach every step */
        erase_flash();
        if (crowded) {
            boot(crowd, 0);
        }
        ended = boot(scenario, cut);
        CHECK(!ended || s_progress->certified == RUNS);
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

    int cut = cut_provisioning(false, 1);
    int crowded_cut = cut_provisioning(true, 2);
    s_token_size = PROV_TOKEN_MAX;
    s_der_size = PROV_CERTIFICATES_MAX / 2;
    int full_cut = cut_provisioning(false, 5);
    s_token_size = 700;
    s_der_size = 1200;
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
    CHECK(cut > 20 && crowded_cut > cut && full_cut > cut && reset_cut > 5 && wifi_reset_cut > 5);
    printf("%d cuts in provisioning, %d in one without room, %d in one of the longest, %d in a reset, %d in one of the WiFi\n", cut - 2,
           crowded_cut - 2, full_cut - 2, reset_cut - 2, wifi_reset_cut - 2);
    return check_result("store_power");
}
