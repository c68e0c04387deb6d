/* Imports as the intake would leave them in a store, row by row: what the readers of reports are tested with. */
#ifndef TESTS_UNIT_REGISTRY_REPORT_H
#define TESTS_UNIT_REGISTRY_REPORT_H

#include "../intake/fixture.h"
#include "record/record.h"

#define REPORT_FAULTS 3

/* An item. With `fault_count` it has faults; else it is kept, under an external id of one byte unless that is 0. */
struct report_item {
    uint8_t external;
    uint8_t content;
    const char *text; /* as it came */
    size_t fault_count;
    struct record_fault faults[REPORT_FAULTS];
};

struct report {
    struct store_import row;
    struct slice header; /* of CSV */
    uint32_t chunks;
    uint8_t content; /* of the next customer without an external id */
};

/* An open import of the contract; members of report->row may be set before the first chunk. */
void report_begin(const struct fixture *fixture, struct report *report, const char *contract, uint8_t format);
/* Commits a chunk of these items; conflicts get a fault "external-id-conflict" at /id. */
void report_chunk(const struct fixture *fixture, struct report *report, const struct report_item *items, size_t size);
/* Writes the row with its last state. */
void report_end(const struct fixture *fixture, struct report *report, uint8_t state, int error);

#define REPORT_FAULT(code_text, pointer_text, detail_text)                                                             \
    {                                                                                                                  \
        .code = {code_text, sizeof(code_text) - 1}, .pointer = {pointer_text, sizeof(pointer_text) - 1}, .detail = {   \
            detail_text,                                                                                               \
            sizeof(detail_text) - 1                                                                                    \
        }                                                                                                              \
    }

#endif
