/* What a series of failures, or the age of a certificate, is to the device: every row of each judgement. */
#include "backend_answer.h"
#include "broker_judge.h"
#include "check.h"
#include "outlook.h"
#include "renewal.h"
#include "wifi_reasons.h"

typedef struct {
    bool is_enrolled;
    bool has_other;
    const char *attempts; /* f: it fails, u: the broker is untrusted, d: the broker itself denies us */
    const char *outcomes; /* r: MQTT_RETRY, s: MQTT_STUCK, x: MQTT_REFUSED; a capital: the old one's turn is next */
} trial_row_t;

static const trial_row_t TRIALS[] = {
    /* A certificate that has worked, or the only one: once is a hiccup, then somebody should be able to come. */
    {false, false, "ffff", "rxxx"},
    {false, false, "ddd", "rxx"},
    /* It does not become trusted by waiting, but may be somebody on the way: the second time tells. */
    {false, false, "uuu", "sxx"},
    {false, false, "uf", "sx"},
    {false, false, "fu", "rx"},
    /* A single denial among others is none, and takes the place of the failures before it. */
    {false, false, "fdf", "rsx"},
    {false, false, "fdd", "rsx"},
    {false, false, "udf", "ssx"},
    {false, false, "dfd", "rxs"},
    {false, false, "dufd", "rxxs"},
    /* One that was enrolled just now: somebody waits to hear of it. */
    {true, false, "ffff", "rxxx"},
    {true, false, "ddd", "rxx"},
    {true, false, "uu", "sx"},
    /* A renewed one: the one before may work, and nobody needs to come. */
    {false, true, "ffff", "rSSS"},
    {false, true, "ddd", "rSS"},
    {false, true, "uu", "sS"},
    {false, true, "fd", "rS"},
    /* An enrolled one beside one that has worked: more patience, and a word to whoever waits. */
    {true, true, "ffffff", "rxxxXX"},
    {true, true, "dddddd", "rxxxXX"},
    {true, true, "uuuuu", "sxxxX"},
    {true, true, "fdfffd", "rsxxXS"},
};

static void test_broker_trials(void)
{
    static const struct {
        prov_event_id_t event;
        char letter;
    } LETTERS[] = {{PROV_EVENT_MQTT_RETRY, 'r'}, {PROV_EVENT_MQTT_STUCK, 's'}, {PROV_EVENT_MQTT_REFUSED, 'x'}};
    for (size_t i = 0; i < sizeof TRIALS / sizeof TRIALS[0]; i++) {
        const trial_row_t *row = &TRIALS[i];
        broker_trial_t trial = {.is_enrolled = row->is_enrolled, .is_new = row->has_other, .has_other = row->has_other};
        char outcomes[8] = "";
        for (size_t n = 0; row->attempts[n] != '\0'; n++) {
            char attempt = row->attempts[n];
            prov_failure_t failure = attempt == 'u'   ? PROV_FAILURE_BROKER_UNTRUSTED
                                     : attempt == 'd' ? PROV_FAILURE_BROKER_REJECTED
                                                      : PROV_FAILURE_BROKER_UNREACHABLE;
            prov_event_id_t event = broker_trial_failed(&trial, failure, attempt == 'd');
            for (size_t k = 0; k < sizeof LETTERS / sizeof LETTERS[0]; k++) {
                if (LETTERS[k].event == event) {
                    outcomes[n] = (char)(LETTERS[k].letter - (trial.tries_old ? 'a' - 'A' : 0));
                }
            }
        }
        CHECK_TEXT(outcomes, row->outcomes);
        CHECK(trial.is_enrolled == row->is_enrolled && trial.has_other == row->has_other);
    }
}

/** A failure that anybody on the way can bring about is no denial, whatever it is called. */
static void test_denials_are_the_brokers(void)
{
    for (int failure = 1; failure < PROV_FAILURE_COUNT; failure++) {
        broker_trial_t trial = {0};
        prov_event_id_t first = broker_trial_failed(&trial, (prov_failure_t)failure, false);
        bool is_news = outlook_of((prov_failure_t)failure) == OUTLOOK_NEEDS_HELP;
        CHECK(first == (is_news ? PROV_EVENT_MQTT_STUCK : PROV_EVENT_MQTT_RETRY));
        CHECK(trial.denials == 0 && trial.failures == 1);
    }
}

static void test_backend(void)
{
    static const struct {
        backend_verdict_t verdict;
        uint32_t failures;
        prov_event_id_t event;
    } ROWS[] = {
        {BACKEND_VERDICT_RETRY, 1, PROV_EVENT_ENROL_RETRY},        {BACKEND_VERDICT_RETRY, 4, PROV_EVENT_ENROL_RETRY},
        {BACKEND_VERDICT_RETRY, 5, PROV_EVENT_ENROL_STUCK},        {BACKEND_VERDICT_RETRY, 6, PROV_EVENT_ENROL_STUCK},
        {BACKEND_VERDICT_STUCK, 1, PROV_EVENT_ENROL_STUCK},        {BACKEND_VERDICT_STUCK, 5, PROV_EVENT_ENROL_STUCK},
        {BACKEND_VERDICT_REJECTED, 1, PROV_EVENT_ENROL_REJECTED},  {BACKEND_VERDICT_REJECTED, 5, PROV_EVENT_ENROL_REJECTED},
        {BACKEND_VERDICT_RETRY, UINT32_MAX, PROV_EVENT_ENROL_STUCK},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        CHECK(backend_judge(ROWS[i].verdict, ROWS[i].failures, 5) == ROWS[i].event);
    }
}

static void test_wifi(void)
{
    static const struct {
        bool is_pending;
        uint16_t attempts;
        prov_failure_t verdict;
        prov_event_id_t event;
    } ROWS[] = {
        {true, 1, PROV_FAILURE_NONE, PROV_EVENT_WIFI_RETRY},
        {true, 4, PROV_FAILURE_NONE, PROV_EVENT_WIFI_RETRY},
        {true, 1, PROV_FAILURE_DHCP_TIMEOUT, PROV_EVENT_WIFI_REJECTED},
        {true, 5, PROV_FAILURE_WIFI_TIMEOUT, PROV_EVENT_WIFI_REJECTED},
        /* What has worked is never given up. */
        {false, 1, PROV_FAILURE_NONE, PROV_EVENT_WIFI_RETRY},
        {false, 1, PROV_FAILURE_DHCP_TIMEOUT, PROV_EVENT_WIFI_RETRY},
        {false, 2, PROV_FAILURE_NONE, PROV_EVENT_WIFI_DOWN},
        {false, 2, PROV_FAILURE_WIFI_WRONG_PASSWORD, PROV_EVENT_WIFI_DOWN},
        {false, UINT16_MAX, PROV_FAILURE_WIFI_TIMEOUT, PROV_EVENT_WIFI_DOWN},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const wifi_judge_t judge = {.attempts = ROWS[i].attempts};
        CHECK(wifi_judge_event(&judge, ROWS[i].verdict, ROWS[i].is_pending) == ROWS[i].event);
    }
}

#define HOUR 3600
#define DAY (24 * HOUR)
#define NOW INT64_C(1750000000)

static void test_renewal_verdicts(void)
{
    static const struct {
        int64_t now;
        renewal_verdict_t verdict;
    } ROWS[] = {
        {0, RENEWAL_LATER},       {NOW - 1, RENEWAL_LATER},         {NOW, RENEWAL_DUE},
        {NOW + DAY, RENEWAL_DUE}, {NOW + DAY + 1, RENEWAL_TOO_LATE}, {INT64_MAX, RENEWAL_TOO_LATE},
    };
    const renewal_t renewal = {.not_after = NOW + DAY, .due_at = NOW};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        CHECK(renewal_judge(&renewal, ROWS[i].now) == ROWS[i].verdict);
    }
}

/** `random` = 0: at the start of the last third. */
static void test_renewal_plans(void)
{
    static const struct {
        bool has_renewed;
        int64_t not_before;
        int64_t not_after;
        int64_t due_at;
    } ROWS[] = {
        {false, NOW, NOW + 90 * DAY, NOW + 60 * DAY},
        {false, NOW - 80 * DAY, NOW + 10 * DAY, NOW - 20 * DAY}, /* at once */
        {true, NOW, NOW + 90 * DAY, NOW + 60 * DAY},
        {true, NOW - 80 * DAY, NOW + 10 * DAY, NOW + HOUR},      /* again: not without a pause */
        {true, NOW - 30 * HOUR, NOW + 8 * HOUR, NOW + HOUR},
        {true, NOW - 30 * HOUR, NOW + 4 * HOUR, NOW + HOUR / 2},
        {true, NOW - 720, NOW + 80, NOW + 10}, /* an eighth of the time that is left */
        {true, NOW - 720, NOW - 80, NOW - 10},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        renewal_t renewal = {.has_renewed = ROWS[i].has_renewed};
        renewal_plan(&renewal, ROWS[i].not_before, ROWS[i].not_after, NOW, 0);
        CHECK(renewal.due_at == ROWS[i].due_at && renewal.not_after == ROWS[i].not_after);
        CHECK(renewal.has_renewed == ROWS[i].has_renewed);
    }
}

static void test_renewal_waits(void)
{
    static const struct {
        int64_t not_after;
        int64_t delay_ms;
        uint32_t wait_ms;
    } ROWS[] = {
        {NOW + 90 * DAY, 5000, 5000},
        {NOW + 90 * DAY, 2 * DAY * INT64_C(1000), DAY * 1000u},
        {NOW + 90 * DAY, INT64_MAX, DAY * 1000u},
        {NOW + 10, 60000, 11000}, /* a second later it has ended */
        {NOW, 60000, 1000},
        {NOW - 1, 60000, 0},
        {NOW - DAY, 60000, 0},
        {NOW + DAY, -1, 0},
        {NOW + DAY, 0, 0},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const renewal_t renewal = {.not_after = ROWS[i].not_after};
        CHECK(renewal_wait_ms(&renewal, NOW, ROWS[i].delay_ms) == ROWS[i].wait_ms);
    }
}

int main(void)
{
    test_broker_trials();
    test_denials_are_the_brokers();
    test_backend();
    test_wifi();
    test_renewal_verdicts();
    test_renewal_plans();
    test_renewal_waits();
    return check_result("judges");
}
