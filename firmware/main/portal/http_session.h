/*
 * The connections of the HTTP server. One task serves them all, so none may hold it: each request has a deadline
 * from its first byte, its answer another one. Belongs to that task, but for two functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_http_server.h"

/** The open_fn of httpd_config_t. */
esp_err_t http_session_open(httpd_handle_t server, int fd);

/** From now on no new connection is ever served: the server is not bound to the SoftAP's interface. From any task. */
void http_session_refuse_all(void);

/**
 * The server is bound: serves the connections that come from now on, but none that waited to be let in when it was not.
 * From any task.
 */
esp_err_t http_session_admit(httpd_handle_t server);

/** False when the deadline of the request in progress is over. */
bool http_session_has_time(void);

/** False when the client of `req`, all of which was read, has hung up: nobody waits for what it asked for. */
bool http_session_is_awaited(httpd_req_t *req);

/** The address at which the client reached the board, network byte order; 0 when that is none of IPv4. */
uint32_t http_session_address(httpd_req_t *req);

/** After an answer behind which the connection is closed: lets the client read it first, for a moment. */
void http_session_linger(httpd_req_t *req);

/** The request is over; the next byte is the first one of another. */
void http_session_end_request(void);
