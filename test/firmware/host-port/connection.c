/* Outgoing connections: one per line of standard input, `<host>\t<port>\t<options>\t<steps>\t<CA>\t<certificate>\t<key>`
   with files of PEM, "-" for none. Options are letters: t = TLS, b = bundle, n = no check of the name, h = hardly any
   time to connect, s = hardly any once connected. So are steps: w = write, p = wait until there is something to read,
   r = read until that ends, q = see whether there is more, l = lose the link. */
#include <stdlib.h>
#include <string.h>

#include "esp_tls.h"
#include "host_connection.h"
#include "host_link.h"
#include "program.h"
#include "tls_handshake.h"

#define AMPLE_MS 300000
#define SHORT_MS 1000
#define REQUEST "GET / HTTP/1.0\r\n\r\n"

static char *read_file(const char *path)
{
    static const size_t LIMIT = 65536;
    FILE *file = strcmp(path, "-") != 0 ? fopen(path, "rb") : NULL;
    if (file == NULL) {
        return NULL;
    }
    char *text = calloc(1, LIMIT);
    CHECK(fread(text, 1, LIMIT - 1, file) > 0);
    fclose(file);
    return text;
}

static void read_all(host_connection_t *connection, int timeout_ms)
{
    char piece[1000];
    int total = 0;
    int got;
    while ((got = host_connection_read(connection, piece, sizeof piece, timeout_ms)) > 0) {
        total += got;
    }
    printf(" read=%d then=%d", total, got);
}

static void step(host_connection_t *connection, char letter, int timeout_ms)
{
    switch (letter) {
    case 'w':
        printf(" write=%d", host_connection_write(connection, REQUEST, strlen(REQUEST), timeout_ms));
        break;
    case 'p':
        printf(" poll=%d", host_connection_poll_read(connection, AMPLE_MS));
        break;
    case 'q':
        printf(" poll=%d", host_connection_poll_read(connection, timeout_ms));
        break;
    case 'r':
        read_all(connection, timeout_ms);
        break;
    default:
        host_link_set_down();
        break;
    }
}

static void report_error(host_connection_t *connection)
{
    int stack;
    int flags;
    esp_err_t error = esp_tls_get_and_clear_last_error(&connection->error, &stack, &flags);
    printf(" tls=0x%x stack=0x%x flags=0x%x errno=%d", (unsigned)error, (unsigned)stack, (unsigned)flags,
           connection->sock_errno);
    CHECK(esp_tls_get_and_clear_last_error(&connection->error, NULL, NULL) == ESP_OK);
}

static void attempt(char *line)
{
    line[strcspn(line, "\n")] = '\0';
    const char *host = strsep(&line, "\t");
    int port = atoi(strsep(&line, "\t"));
    const char *options = strsep(&line, "\t");
    const char *steps = strsep(&line, "\t");
    char *ca = read_file(strsep(&line, "\t"));
    char *certificate = read_file(strsep(&line, "\t"));
    char *key = read_file(strsep(&line, "\t"));
    host_endpoint_t endpoint = {
        .host = host,
        .port = port,
        .is_tls = strchr(options, 't') != NULL,
        .timeout_ms = strchr(options, 'h') != NULL ? SHORT_MS : AMPLE_MS,
        .ca_pem = ca,
        .has_bundle = strchr(options, 'b') != NULL,
        .cert_pem = certificate,
        .key_pem = key,
        .is_name_check_skipped = strchr(options, 'n') != NULL,
    };
    tls_handshake_begin();
    host_connection_t connection;
    bool is_open = host_connection_open(&connection, &endpoint);
    printf("%s", is_open ? "open" : "closed");
    for (size_t i = 0; is_open && i < strlen(steps); i++) {
        step(&connection, steps[i], strchr(options, 's') != NULL ? SHORT_MS : AMPLE_MS);
    }
    report_error(&connection);
    tls_handshake_t handshake = tls_handshake_last();
    REPORT(" alert=%d shown=%d", handshake.alert, handshake.certificate_shown);
    host_connection_close(&connection);
    host_connection_close(&connection);
    CHECK(host_connection_poll_read(&connection, 0) == HOST_CONNECTION_FAILED);
    free(ca);
    free(certificate);
    free(key);
}

void app_main(void)
{
    char line[1024];
    while (fgets(line, sizeof line, stdin) != NULL) {
        bool has_link = line[0] != '!';
        bool has_dns = line[0] != '?';
        if (has_link) {
            host_link_set_up(0, has_dns);
        } else {
            host_link_set_down();
        }
        attempt(has_link && has_dns ? line : line + 1);
    }
    finish("connection");
}
