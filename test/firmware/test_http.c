/* What the headers of a request are taken for: whose it is, and where its body ends. */
#include <stdint.h>
#include <string.h>

#include "check.h"
#include "host_header.h"
#include "http_framing.h"

static const uint8_t BOARD[4] = {192, 168, 4, 1};

static bool is_board(const char *host)
{
    uint32_t address = 0;
    return host_header_address(host, &address) && memcmp(&address, BOARD, sizeof BOARD) == 0;
}

static void test_host(void)
{
    uint32_t address;
    CHECK(is_board("192.168.4.1"));
    CHECK(is_board("192.168.4.1:80"));
    CHECK(is_board("192.168.4.1:8080"));
    CHECK(is_board("192.168.4.1:65535"));
    CHECK(host_header_address("0.0.0.0", &address) && address == 0);
    CHECK(host_header_address("255.255.255.255:0", &address) && address == UINT32_MAX);
    CHECK(!is_board("192.168.4.10") && !is_board("192.168.4.2") && !is_board("1.4.168.192"));
    /* No other way to write it down, and nothing around it. */
    static const char *const FOREIGN[] = {
        "", " ", ".", ":", ":80", "evil.example", "EVIL.EXAMPLE", "192.168.4.1.evil.example", "evil.example:80",
        "192.168.4.1.", "192.168.4.1 ", " 192.168.4.1", "192.168.4", "192.168.4.", "192.168.4.1.1", "192..4.1",
        "192.168.4.1:", "192.168.4.1:a", "192.168.4.1:80a", "192.168.4.1:65536", "192.168.4.1:123456",
        "192.168.4.1:080", "192.168.4.1:-1", "192.168.4.1:80:80", "192.168.4.01", "192.168.004.1", "0192.168.4.1",
        "192.168.4.256", "192.168.4.1000", "192.168.4.4294967297", "3232236545", "0xc0a80401", "0XC0.0XA8.4.1",
        "030052002001", "192.168.1025", "[::ffff:192.168.4.1]", "[::1]", "::1", "user@192.168.4.1",
        "192.168.4.1@evil.example", "192.168.4.1/", "192.168.4.1,evil.example", "192.168.4.1\t", "localhost",
        "localhost:8080", "esp32.local", "+192.168.4.1", "192.168.4.-1", "192.168.4.1#", "\xd9\xa1.168.4.1",
    };
    for (size_t i = 0; i < sizeof FOREIGN / sizeof FOREIGN[0]; i++) {
        CHECK_CASE(!host_header_address(FOREIGN[i], &address), FOREIGN[i]);
    }
}

static void test_origin(void)
{
    CHECK(host_header_is_origin("192.168.4.1", "http://192.168.4.1"));
    CHECK(host_header_is_origin("127.0.0.1:4000", "http://127.0.0.1:4000"));
    static const char *const FOREIGN[] = {
        "", "null", "http://", "192.168.4.1", "https://192.168.4.1", "HTTP://192.168.4.1", "http://192.168.4.1/",
        "http://192.168.4.1:80", "http://192.168.4.10", "http://192.168.4", "http://evil.example",
        "http://192.168.4.1.evil.example", "http://192.168.4.1 http://evil.example", "file://", "http:/192.168.4.1",
    };
    for (size_t i = 0; i < sizeof FOREIGN / sizeof FOREIGN[0]; i++) {
        CHECK_CASE(!host_header_is_origin("192.168.4.1", FOREIGN[i]), FOREIGN[i]);
    }
}

static http_framing_t judge(const char *length, size_t content_len)
{
    return http_framing_judge(false, length, content_len);
}

static void test_framing(void)
{
    CHECK(judge(NULL, 0) == HTTP_FRAMING_OK);
    CHECK(judge("0", 0) == HTTP_FRAMING_OK);
    CHECK(judge("15 ", 15) == HTTP_FRAMING_OK);
    CHECK(judge("000000000000000000000000000000" PROV_LIMIT_TEXT(HTTP_BODY_MAX), HTTP_BODY_MAX) == HTTP_FRAMING_OK);
    CHECK(judge(PROV_LIMIT_TEXT(HTTP_BODY_MAX) "0", HTTP_BODY_MAX * 10) == HTTP_FRAMING_TOO_LONG);
    CHECK(judge("8193", 8193) == HTTP_FRAMING_TOO_LONG);
    /* What 32 and 64 bits make of it: nothing, or little. */
    CHECK(judge("4294967296", 0) == HTTP_FRAMING_TOO_LONG);
    CHECK(judge("4294967311", 15) == HTTP_FRAMING_TOO_LONG);
    CHECK(judge("18446744073709551616", 0) == HTTP_FRAMING_TOO_LONG);
    CHECK(judge("340282366920938463463374607431768211456", SIZE_MAX) == HTTP_FRAMING_TOO_LONG);
    static const char *const MALFORMED[] = {"", " ", "-1", "+15", "15,15", "15, 15", "0x0f", "1e1", "15a", "a", "1 5"};
    for (size_t i = 0; i < sizeof MALFORMED / sizeof MALFORMED[0]; i++) {
        CHECK_CASE(judge(MALFORMED[i], 15) == HTTP_FRAMING_MALFORMED, MALFORMED[i]);
    }
    CHECK(judge("15", 0) == HTTP_FRAMING_MALFORMED);
    CHECK(judge(NULL, 15) == HTTP_FRAMING_MALFORMED);
    CHECK(http_framing_judge(true, NULL, 0) == HTTP_FRAMING_CODED);
    CHECK(http_framing_judge(true, "15", 15) == HTTP_FRAMING_CODED);
}

int main(void)
{
    test_host();
    test_origin();
    test_framing();
    return check_result("http");
}
