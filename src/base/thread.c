#include "base/thread.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context)
{
    assert(strlen(name) <= THREAD_NAME_MAX);
    if (pthread_create(thread, NULL, run, context) != 0) {
        return ERR_NO_MEMORY;
    }
    (void)pthread_setname_np(*thread, name); /* without it, it only bears the program's */
    return 0;
}
