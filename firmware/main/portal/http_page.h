/* The page for people with a phone: GET / and its form, and the way there from anywhere else. */
#pragma once

#include <stdbool.h>

#include "esp_http_server.h"

/** GET /: the page. */
esp_err_t http_page_get(httpd_req_t *req);

/** POST /: the form of a browser without scripts. Answers are pages. */
esp_err_t http_page_post(httpd_req_t *req);

/** GET /progress: how it goes, for the same browser; refreshes itself until there is an outcome. */
esp_err_t http_page_progress(httpd_req_t *req);

/** True when an unknown path was asked for by a browser or a captive-portal probe, not by a program. */
bool http_page_is_for_people(httpd_req_t *req);

/** True for what http_page_post() answers: refusals are pages, too. */
bool http_page_is_its_form(httpd_req_t *req);

/** An error as a page, in the words that it has for people, or as `message`. */
esp_err_t http_page_refuse(httpd_req_t *req, const char *status_line, const char *code, const char *message);

/** 303 to the page. */
esp_err_t http_page_redirect(httpd_req_t *req);
