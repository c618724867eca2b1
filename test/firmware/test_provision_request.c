#include <stdlib.h>

#include "check.h"
#include "provision_request.h"

static provision_request_t s_request;
static request_error_t s_error;

/** Parses a copy of exactly `length` bytes, so that the sanitizer sees any read past the end. */
static bool parse_bytes(const char *body, size_t length, const char *authorization, bool token_optional)
{
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, body, length);
    memset(&s_error, 0, sizeof s_error);
    cJSON *document = provision_request_document(copy, length, &s_error);
    free(copy);
    bool ok = provision_request_read(document, authorization, token_optional, &s_request, &s_error);
    if (!ok) {
        static const provision_request_t EMPTY;
        CHECK(memcmp(&s_request, &EMPTY, sizeof EMPTY) == 0);
        CHECK(s_error.code != NULL && s_error.message[0] != '\0');
    }
    return ok;
}

static bool parse(const char *body)
{
    return parse_bytes(body, strlen(body), NULL, false);
}

#define REJECTED(body, expected_code, expected_word)                    \
    do {                                                                \
        CHECK(!parse(body));                                            \
        CHECK_TEXT(s_error.code, expected_code);                        \
        CHECK(strstr(s_error.message, expected_word) != NULL);          \
        CHECK(strstr(s_error.message, "hunter2") == NULL);              \
    } while (0)

/** A valid body with `extra` members (",…") and one field replaced. */
static const char *body_with(const char *ssid, const char *password, const char *device, const char *extra)
{
    static char text[8192];
    snprintf(text, sizeof text,
             "{\"ssid\":%s,\"password\":%s,\"device_id\":%s,\"provisioning_token\":\"tok\"%s}", ssid, password, device,
             extra);
    return text;
}

static const char *repeat(char c, size_t count)
{
    static char text[8][PROV_TOKEN_MAX + 8];
    static unsigned next;
    char *out = text[next++ % 8];
    out[0] = '"';
    memset(out + 1, c, count);
    out[count + 1] = '"';
    out[count + 2] = '\0';
    return out;
}

static void test_accepts(void)
{
    CHECK(parse("{\"ssid\":\"Home\",\"password\":\"hunter22\",\"device_id\":\"dev1\",\"provisioning_token\":\"tok\","
                "\"attempt_id\":\"a-1\",\"time\":1750000000,\"unknown\":[1,{\"x\":null}]}"));
    CHECK_TEXT(s_request.provisioning.wifi.ssid, "Home");
    CHECK_TEXT(s_request.provisioning.wifi.password, "hunter22");
    CHECK_TEXT(s_request.device_id, "dev1");
    CHECK_TEXT(s_request.provisioning.enrol.token, "tok");
    CHECK_TEXT(s_request.provisioning.enrol.attempt_id, "a-1");
    CHECK_TEXT(s_request.provisioning.enrol.bearer, "");
    CHECK(s_request.time == 1750000000);

    CHECK(parse(body_with("\"Caf\\u00e9 \\u2019s\"", "\"\"", "\"dev1\"", "")));
    CHECK_TEXT(s_request.provisioning.wifi.ssid, "Caf\xc3\xa9 \xe2\x80\x99s");
    CHECK(parse("{\"ssid\":\"open\",\"device_id\":\"dev1\",\"provisioning_token\":\"tok\"}"));
    CHECK_TEXT(s_request.provisioning.wifi.password, "");
    CHECK(s_request.time == 0);
    /* An escaped backslash before u0000 is text, not NUL. */
    CHECK(parse(body_with("\"a\\\\u0000\"", "\"\"", "\"dev1\"", "")));
    CHECK_TEXT(s_request.provisioning.wifi.ssid, "a\\u0000");
    CHECK(parse(" \r\n{\"ssid\":\"x\",\"device_id\":\"d\",\"provisioning_token\":\"t\"}\n"));
}

static void test_limits(void)
{
    CHECK(parse(body_with(repeat('s', 32), "\"\"", "\"d\"", "")));
    REJECTED(body_with(repeat('s', 33), "\"\"", "\"d\"", ""), "bad_field", "ssid");
    REJECTED(body_with("\"\"", "\"\"", "\"d\"", ""), "bad_field", "ssid");
    /* 17 characters of two bytes each: bytes count, not characters. */
    REJECTED(body_with("\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                       "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"",
                       "\"\"", "\"d\"", ""),
             "bad_field", "ssid");
    REJECTED(body_with("\"s\"", "\"hunter2\"", "\"d\"", ""), "bad_field", "password");
    CHECK(parse(body_with("\"s\"", repeat('p', 8), "\"d\"", "")));
    CHECK(parse(body_with("\"s\"", repeat('p', 63), "\"d\"", "")));
    REJECTED(body_with("\"s\"", repeat('p', 64), "\"d\"", ""), "bad_field", "password");
    CHECK(parse(body_with("\"s\"", repeat('a', 64), "\"d\"", "")));
    REJECTED(body_with("\"s\"", repeat('a', 65), "\"d\"", ""), "bad_field", "password");
    CHECK(parse(body_with("\"s\"", "\"\"", repeat('d', 64), "")));
    REJECTED(body_with("\"s\"", "\"\"", repeat('d', 65), ""), "bad_field", "device_id");
    char token[1200];
    snprintf(token, sizeof token, ",\"attempt_id\":%s", repeat('i', 65));
    REJECTED(body_with("\"s\"", "\"\"", "\"d\"", token), "bad_field", "attempt_id");
    snprintf(token, sizeof token, ",\"attempt_id\":%s", repeat('i', 64));
    CHECK(parse(body_with("\"s\"", "\"\"", "\"d\"", token)));
    REJECTED(body_with("\"s\"", "\"\"", "\"d\"", ",\"attempt_id\":\"\\u00e9\""), "bad_field", "attempt_id");
}

static void test_token(void)
{
    static const char NO_TOKEN[] = "{\"ssid\":\"s\",\"device_id\":\"d\"}";
    static char text[2 * PROV_TOKEN_MAX];
    REJECTED(NO_TOKEN, "bad_field", "provisioning_token");
    CHECK(parse_bytes(NO_TOKEN, strlen(NO_TOKEN), NULL, true));
    CHECK_TEXT(s_request.provisioning.enrol.token, "");
    REJECTED("{\"ssid\":\"s\",\"device_id\":\"d\",\"provisioning_token\":\"\"}", "bad_field", "provisioning_token");
    REJECTED("{\"ssid\":\"s\",\"device_id\":\"d\",\"provisioning_token\":\"a\\r\\nX-Evil: 1\"}", "bad_field",
             "provisioning_token");
    snprintf(text, sizeof text, "{\"ssid\":\"s\",\"device_id\":\"d\",\"provisioning_token\":%s}", repeat('t', PROV_TOKEN_MAX));
    CHECK(parse(text) && strlen(s_request.provisioning.enrol.token) == PROV_TOKEN_MAX);
    snprintf(text, sizeof text, "{\"ssid\":\"s\",\"device_id\":\"d\",\"provisioning_token\":%s}",
             repeat('t', PROV_TOKEN_MAX + 1));
    REJECTED(text, "bad_field", "provisioning_token: expected 1 to " PROV_LIMIT_TEXT(PROV_TOKEN_MAX) " bytes, got ");
}

static void test_malformed(void)
{
    static const char *const NOT_JSON[] = {
        "", "{", "null", "[]", "\"x\"", "42", "{\"ssid\":}", "{\"ssid\":\"a\"", "{\"ssid\":\"a\"} x", "{} {}",
        "{\"ssid\":\"a\nb\"}", "{\"ssid\":\"\\ud800\"}", "\xef\xbb\xbf",
    };
    for (size_t i = 0; i < sizeof NOT_JSON / sizeof NOT_JSON[0]; i++) {
        REJECTED(NOT_JSON[i], "bad_json", "body");
    }
    REJECTED(body_with("\"a\\u0000b\"", "\"\"", "\"d\"", ""), "bad_json", "NUL");
    REJECTED(body_with("\"a\"", "\"\"", "\"d\"", ",\"x\":\"\\u0000\""), "bad_json", "NUL");
    CHECK(!parse_bytes("{\"ssid\":\"a\0b\"}", 14, NULL, false));
    CHECK_TEXT(s_error.code, "bad_json");
    REJECTED(body_with("\"a\"", "\"\"", "\"d\"", ",\"ssid\":\"b\""), "bad_json", "twice");
    REJECTED(body_with("\"a\"", "\"\"", "\"d\"", ",\"\\u0073sid\":\"b\""), "bad_json", "twice");
    static char deep[4096];
    memset(deep, '[', 4000);
    deep[4000] = '\0';
    REJECTED(deep, "bad_json", "deep");
    /* 64 commas are many, one more is too many; those of a text do not count. */
    static char many[600];
    memset(many, ',', sizeof many - 1);
    char extra[800];
    snprintf(extra, sizeof extra, ",\"x\":\"%.590s\"", many);
    CHECK(parse(body_with("\"a\"", "\"\"", "\"d\"", extra)));
    for (int i = 0; i < 61; i++) {
        memcpy(many + 2 * i, "0,", 2);
    }
    snprintf(extra, sizeof extra, ",\"x\":[%.*s]", 2 * 60 + 1, many);
    CHECK(parse(body_with("\"a\"", "\"\"", "\"d\"", extra)));
    snprintf(extra, sizeof extra, ",\"x\":[%.*s0]", 2 * 61, many);
    REJECTED(body_with("\"a\"", "\"\"", "\"d\"", extra), "bad_json", "too many values");
}

static void test_types(void)
{
    static const char *const WRONG[] = {"1", "true", "null", "[]", "{}", "[\"x\"]"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        REJECTED(body_with(WRONG[i], "\"\"", "\"d\"", ""), "bad_field", "ssid");
        REJECTED(body_with("\"s\"", WRONG[i], "\"d\"", ""), "bad_field", "password");
        REJECTED(body_with("\"s\"", "\"\"", WRONG[i], ""), "bad_field", "device_id");
    }
    static const char *const BAD_TIME[] = {"\"1750000000\"", "1750000000.5", "0",    "-1",   "1699999999",
                                           "4102444801",     "1e300",        "null", "true", "1e999"};
    for (size_t i = 0; i < sizeof BAD_TIME / sizeof BAD_TIME[0]; i++) {
        char extra[64];
        snprintf(extra, sizeof extra, ",\"time\":%s", BAD_TIME[i]);
        REJECTED(body_with("\"s\"", "\"\"", "\"d\"", extra), "bad_field", "time");
    }
    CHECK(parse(body_with("\"s\"", "\"\"", "\"d\"", ",\"time\":1700000000")));
    REJECTED("{\"password\":\"hunter22\",\"device_id\":\"d\"}", "bad_field", "ssid: missing");
    REJECTED("{\"SSID\":\"x\",\"device_id\":\"d\",\"provisioning_token\":\"t\"}", "bad_field", "ssid: missing");
}

static bool parse_bearer(const char *authorization)
{
    const char *body = body_with("\"s\"", "\"\"", "\"d\"", "");
    return parse_bytes(body, strlen(body), authorization, false);
}

static void test_bearer(void)
{
    static char header[1100];
    CHECK(parse_bearer("Bearer abc.def"));
    CHECK_TEXT(s_request.provisioning.enrol.bearer, "abc.def");
    CHECK(parse_bearer("bearer  x"));
    CHECK_TEXT(s_request.provisioning.enrol.bearer, "x");
    static const char *const BAD[] = {"Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "Bearer \xc3\xa9", ""};
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        CHECK(!parse_bearer(BAD[i]));
        CHECK(strstr(s_error.message, "Authorization") != NULL);
    }
    snprintf(header, sizeof header, "Bearer %.*s", PROV_BEARER_MAX, repeat('b', PROV_BEARER_MAX) + 1);
    CHECK(parse_bearer(header));
    CHECK(strlen(s_request.provisioning.enrol.bearer) == PROV_BEARER_MAX);
    snprintf(header, sizeof header, "Bearer %.*s", PROV_BEARER_MAX + 1, repeat('b', PROV_BEARER_MAX + 1) + 1);
    CHECK(!parse_bearer(header));
    CHECK(strstr(s_error.message, "1 to " PROV_LIMIT_TEXT(PROV_BEARER_MAX) " bytes") != NULL);
}

/* Nothing, and nothing that is read as nothing, erases everything. */
static void refuses_reset(const char *body)
{
    static reset_request_t reset;
    memset(&s_error, 0, sizeof s_error);
    CHECK(!reset_request_parse(body, strlen(body), &reset, &s_error) && !reset.wifi_only);
    CHECK(strstr(s_error.message, "scope") != NULL);
}

static void test_reset(void)
{
    static reset_request_t reset;
    CHECK(reset_request_parse("{\"scope\":\"wifi\"}", 16, &reset, &s_error) && reset.wifi_only);
    CHECK(reset_request_parse("{\"scope\":\"all\"}", 15, &reset, &s_error) && !reset.wifi_only);
    refuses_reset("");
    refuses_reset("{}");
    refuses_reset("{\"scope\":\"everything\"}");
    refuses_reset("{\"scope\":\"ALL\"}");
    refuses_reset("{\"scope\":\"\"}");
    refuses_reset("{\"scope\":1}");
    refuses_reset("{\"scope\":null}");
    refuses_reset("{\"scope\":[\"all\"]}");
    refuses_reset("{\"Scope\":\"all\"}");
    refuses_reset("{\"pairing_secret\":\"12345678\"}");
    CHECK(!reset_request_parse("[]", 2, &reset, &s_error));
    CHECK(!reset_request_parse("{\"scope\":\"wifi\",\"scope\":\"all\"}", 30, &reset, &s_error));
    CHECK(reset_request_parse("{\"scope\":\"all\",\"pairing_secret\":\"12345678\"}", 43, &reset, &s_error));
    CHECK_TEXT(reset.pairing_secret, "12345678");
    CHECK(!reset_request_parse("{\"scope\":\"all\",\"pairing_secret\":7}", 34, &reset, &s_error));
}

int main(void)
{
    test_accepts();
    test_limits();
    test_token();
    test_malformed();
    test_types();
    test_bearer();
    test_reset();
    return check_result("provision_request");
}
