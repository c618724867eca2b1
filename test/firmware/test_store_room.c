/*
 * The longest of everything, in any order that the firmware can come to, on an NVS that also holds ESP-IDF's PHY
 * calibration: no write is refused for want of room, but of a renewal while a request waits, and each record is what was
 * written last. What a request takes from others is what device_store.c says, and only beside a certificate that works.
 *
 *   test_store_room DIR
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "blank_flash.h"
#include "check.h"
#include "device_store.h"
#include "nvs.h"
#include "some_certificate.h"

#define SEEDS 8
#define STEPS 90

static char s_flash[512];

/** What the store must hold; a run's number makes its texts, 0 is none. */
static struct {
    int pending;
    int wifi;
    int enrol;
    int crt_new;
    int crt;
    bool has_token;
} s_model;
static int s_runs;
static int s_tokens_lost;
static int s_renewals_lost;

static char letter(int run)
{
    return (char)('A' + run % 26);
}

static provisioning_t *run_of(int run)
{
    static provisioning_t prov;
    memset(&prov, 0, sizeof prov);
    memset(prov.wifi.ssid, letter(run), PROV_SSID_MAX);
    memset(prov.wifi.password, letter(run), PROV_PASSWORD_MAX);
    memset(prov.enrol.token, letter(run), PROV_TOKEN_MAX);
    memset(prov.enrol.bearer, letter(run + 1), PROV_BEARER_MAX);
    memset(prov.enrol.attempt_id, letter(run), PROV_ATTEMPT_ID_MAX);
    return &prov;
}

/** Of the longest. */
static certificate_t certificate_of(int run)
{
    size_t own_size = 600 + (size_t)(run * 977 % 5800);
    certificate_t certificate = some_certificate(letter(run), own_size, PROV_CERTIFICATES_MAX - own_size);
    CHECK(certificate.record != NULL);
    return certificate;
}

static void check_certificate(certificate_slot_t slot, int run)
{
    certificate_t found;
    CHECK((device_store_load_certificate(slot, &found) == ESP_OK) == (run > 0));
    if (run > 0 && found.record != NULL) {
        certificate_t expected = certificate_of(run);
        CHECK(is_same_certificate(&found, &expected));
        certificate_free(&expected);
    }
    certificate_free(&found);
}

static void check_model(void)
{
    static provisioning_t found;
    uint32_t revision;
    CHECK((device_store_load_pending(&found, &revision) == ESP_OK) == (s_model.pending > 0));
    CHECK(s_model.pending == 0 || memcmp(&found, run_of(s_model.pending), sizeof found) == 0);
    CHECK((device_store_load_wifi(&found.wifi) == ESP_OK) == (s_model.wifi > 0));
    CHECK(s_model.wifi == 0 || memcmp(&found.wifi, &run_of(s_model.wifi)->wifi, sizeof found.wifi) == 0);
    CHECK((device_store_load_enrolment(&found.enrol) == ESP_OK) == (s_model.enrol > 0));
    if (s_model.enrol > 0) {
        enrolment_t *expected = &run_of(s_model.enrol)->enrol;
        if (!s_model.has_token) {
            memset(expected->token, 0, sizeof expected->token);
        }
        CHECK(memcmp(&found.enrol, expected, sizeof *expected) == 0);
    }
    check_certificate(CERTIFICATE_SLOT_NEW, s_model.crt_new);
    check_certificate(CERTIFICATE_SLOT_ACTIVE, s_model.crt);
}

/* ---- what happens to a device ---- */

/** What went for a request that waits; the model follows. */
static void lose_what_had_no_room(void)
{
    static enrolment_t enrol;
    certificate_t certificate;
    bool has_token = device_store_load_enrolment(&enrol) == ESP_OK && enrol.token[0] != '\0';
    bool has_new = device_store_load_certificate(CERTIFICATE_SLOT_NEW, &certificate) == ESP_OK;
    certificate_free(&certificate);
    if (s_model.crt > 0 && s_model.has_token && !has_token) {
        s_model.has_token = false;
        s_tokens_lost++;
    }
    if (s_model.crt > 0 && s_model.crt_new > 0 && !has_new) {
        s_model.crt_new = 0;
        s_renewals_lost++;
    }
}

static void post(void)
{
    s_model.pending = ++s_runs;
    if (s_model.crt_new > 0) {
        s_model.has_token = false;
    }
    CHECK(device_store_save_pending(run_of(s_runs)) == ESP_OK);
    lose_what_had_no_room();
}

static void commit(void)
{
    static provisioning_t pending;
    uint32_t revision;
    if (device_store_load_pending(&pending, &revision) != ESP_OK) {
        return;
    }
    CHECK(device_store_commit_pending(revision) == ESP_OK);
    s_model.wifi = s_model.enrol = s_model.pending;
    s_model.has_token = true;
    s_model.crt_new = s_model.pending = 0;
}

static void drop(void)
{
    static provisioning_t pending;
    uint32_t revision;
    if (device_store_load_pending(&pending, &revision) == ESP_OK) {
        CHECK(device_store_drop_pending(revision) == ESP_OK);
        s_model.pending = 0;
    }
}

/** An enrolment, or a renewal: not while a request waits that has a token of its own, nor with a new one beside a token. */
static void sign(void)
{
    if (s_model.enrol == 0 || (s_model.has_token && (s_model.pending > 0 || s_model.crt_new > 0))) {
        return;
    }
    certificate_t certificate = certificate_of(++s_runs);
    esp_err_t err = device_store_save_certificate(&certificate);
    bool has_no_room = err == ESP_ERR_NVS_NOT_ENOUGH_SPACE && s_model.pending > 0;
    CHECK(err == ESP_OK || has_no_room);
    certificate_free(&certificate);
    if (err == ESP_OK) {
        s_model.crt_new = s_runs;
    } else if (s_model.crt > 0) {
        s_model.crt_new = 0; /* it went first, in vain */
    }
    s_model.has_token = false;
}

/** Power is lost between the certificate and the end of its token, as in device_store_save_certificate(). */
static void sign_and_lose_power(void)
{
    if (s_model.crt_new > 0 || !s_model.has_token || s_model.pending > 0 || s_model.crt > 0) {
        return; /* beside a certificate that works, the token goes first */
    }
    nvs_handle_t store;
    certificate_t certificate = certificate_of(++s_runs);
    CHECK(nvs_open("device_config", NVS_READWRITE, &store) == ESP_OK);
    CHECK(nvs_set_blob(store, "crt_new", certificate.record, certificate.record_size) == ESP_OK);
    nvs_close(store);
    certificate_free(&certificate);
    s_model.crt_new = s_runs;
}

static void prove(void)
{
    CHECK(device_store_promote_certificate() == ESP_OK);
    bool stays = s_model.pending > 0 && s_model.crt_new > 0 && !device_store_has_worked();
    s_model.has_token = s_model.has_token && s_model.crt_new == 0;
    if (s_model.crt_new > 0) {
        s_model.crt = stays ? 0 : s_model.crt_new;
        s_model.crt_new = stays ? s_model.crt_new : 0;
    }
}

static void tick(void)
{
    CHECK(device_store_save_clock(&(clock_record_t){.time = 1750000000 + ++s_runs, .anchor = s_runs}) == ESP_OK);
}

/* ---- boots ---- */

/** As esp_phy keeps them: cal_version, cal_mac and cal_data. */
static void calibrate_phy(void)
{
    static uint8_t data[1904];
    nvs_handle_t phy;
    memset(data, 0x5a, sizeof data);
    CHECK(nvs_open("phy", NVS_READWRITE, &phy) == ESP_OK);
    CHECK(nvs_set_u32(phy, "cal_version", 1) == ESP_OK && nvs_set_blob(phy, "cal_mac", data, 6) == ESP_OK);
    CHECK(nvs_set_blob(phy, "cal_data", data, sizeof data) == ESP_OK);
    nvs_close(phy);
}

static void live(unsigned seed)
{
    static void (*const STEPS_OF_LIFE[])(void) = {post, post, commit, sign, sign, prove, tick, drop,
                                                   sign_and_lose_power};
    srand(seed);
    CHECK(device_store_init() == ESP_OK);
    tick();
    calibrate_phy();
    for (int step = 0; step < STEPS && s_failures == 0; step++) {
        STEPS_OF_LIFE[(unsigned)rand() % (sizeof STEPS_OF_LIFE / sizeof STEPS_OF_LIFE[0])]();
        check_model();
    }
    /* The fullest moment of codegen/nvs-room.ts, again and again. */
    for (int round = 0; round < 8 && s_failures == 0; round++) {
        post();
        commit();
        sign();
        prove();
        sign();
        post();
        check_model();
        post(); /* a worst case that replaces another one */
        tick();
        commit();
        sign_and_lose_power();
        post();
        check_model();
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    snprintf(s_flash, sizeof s_flash, "%s/room-flash.bin", argv[1]);
    setenv("PROV_HOST_FLASH", s_flash, 1);
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        CHECK(blank_flash_write(s_flash, BLANK_FLASH_PAGES));
        fflush(NULL);
        pid_t pid = fork(); /* every device is a process: its NVS is opened once */
        if (pid == 0) {
            live(seed);
            fflush(NULL);
            CHECK(s_tokens_lost > 0 && s_renewals_lost > 0);
            fflush(NULL);
            _exit(s_failures == 0 && s_runs > STEPS / 2 ? 0 : 1);
        }
        int status = 0;
        waitpid(pid, &status, 0);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        if (s_failures > 0) {
            fprintf(stderr, "    with seed %u\n", seed);
            break;
        }
    }
    return check_result("store_room");
}
