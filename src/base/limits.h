/* Limits that several rooms share; docs/api.md states those a client meets. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_ITEM_BYTES     (1u << 20) /* one customer, as sent */
#define LIMIT_ENVELOPE_BYTES (1u << 20) /* what stands around the array */
#define LIMIT_DEPTH          64u        /* nested arrays and objects */
#define LIMIT_MEMBERS        1024u      /* members of one object */
#define LIMIT_STRING_BYTES   (1u << 20) /* any string; contracts lower it per member */
#define LIMIT_CHUNK_ITEMS    1000u      /* items of one chunk */
#define LIMIT_CHUNK_BYTES    (2u << 20) /* a chunk is closed when it holds this much */
#define LIMIT_FAULTS         1000u      /* faults listed in one answer */
#define LIMIT_ITEM_KEYS      64u        /* identifiers of one customer */
#define LIMIT_NAME_BYTES     64u        /* tenant, project, client, key names */

#endif
