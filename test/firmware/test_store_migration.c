/*
 * A device of 0.1.0, which has PEM in its NVS, boots with this firmware and loses power at every single write: its
 * certificates are there and the same after each, and are DER in the end.
 *
 *   test_store_migration DIR
 */
#include "blank_flash.h"
#include "certificate_pem.h"
#include "certificate_read.h"
#include "device_store.h"
#include "files.h"
#include "nvs.h"
#include "nvs_flash.h"
#include "power_cut.h"
#include "some_certificate.h"

/** What each slot holds: files of the directory. */
static const struct {
    const char *key;
    certificate_slot_t slot;
    const char *own;
    const char *ca;
} SLOTS[] = {
    {"crt", CERTIFICATE_SLOT_ACTIVE, "device.crt", "ca.crt"},
    {"crt_new", CERTIFICATE_SLOT_NEW, "chain.crt", "both.crt"},
};
#define SLOT_COUNT (sizeof SLOTS / sizeof SLOTS[0])

static char s_flash[512];
static size_t s_ballast; /* bytes that something else has stored */

static void put_text(uint8_t **at, const char *text)
{
    size_t size = strlen(text) + 1;
    *(*at)++ = (uint8_t)(size & 0xff);
    *(*at)++ = (uint8_t)(size >> 8);
    memcpy(*at, text, size);
    *at += size;
}

/** As 0.1.0 writes it. */
static void store_pem(void)
{
    static uint8_t record[16384];
    static uint8_t ballast[16384];
    nvs_handle_t store;
    must(nvs_flash_init());
    must(nvs_open("device_config", NVS_READWRITE, &store));
    if (s_ballast > 0) {
        must(nvs_set_blob(store, "ballast", ballast, s_ballast));
    }
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        uint8_t *at = record;
        *at++ = 1;
        put_text(&at, load(SLOTS[i].own));
        put_text(&at, load(SLOTS[i].ca));
        must(nvs_set_blob(store, SLOTS[i].key, record, (size_t)(at - record)));
    }
    must(nvs_commit(store));
}

static uint8_t version_in_flash(const char *key)
{
    static uint8_t record[16384];
    size_t size = sizeof record;
    nvs_handle_t store;
    must(nvs_open("device_config", NVS_READONLY, &store));
    must(nvs_get_blob(store, key, record, &size));
    nvs_close(store);
    return record[0];
}

static void check_certificates(void)
{
    must(device_store_init());
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        certificate_t found;
        certificate_reading_t expected;
        CHECK(certificate_read(load(SLOTS[i].own), load(SLOTS[i].ca), &expected) == CERTIFICATE_OK);
        CHECK(device_store_load_certificate(SLOTS[i].slot, &found) == ESP_OK);
        CHECK(found.record != NULL && is_same_certificate(&found, &expected.certificate));
        certificate_free(&found);
        certificate_free(&expected.certificate);
    }
}

static void check_migrated(void)
{
    check_certificates();
    for (size_t i = 0; i < SLOT_COUNT; i++) {
        CHECK(version_in_flash(SLOTS[i].key) == 2);
    }
}

/** No room for a second record: what is there is used as it is. */
static void check_left(void)
{
    check_certificates();
    CHECK(version_in_flash("crt_new") == 1);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    s_dir = argv[1];
    snprintf(s_flash, sizeof s_flash, "%s/migration-flash.bin", argv[1]);
    setenv("PROV_HOST_FLASH", s_flash, 1);
    int cut = 1;
    for (bool ended = false; !ended; cut++) {
        CHECK(blank_flash_write(s_flash, BLANK_FLASH_PAGES));
        CHECK(boot(store_pem, 0));
        ended = boot(check_certificates, cut);
        CHECK(boot(check_migrated, 0));
    }
    CHECK(cut > 5);
    CHECK(blank_flash_write(s_flash, BLANK_FLASH_PAGES));
    s_ballast = 15500;
    CHECK(boot(store_pem, 0));
    CHECK(boot(check_left, 0));
    printf("%d cuts in the migration\n", cut - 2);
    return check_result("store_migration");
}
