/* What the modules tell the state machine's task. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "certificate_record.h"
#include "prov_failure.h"
#include "prov_records.h"
#include "prov_state.h"

/** What happened. All but EVENT are judged before the state machine sees them. */
typedef enum {
    PROV_MSG_EVENT,           /* `event`, as it is */
    PROV_MSG_LINK_ASSOCIATED, /* the access point accepted us */
    PROV_MSG_LINK_UP,         /* IP address in `ip` */
    PROV_MSG_LINK_DOWN,       /* `reason` */
    PROV_MSG_BACKEND_FAILED,  /* `failure`, `verdict` */
    PROV_MSG_BROKER_FAILED,   /* `failure`, `is_denied`; also of a connection that stood */
    PROV_MSG_PUBLISHING,      /* a status message is about to be sent */
    PROV_MSG_PUBLISHED,       /* the broker has acknowledged a status message */
    PROV_MSG_CERTIFICATE,     /* `in_use`: the broker is about to be shown this one */
    PROV_MSG_RENEWED,         /* `certificate` */
} prov_msg_kind_t;

#define PROV_DETAIL_MAX 72

/** What the state machine's task needs to know of the certificate in use. Times in Unix seconds. */
typedef struct {
    int64_t not_before;
    int64_t not_after;
    bool is_new;       /* no connection with it has succeeded yet */
    bool has_fallback; /* an older one is there and has not expired */
} certificate_in_use_t;

typedef struct {
    prov_msg_kind_t kind;
    prov_event_id_t event;
    /* The job this is the result of; results of abandoned jobs are dropped. 0 = not from a job. */
    uint32_t job_id;
    prov_failure_t failure;
    char detail[PROV_DETAIL_MAX]; /* added to the failure's message, e.g. "HTTP 503"; may be "" */
    union {
        uint16_t reason;   /* LINK_DOWN */
        uint32_t ip;       /* LINK_UP, network byte order */
        int verdict;       /* BACKEND_FAILED: backend_verdict_t */
        bool is_denied;    /* BROKER_FAILED: by a broker whose certificate was good */
        bool wifi_only;    /* RESET */
        certificate_t certificate; /* ENROLLED, PROV_MSG_RENEWED: the receiver owns it */
        certificate_in_use_t in_use;
    };
} prov_msg_t;
