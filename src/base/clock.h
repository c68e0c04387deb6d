/* The two clocks. Functions of rooms L1 to L3 get times as arguments and don't call these. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since 1970-01-01T00:00:00Z; may jump. */
int64_t clock_real_ms(void);
/* Nanoseconds since some start; never goes back. */
int64_t clock_monotonic_ns(void);
/* CPU nanoseconds of the calling thread. */
int64_t clock_thread_cpu_ns(void);

/* "2024-08-07T13:45:40.886Z" (RFC 3339) and its NUL. */
#define CLOCK_TEXT_BYTES 25
void clock_to_text(int64_t real_ms, char text[CLOCK_TEXT_BYTES]);

#endif
