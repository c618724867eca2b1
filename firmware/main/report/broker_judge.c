#include "broker_judge.h"

#include <stdio.h>

/* MQTT 3.1.1, table 3.1. */
#define CONNACK_UNAVAILABLE 3
#define CONNACK_BAD_CREDENTIALS 4
#define CONNACK_NOT_AUTHORIZED 5

/* So many failures in a row are no hiccup of a broker that restarts. */
#define HICCUPS_MAX 1
/* A new certificate that fails so often takes turns with the one before it. */
#define TRIES_OF_RENEWED 2
#define TRIES_OF_ENROLLED 5

static const char NOT_MQTT[] = "what came is not MQTT";

static void judge_connack(int code, broker_verdict_t *verdict)
{
    verdict->is_denied = code == CONNACK_BAD_CREDENTIALS || code == CONNACK_NOT_AUTHORIZED;
    verdict->failure = code > CONNACK_NOT_AUTHORIZED  ? PROV_FAILURE_BROKER_BAD_RESPONSE
                       : code == CONNACK_UNAVAILABLE ? PROV_FAILURE_BROKER_UNREACHABLE
                                                     : PROV_FAILURE_BROKER_REJECTED;
    snprintf(verdict->detail, sizeof verdict->detail, "CONNACK code %d", code);
}

static void judge_transport(const net_error_t *error, broker_verdict_t *verdict)
{
    net_failure_detail(error, verdict->detail, sizeof verdict->detail);
    switch (net_failure_classify(error)) {
    case NET_FAILURE_UNTRUSTED:
        verdict->failure = PROV_FAILURE_BROKER_UNTRUSTED;
        break;
    case NET_FAILURE_DNS:
        verdict->failure = PROV_FAILURE_DNS_FAILED;
        snprintf(verdict->detail, sizeof verdict->detail, "broker");
        break;
    case NET_FAILURE_REFUSED:
        verdict->failure = PROV_FAILURE_BROKER_REJECTED;
        break;
    case NET_FAILURE_TLS:
        verdict->failure = PROV_FAILURE_BROKER_TLS_FAILED;
        break;
    case NET_FAILURE_CLOSED:
        snprintf(verdict->detail, sizeof verdict->detail, "it closed the connection before CONNACK");
        break;
    case NET_FAILURE_GARBAGE:
        verdict->failure = PROV_FAILURE_BROKER_BAD_RESPONSE;
        snprintf(verdict->detail, sizeof verdict->detail, "%s", NOT_MQTT);
        break;
    case NET_FAILURE_UNREACHABLE:
    default:
        break;
    }
}

/* esp-mqtt says nothing of another packet than CONNACK, nor of none that comes: the time tells them apart. */
static void judge_silence(const broker_attempt_t *attempt, broker_verdict_t *verdict)
{
    if (attempt->duration_ms >= attempt->timeout_ms) {
        snprintf(verdict->detail, sizeof verdict->detail, "no CONNACK in time");
    } else {
        verdict->failure = PROV_FAILURE_BROKER_BAD_RESPONSE;
        snprintf(verdict->detail, sizeof verdict->detail, "no CONNACK");
    }
}

static void judge_end(const broker_attempt_t *attempt, broker_verdict_t *verdict)
{
    verdict->failure = attempt->has_ack ? PROV_FAILURE_BROKER_LOST : PROV_FAILURE_PUBLISH_REFUSED;
    if (!attempt->has_error) {
        snprintf(verdict->detail, sizeof verdict->detail, "it stopped answering");
        return;
    }
    net_failure_detail(&attempt->error, verdict->detail, sizeof verdict->detail);
    if (net_failure_classify(&attempt->error) == NET_FAILURE_GARBAGE) {
        verdict->failure = attempt->has_ack ? PROV_FAILURE_BROKER_LOST : PROV_FAILURE_BROKER_BAD_RESPONSE;
        snprintf(verdict->detail, sizeof verdict->detail, "%s", NOT_MQTT);
    }
}

broker_verdict_t broker_judge(const broker_attempt_t *attempt)
{
    broker_verdict_t verdict = {.failure = PROV_FAILURE_BROKER_UNREACHABLE};
    if (attempt->has_connack) {
        judge_end(attempt, &verdict);
    } else if (attempt->refusal != BROKER_NO_CONNACK_CODE) {
        judge_connack(attempt->refusal, &verdict);
    } else if (attempt->has_error) {
        judge_transport(&attempt->error, &verdict);
    } else {
        judge_silence(attempt, &verdict);
    }
    return verdict;
}

prov_event_id_t broker_trial_failed(broker_trial_t *trial, prov_failure_t failure, bool is_denied)
{
    trial->failures++;
    trial->denials = is_denied ? trial->denials + 1 : 0;
    /* Not only when it is refused: many a broker just hangs up. Which of the two works, will show. */
    trial->tries_old = trial->has_other && trial->failures >= (trial->is_enrolled ? TRIES_OF_ENROLLED : TRIES_OF_RENEWED);
    /* Anything else may be a broker that restarts. */
    if (!prov_failure_needs_help(failure) && trial->failures <= HICCUPS_MAX) {
        return PROV_EVENT_MQTT_RETRY;
    }
    /* Whoever has just asked for a certificate wants to hear that it is denied; else the other one may work. */
    bool is_last_word = trial->is_enrolled || !trial->has_other;
    uint32_t in_a_row = trial->denials > 0 ? trial->denials : trial->failures;
    return is_last_word && in_a_row > HICCUPS_MAX ? PROV_EVENT_MQTT_REFUSED : PROV_EVENT_MQTT_STUCK;
}
