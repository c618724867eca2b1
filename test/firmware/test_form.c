#include <stdlib.h>

#include "check.h"
#include "form_decode.h"
#include "html_escape.h"
#include "provision_request.h"

static provision_request_t s_request;
static request_error_t s_error;

/** Parses a copy of exactly `length` bytes, so that the sanitizer sees any read past the end. */
static cJSON *decode_bytes(const char *body, size_t length, form_verdict_t *verdict)
{
    char *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, body, length);
    cJSON *root = form_parse(copy, length, verdict);
    free(copy);
    CHECK((root != NULL) == (*verdict == FORM_OK));
    return root;
}

/** What the field `x` of a form decodes to; "(none)" without it, "(refused)" when the form is. */
static const char *field_x(const char *body)
{
    static char text[512];
    form_verdict_t verdict;
    cJSON *root = decode_bytes(body, strlen(body), &verdict);
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, "x");
    snprintf(text, sizeof text, "%s", root == NULL ? "(refused)" : item == NULL ? "(none)" : item->valuestring);
    cJSON_Delete(root);
    return text;
}

static form_verdict_t verdict_of(const char *body, size_t length)
{
    form_verdict_t verdict;
    cJSON_Delete(decode_bytes(body, length, &verdict));
    return verdict;
}

static void test_decodes(void)
{
    CHECK_TEXT(field_x(""), "(none)");
    CHECK_TEXT(field_x("x"), "");
    CHECK_TEXT(field_x("x="), "");
    CHECK_TEXT(field_x("y=1&x=2&z=3"), "2");
    CHECK_TEXT(field_x("&&x=2&&"), "2");
    CHECK_TEXT(field_x("x=a+b%2Bc%20d"), "a b+c d");
    CHECK_TEXT(field_x("x=a=b=c"), "a=b=c");
    CHECK_TEXT(field_x("%78=%26%3d%25"), "&=%");
    CHECK_TEXT(field_x("x=Caf%C3%A9"), "Caf\xc3\xa9");
    CHECK_TEXT(field_x("x=%ff%FE"), "\xff\xfe"); /* an SSID need not be UTF-8 */
    CHECK_TEXT(field_x("x=%2500"), "%00");       /* decoded once */
}

static void test_refuses(void)
{
    static const char *const MALFORMED[] = {
        "x=%", "x=%4", "x=%4g", "x=%g4", "x=%%41", "x=a%", "=1", "&=&", "%=1", "x=1&y=%4&", "x=%-1", "x=% 1",
    };
    for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
        CHECK(verdict_of(MALFORMED[i], strlen(MALFORMED[i])) == FORM_MALFORMED);
    }
    CHECK(verdict_of("x=a%00b", 7) == FORM_NUL);
    CHECK(verdict_of("x%00=a", 6) == FORM_NUL);
    CHECK(verdict_of("x=a\0b", 5) == FORM_NUL);
    CHECK(verdict_of("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p", 31) == FORM_OK);
    CHECK(verdict_of("a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q", 33) == FORM_MALFORMED);
}

static bool parse(const char *body, bool token_optional)
{
    static const provision_request_t EMPTY;
    memset(&s_error, 0, sizeof s_error);
    cJSON *document = provision_form_document(body, strlen(body), "dev1", &s_error);
    bool ok = provision_request_read(document, NULL, token_optional, &s_request, &s_error);
    CHECK(ok || (memcmp(&s_request, &EMPTY, sizeof EMPTY) == 0 && s_error.message[0] != '\0'));
    return ok;
}

#define REJECTED(body, expected_code, expected_word)           \
    do {                                                       \
        CHECK(!parse(body, false));                            \
        CHECK_TEXT(s_error.code, expected_code);               \
        CHECK(strstr(s_error.message, expected_word) != NULL); \
        CHECK(strstr(s_error.message, "hunter2") == NULL);     \
    } while (0)

static void test_provisioning(void)
{
    CHECK(parse("ssid=My+%E2%80%9CHome%E2%80%9D&password=p%26ss+w%3Drd&provisioning_token=tok", false));
    CHECK_TEXT(s_request.provisioning.wifi.ssid, "My \xe2\x80\x9cHome\xe2\x80\x9d");
    CHECK_TEXT(s_request.provisioning.wifi.password, "p&ss w=rd");
    CHECK_TEXT(s_request.provisioning.enrol.token, "tok");
    CHECK_TEXT(s_request.provisioning.enrol.bearer, "");
    CHECK_TEXT(s_request.device_id, "dev1");
    CHECK(parse("ssid=s&password=&provisioning_token=t&device_id=other&more=1", false));
    CHECK_TEXT(s_request.device_id, "other");
    CHECK(parse("ssid=s&password=&provisioning_token=", true));
    /* The same rules as for JSON. */
    REJECTED("password=hunter22&provisioning_token=t", "bad_field", "ssid");
    REJECTED("ssid=&password=hunter22&provisioning_token=t", "bad_field", "ssid");
    REJECTED("ssid=s&password=hunter2&provisioning_token=t", "bad_field", "password");
    REJECTED("ssid=s&password=hunter22&provisioning_token=", "bad_field", "provisioning_token");
    REJECTED("ssid=s&password=&provisioning_token=a%0D%0AX-Evil:+1", "bad_field", "provisioning_token");
    REJECTED("ssid=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&provisioning_token=t", "bad_field", "ssid");
    REJECTED("ssid=s&ssid=t&provisioning_token=t", "bad_form", "twice");
    REJECTED("ssid=s&%73sid=t&provisioning_token=t", "bad_form", "twice");
    REJECTED("ssid=hunter2%00&provisioning_token=t", "bad_form", "NUL");
    REJECTED("ssid=hunter2%zz&provisioning_token=t", "bad_form", "form");
    REJECTED("{\"ssid\":\"s\"}", "bad_field", "ssid");
}

static void test_escapes(void)
{
    char text[64];
    html_escape("<b class=\"x\">&'</b>", text, sizeof text);
    CHECK_TEXT(text, "&lt;b class=&quot;x&quot;&gt;&amp;&#39;&lt;/b&gt;");
    html_escape("", text, sizeof text);
    CHECK_TEXT(text, "");
    html_escape("ab\"cd", text, 8); /* room for "ab" and "&quot" */
    CHECK_TEXT(text, "ab");
    char exact[HTML_ESCAPED_SIZE(3)];
    html_escape("\"\"\"", exact, sizeof exact);
    CHECK_TEXT(exact, "&quot;&quot;&quot;");
    html_escape("a", exact, 1);
    CHECK_TEXT(exact, "");
}

/** Every prefix and every changed byte of a valid form: no more is asked than that the sanitizers are silent. */
static void test_mutations(void)
{
    static const char FORM[] = "ssid=a%20b+c&password=12345678&provisioning_token=%41%42&x=%e2%80%9c";
    char copy[sizeof FORM];
    for (size_t length = 0; length < sizeof FORM; length++) {
        (void)verdict_of(FORM, length);
    }
    for (size_t at = 0; at + 1 < sizeof FORM; at++) {
        for (int byte = 0; byte < 256; byte++) {
            memcpy(copy, FORM, sizeof FORM);
            copy[at] = (char)byte;
            (void)verdict_of(copy, sizeof FORM - 1);
        }
    }
}

int main(void)
{
    test_decodes();
    test_refuses();
    test_provisioning();
    test_escapes();
    test_mutations();
    return check_result("test_form");
}
