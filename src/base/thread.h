/* Threads with a name, which top, perf and a debugger show. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

#define THREAD_NAME_MAX 15u /* Linux, pthread_setname_np(3) */

/* As pthread_create: it has to be joined. 0 or ERR_NO_MEMORY. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context);

#endif
