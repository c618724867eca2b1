#include "wifi_reasons.h"

/*
 * Numbers, not the driver's names: 210..212 have names only since ESP-IDF 5.2, and this file is
 * tested without the driver's headers. See wifi_err_reason_t in esp_wifi_types.h.
 */
static bool is_known(uint16_t reason)
{
    bool is_of_standard = reason >= 1 && reason <= 68; /* IEEE 802.11-2020, table 9-49 */
    bool is_of_driver = reason >= 200 && reason <= 212;
    return is_of_standard || is_of_driver || reason >= WIFI_REASON_NO_ANSWER;
}

wifi_reason_class_t wifi_reason_class(uint16_t reason)
{
    switch (reason) {
    case 14:  /* MIC_FAILURE */
    case 15:  /* 4WAY_HANDSHAKE_TIMEOUT */
    case 202: /* AUTH_FAIL */
    case 204: /* HANDSHAKE_TIMEOUT */
        return WIFI_REASON_CLASS_PASSWORD;
    case 201: /* NO_AP_FOUND */
        return WIFI_REASON_CLASS_NOT_FOUND;
    case 18:  /* GROUP_CIPHER_INVALID */
    case 19:  /* PAIRWISE_CIPHER_INVALID */
    case 20:  /* AKMP_INVALID */
    case 21:  /* UNSUPP_RSN_IE_VERSION */
    case 22:  /* INVALID_RSN_IE_CAP */
    case 23:  /* 802_1X_AUTH_FAILED */
    case 24:  /* CIPHER_SUITE_REJECTED */
    case 29:  /* BAD_CIPHER_OR_AKM */
    case 210: /* NO_AP_FOUND_W_COMPATIBLE_SECURITY */
    case 211: /* NO_AP_FOUND_IN_AUTHMODE_THRESHOLD */
    case WIFI_REASON_OPEN:
        return WIFI_REASON_CLASS_SECURITY;
    case 212: /* NO_AP_FOUND_IN_RSSI_THRESHOLD */
        return WIFI_REASON_CLASS_SIGNAL;
    case WIFI_REASON_NO_ADDRESS:
        return WIFI_REASON_CLASS_DHCP;
    default:
        return is_known(reason) ? WIFI_REASON_CLASS_TRANSIENT : WIFI_REASON_CLASS_UNKNOWN;
    }
}

static prov_failure_t class_failure(wifi_reason_class_t class)
{
    switch (class) {
    case WIFI_REASON_CLASS_PASSWORD:
        return PROV_FAILURE_WIFI_WRONG_PASSWORD;
    case WIFI_REASON_CLASS_NOT_FOUND:
        return PROV_FAILURE_WIFI_AP_NOT_FOUND;
    case WIFI_REASON_CLASS_SECURITY:
        return PROV_FAILURE_WIFI_WEAK_SECURITY;
    case WIFI_REASON_CLASS_SIGNAL:
        return PROV_FAILURE_WIFI_WEAK_SIGNAL;
    case WIFI_REASON_CLASS_DHCP:
        return PROV_FAILURE_DHCP_TIMEOUT;
    case WIFI_REASON_CLASS_UNKNOWN:
        return PROV_FAILURE_WIFI_UNKNOWN;
    case WIFI_REASON_CLASS_TRANSIENT:
    default:
        return PROV_FAILURE_WIFI_TIMEOUT;
    }
}

prov_failure_t wifi_reason_failure(uint16_t reason)
{
    return class_failure(wifi_reason_class(reason));
}

/** How many equal results in a row make a verdict before the attempts are used up; 0 = never. */
static uint16_t streak_needed(wifi_reason_class_t class)
{
    switch (class) {
    case WIFI_REASON_CLASS_DHCP:
        return 1; /* the DHCP client has itself asked several times by then */
    case WIFI_REASON_CLASS_PASSWORD:
    case WIFI_REASON_CLASS_SECURITY:
        return 2;
    case WIFI_REASON_CLASS_NOT_FOUND:
        return 3; /* one scan easily misses a beacon */
    default:
        return 0;
    }
}

prov_failure_t wifi_judge(wifi_judge_t *judge, uint16_t reason, uint16_t max_attempts)
{
    wifi_reason_class_t class = wifi_reason_class(reason);
    judge->streak = judge->attempts > 0 && judge->last_class == class ? judge->streak + 1 : 1;
    judge->last_class = class;
    judge->attempts++;

    uint16_t needed = streak_needed(class);
    if (needed > 0 && judge->streak >= needed) {
        return class_failure(class);
    }
    if (judge->attempts < max_attempts) {
        return PROV_FAILURE_NONE;
    }
    /* Out of attempts: a single password-like result among others does not accuse the password. */
    bool accuses = class != WIFI_REASON_CLASS_PASSWORD || judge->streak >= needed;
    return accuses ? class_failure(class) : PROV_FAILURE_WIFI_TIMEOUT;
}

prov_event_id_t wifi_judge_event(const wifi_judge_t *judge, prov_failure_t verdict, bool is_pending)
{
    if (is_pending) {
        return verdict != PROV_FAILURE_NONE ? PROV_EVENT_WIFI_REJECTED : PROV_EVENT_WIFI_RETRY;
    }
    return judge->attempts < 2 ? PROV_EVENT_WIFI_RETRY : PROV_EVENT_WIFI_DOWN; /* a single failure is no news */
}
