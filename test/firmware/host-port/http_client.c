/* The HTTP client: one request per line of standard input, `<method>\t<url>\t<options>`, where
   the options are letters: c = pin $TEST_CA, b = bundle, n = no verification option,
   m = client certificate $TEST_CERT/$TEST_KEY, p = perform() instead of open/write/read,
   h = hardly any time for the handshake, s = hardly any once connected. Where a time limit is not
   what is tested there is more of it than any machine needs. */
#include "esp_crt_bundle.h"
#include "esp_http_client.h"
#include "esp_tls.h"
#include "program.h"

#define AMPLE_MS 300000
#define SHORT_MS 1000

static char s_events[64];
static bool s_is_short_once_connected;
static int s_body_bytes;
static esp_err_t s_error;
static int s_stack;
static int s_flags;

static char *read_file(const char *path)
{
    FILE *file = path != NULL ? fopen(path, "rb") : NULL;
    char *text = calloc(1, 16384);
    if (file != NULL) {
        CHECK(fread(text, 1, 16383, file) > 0);
        fclose(file);
    }
    return text;
}

static esp_err_t on_event(esp_http_client_event_t *event)
{
    static const char LETTERS[] = "ECSHDFXR";
    char letter[2] = {LETTERS[event->event_id], '\0'};
    size_t used = strlen(s_events);
    bool is_repeated = used > 0 && s_events[used - 1] == letter[0];
    if (!is_repeated && used + 1 < sizeof s_events) {
        strcat(s_events, letter);
    }
    if (event->event_id == HTTP_EVENT_ON_CONNECTED && s_is_short_once_connected) {
        CHECK(esp_http_client_set_timeout_ms(event->client, SHORT_MS) == ESP_OK);
    }
    if (event->event_id == HTTP_EVENT_ON_DATA) {
        s_body_bytes += event->data_len;
    }
    if (event->event_id == HTTP_EVENT_ERROR) {
        s_error = esp_tls_get_and_clear_last_error(event->data, &s_stack, &s_flags);
    }
    return ESP_OK;
}

/* Open, write, fetch, read in small pieces. The number of body bytes, or an error. */
static int exchange(esp_http_client_handle_t client, const char *body, esp_err_t *err)
{
    *err = esp_http_client_open(client, (int)strlen(body));
    if (*err != ESP_OK) {
        return -1;
    }
    CHECK(esp_http_client_write(client, body, (int)strlen(body)) == (int)strlen(body));
    int64_t length = esp_http_client_fetch_headers(client);
    if (length < 0) {
        return (int)length;
    }
    char piece[100];
    int total = 0;
    int got;
    while ((got = esp_http_client_read(client, piece, sizeof piece)) > 0) {
        total += got;
    }
    return got < 0 ? got : total;
}

static void request(char *line, const char *ca, const char *cert, const char *key)
{
    line[strcspn(line, "\n")] = '\0';
    const char *method = strsep(&line, "\t");
    const char *url = strsep(&line, "\t");
    const char *options = strsep(&line, "\t");
    bool is_post = strcmp(method, "POST") == 0;
    esp_http_client_config_t config = {.url = url,
                                       .method = is_post ? HTTP_METHOD_POST : HTTP_METHOD_GET,
                                       .timeout_ms = strchr(options, 'h') ? SHORT_MS : AMPLE_MS,
                                       .disable_auto_redirect = true,
                                       .event_handler = on_event};
    if (strchr(options, 'c')) {
        config.cert_pem = ca;
    }
    if (strchr(options, 'b')) {
        config.crt_bundle_attach = esp_crt_bundle_attach;
    }
    if (strchr(options, 'm')) {
        config.client_cert_pem = cert;
        config.client_key_pem = key;
    }
    s_is_short_once_connected = strchr(options, 's') != NULL;
    s_events[0] = '\0';
    s_body_bytes = s_stack = s_flags = 0;
    s_error = ESP_OK;
    esp_http_client_handle_t client = esp_http_client_init(&config);
    if (client == NULL) {
        REPORT("no client");
        return;
    }
    const char *body = is_post ? "{\"hello\":1}" : "";
    CHECK(esp_http_client_set_header(client, "Content-Type", "application/json") == ESP_OK);
    esp_err_t err;
    int bytes;
    if (strchr(options, 'p')) {
        esp_http_client_set_post_field(client, body, (int)strlen(body));
        err = esp_http_client_perform(client);
        bytes = s_body_bytes;
    } else {
        bytes = exchange(client, body, &err);
        CHECK(bytes < 0 || bytes == s_body_bytes);
    }
    int status = esp_http_client_get_status_code(client);
    bool is_complete = esp_http_client_is_complete_data_received(client);
    esp_http_client_cleanup(client);
    REPORT("%s status=%d bytes=%d complete=%d events=%s tls=0x%x stack=0x%x flags=0x%x",
           esp_err_to_name(err), status, bytes, is_complete, s_events, s_error, s_stack, s_flags);
}

void app_main(void)
{
    char *ca = read_file(getenv("TEST_CA"));
    char *cert = read_file(getenv("TEST_CERT"));
    char *key = read_file(getenv("TEST_KEY"));
    char line[512];
    CHECK(fgets(line, sizeof line, stdin) != NULL);
    request(line, ca, cert, key); /* the first one before there is a network */
    go_online();
    while (fgets(line, sizeof line, stdin) != NULL) {
        request(line, ca, cert, key);
    }
    finish("http_client");
}
