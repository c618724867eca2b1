/*
 * Looks into every block that the firmware's own code gives back, and over the stacks of tasks that have
 * ended, for what a user typed in. The code under test is compiled with the optimiser on, and only then is its
 * free() redirected to the probe: see wipe.test.ts.
 *
 *   wipe_test FILE    (a new flash file)
 */
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../blank_flash.h"
#include "cJSON.h"
#include "device_store.h"
#include "esp_heap_caps.h"
#include "esp_wifi.h"
#include "form_decode.h"
#include "json_memory.h"
#include "provision_request.h"
#include "wifi_link.h"

#define MARK "s3cr3t"
#define STACK_SIZE (256 * 1024)

static unsigned s_checks;
static unsigned s_failures;
static unsigned s_freed;
static const char *s_scenario = "";

/* The stacks of these threads are the test's own. */
void host_stack_check(void);

void host_stack_check(void)
{
}

static bool holds_secret(const void *block, size_t size)
{
    return memmem(block, size, MARK, sizeof MARK - 1) != NULL;
}

static void check(bool good, const char *what)
{
    s_checks++;
    if (!good) {
        s_failures++;
        fprintf(stderr, "%s: %s\n", s_scenario, what);
    }
}

/** What free() of the code under test becomes, after the optimiser has had its say. */
void probe_free(void *block)
{
    s_freed++;
    if (block != NULL && holds_secret(block, malloc_usable_size(block))) {
        check(false, "a freed block holds a secret");
    }
    free(block);
}

size_t heap_caps_get_allocated_size(void *block)
{
    return malloc_usable_size(block);
}

/* ---- scenarios ---- */

static const char JSON[] = "{\"ssid\":\"Home\",\"password\":\"" MARK "-wifi\",\"device_id\":\"d\","
                           "\"provisioning_token\":\"" MARK "-token\",\"pairing_secret\":\"" MARK "-pair\"";
static const char FORM[] = "ssid=Home&password=" MARK "%2Dwifi&provisioning_token=" MARK "&pairing_secret=" MARK "pair";

static bool parse_json(const char *text, const char *authorization, provision_request_t *request)
{
    request_error_t error;
    cJSON *document = provision_request_document(text, strlen(text), &error);
    return provision_request_read(document, authorization, false, request, &error);
}

static bool parse_form(const char *text, provision_request_t *request)
{
    request_error_t error;
    cJSON *document = provision_form_document(text, strlen(text), "d", &error);
    return provision_request_read(document, NULL, false, request, &error);
}

static void *parse_requests(void *arg)
{
    (void)arg;
    char text[sizeof JSON + 1];
    request_error_t error;
    provision_request_t *request = calloc(1, sizeof *request);
    snprintf(text, sizeof text, "%s}", JSON);
    check(parse_json(text, "Bearer " MARK "-bearer", request), "valid JSON");
    explicit_bzero(request, sizeof *request);
    check(!parse_json(JSON, NULL, request), "JSON that breaks off");
    check(!parse_json(text, "Basic " MARK, request), "another scheme");
    check(!holds_secret(request, sizeof *request), "a refused request is zeroed");
    check(parse_form(FORM, request), "a valid form");
    explicit_bzero(request, sizeof *request);
    check(!parse_form("ssid=%zz&password=" MARK, request), "a broken form");
    check(!parse_form("password=" MARK "&a=%00", request), "a form with a NUL");
    free(request);
    static const char RESET[] = "{\"scope\":\"some\",\"pairing_secret\":\"" MARK "\"}";
    reset_request_t reset;
    check(!reset_request_parse(RESET, sizeof RESET - 1, &reset, &error), "a reset of another scope");
    check(!holds_secret(&reset, sizeof reset), "a refused reset is zeroed");
    explicit_bzero(text, sizeof text);
    return NULL;
}

static void *print_json(void *arg)
{
    (void)arg;
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "token", MARK);
    for (int i = 0; i < 40; i++) { /* the printer's buffer has to grow */
        cJSON_AddStringToObject(root, "filler", "0123456789012345678901234567890123456789");
    }
    char *text = cJSON_PrintUnformatted(root);
    check(text != NULL && holds_secret(text, strlen(text)), "printed");
    cJSON_Delete(root);
    cJSON_free(text);
    return NULL;
}

static void *use_store(void *arg)
{
    (void)arg;
    provisioning_t *prov = calloc(1, sizeof *prov);
    uint32_t revision = 0;
    strcpy(prov->wifi.ssid, "Home");
    strcpy(prov->wifi.password, MARK "-wifi");
    strcpy(prov->enrol.token, MARK "-token");
    strcpy(prov->enrol.bearer, MARK "-bearer");
    check(device_store_init() == ESP_OK, "the store opens");
    check(device_store_save_pending(prov) == ESP_OK, "saved");
    check(device_store_load_pending(prov, &revision) == ESP_OK, "loaded");
    check(device_store_commit_pending(revision) == ESP_OK, "committed");
    check(device_store_load_wifi(&prov->wifi) == ESP_OK, "WiFi loaded");
    check(device_store_load_enrolment(&prov->enrol) == ESP_OK, "enrolment loaded");
    check(device_store_spend_token() == ESP_OK, "spent");
    explicit_bzero(prov, sizeof *prov);
    free(prov);
    return NULL;
}

static bool s_driver_saw_it;

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *config)
{
    (void)interface;
    s_driver_saw_it = holds_secret(config, sizeof *config);
    return ESP_OK;
}

esp_err_t esp_wifi_connect(void)
{
    return ESP_OK;
}

void wifi_scan_cancel(void)
{
}

static void *connect(void *arg)
{
    check(wifi_link_connect(arg) == ESP_OK, "connects");
    check(s_driver_saw_it, "the driver gets the password");
    return NULL;
}

/** Runs on a stack of its own and looks that over afterwards. */
static void run(const char *name, void *(*scenario)(void *), void *arg)
{
    pthread_attr_t attributes;
    pthread_t thread;
    void *stack = NULL;
    s_scenario = name;
    s_freed = 0;
    if (posix_memalign(&stack, 4096, STACK_SIZE) != 0) {
        abort();
    }
    memset(stack, 0x55, STACK_SIZE);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, STACK_SIZE);
    if (pthread_create(&thread, &attributes, scenario, arg) != 0 || pthread_join(thread, NULL) != 0) {
        abort();
    }
    check(!holds_secret(stack, STACK_SIZE), "the stack holds a secret");
    pthread_attr_destroy(&attributes);
    free(stack);
}

static void make_flash(const char *path)
{
    if (!blank_flash_write(path, BLANK_FLASH_PAGES)) {
        abort();
    }
    setenv("PROV_HOST_FLASH", path, 1);
}

int main(int argc, char **argv)
{
    static wifi_credentials_t s_wifi = {.ssid = "Home", .password = MARK "-wifi"};
    if (argc != 2) {
        return 2;
    }
    make_flash(argv[1]);
    json_memory_init();
    run("requests", parse_requests, NULL);
    check(s_freed > 50, "the probe sees what is freed");
    run("printing", print_json, NULL);
    run("store", use_store, NULL);
    check(s_freed > 5, "the probe sees what is freed");
    run("connect", connect, &s_wifi);
    printf("%u checks, %u failures\n", s_checks, s_failures);
    return s_failures == 0 ? 0 : 1;
}
