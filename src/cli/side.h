/*
 * The short questions beside a long exchange (struct client_side). For client.c only, which drives both in
 * one loop.
 */
#ifndef CLI_SIDE_H
#define CLI_SIDE_H

#include <curl/curl.h>

#include "cli/client.h"

struct side;

/* NULL when the request has no questions, or no memory is there: the exchange goes on without. */
struct side *side_open(CURLM *multi, const struct connection *connection, const struct client_request *request);
void side_close(struct side **side);
/* Asks when it is time to. NULL does nothing, here and below. */
void side_step(struct side *side);
/* A transfer of the loop has ended: if it is the question's, its answer is taken. */
void side_ended(struct side *side, const CURLMsg *message);

#endif
