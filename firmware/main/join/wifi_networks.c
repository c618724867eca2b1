#include "wifi_networks.h"

#include <string.h>

/** Length of the sequence that `lead` starts, and the range of its second byte (RFC 3629 §4). */
static size_t sequence_length(unsigned char lead, unsigned char *second_min, unsigned char *second_max)
{
    *second_min = 0x80;
    *second_max = 0xbf;
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *second_min = lead == 0xe0 ? 0xa0 : 0x80;
        *second_max = lead == 0xed ? 0x9f : 0xbf;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *second_min = lead == 0xf0 ? 0x90 : 0x80;
        *second_max = lead == 0xf4 ? 0x8f : 0xbf;
        return 4;
    }
    return 0;
}

bool utf8_is_valid(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p != '\0') {
        unsigned char min;
        unsigned char max;
        size_t length = sequence_length(*p, &min, &max);
        if (length == 0) {
            return false;
        }
        for (size_t i = 1; i < length; i++) {
            if (p[i] < min || p[i] > max) {
                return false; /* the terminating NUL ends here too */
            }
            min = 0x80;
            max = 0xbf;
        }
        p += length;
    }
    return true;
}

static size_t find(const wifi_network_t *list, size_t count, const char *ssid)
{
    size_t i = 0;
    while (i < count && strcmp(list[i].ssid, ssid) != 0) {
        i++;
    }
    return i;
}

void wifi_networks_add(wifi_network_t *list, size_t *count, const wifi_network_t *found)
{
    if (found->ssid[0] == '\0' || !utf8_is_valid(found->ssid)) {
        return;
    }
    size_t same = find(list, *count, found->ssid);
    bool secure = found->secure;
    if (same < *count) {
        secure = list[same].secure = list[same].secure || secure;
        if (list[same].rssi >= found->rssi) {
            return;
        }
        memmove(&list[same], &list[same + 1], (*count - same - 1) * sizeof *list);
        (*count)--;
    }
    size_t at = *count;
    while (at > 0 && list[at - 1].rssi < found->rssi) {
        at--;
    }
    if (at >= WIFI_SCAN_MAX) {
        return;
    }
    size_t moved = (*count < WIFI_SCAN_MAX ? *count : WIFI_SCAN_MAX - 1) - at;
    memmove(&list[at + 1], &list[at], moved * sizeof *list);
    list[at] = *found;
    list[at].secure = secure;
    if (*count < WIFI_SCAN_MAX) {
        (*count)++;
    }
}
