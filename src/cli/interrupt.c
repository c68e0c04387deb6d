/*
 * A signal that comes between the question and a system call that waits would be missed until that call
 * ends; so nothing here waits longer than a moment at once.
 */
#include "cli/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>

#include "base/clock.h"

#define MOMENT_MS 200

static volatile sig_atomic_t seen;

static void on_signal(int number)
{
    (void)number;
    seen = 1;
}

void interrupt_catch(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        sigaction(signals[i], &action, NULL);
    }
}

bool interrupt_seen(void)
{
    return seen != 0;
}

bool interrupt_sleep(int64_t ms)
{
    int64_t until_ns = clock_monotonic_ns() + ms * 1000000;
    for (int64_t left; !seen && (left = (until_ns - clock_monotonic_ns()) / 1000000) > 0;) {
        poll(NULL, 0, left < MOMENT_MS ? (int)left : MOMENT_MS);
    }
    return !seen;
}

bool interrupt_wait_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    while (!seen) {
        if (poll(&polled, 1, MOMENT_MS) > 0) {
            return true;
        }
    }
    return false;
}
