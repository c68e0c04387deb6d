/* Ctrl-C as a question: a long command asks whether it came, and ends in its own words. One for the process. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

/* From now on SIGINT, SIGTERM and SIGHUP are remembered; a second one ends the process as usual. */
void interrupt_catch(void);
bool interrupt_seen(void);
/* Sleeps; false as soon as one came. */
bool interrupt_sleep(int64_t ms);
/* Waits until `fd` can be read, or has ended; false as soon as a signal came. */
bool interrupt_wait_readable(int fd);

#endif
