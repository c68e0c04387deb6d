/* The listening socket: an address and port as text become a socket that may be handed on. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"

/* Digits only, and no more than a port can be: getaddrinfo takes signs and cuts what is too large. */
static bool is_port(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) && strlen(text) <= 5 &&
           strtoul(text, NULL, 10) <= UINT16_MAX;
}

static int split_address(const char *listen_text, char host[256], char port[16])
{
    const char *colon = strrchr(listen_text, ':');
    if (colon == NULL || colon == listen_text || !is_port(colon + 1)) {
        return ERR_CONFIG;
    }
    const char *start = listen_text;
    const char *end = colon;
    if (*start == '[' && end[-1] == ']') {
        start++;
        end--;
    }
    if ((size_t)(end - start) >= 256) {
        return ERR_CONFIG;
    }
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    snprintf(port, 16, "%s", colon + 1);
    return 0;
}

static int open_socket(const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, 1024) != 0) {
        int failure = errno;
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } bound = {.v6 = {0}};
    socklen_t size = sizeof bound;
    if (getsockname(fd, &bound.any, &size) != 0) {
        return 0;
    }
    return ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
}

int http_listen(const char *address_text, int *listening, uint16_t *port, struct buf *why)
{
    char host[256], service[16];
    struct addrinfo *address = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    if (split_address(address_text, host, service) != 0 || getaddrinfo(host, service, &hints, &address) != 0) {
        buf_printf(why, "listen: \"%s\" is not an address and a port; write for example 127.0.0.1:8484", address_text);
        return ERR_CONFIG;
    }
    *listening = open_socket(address);
    freeaddrinfo(address);
    if (*listening < 0) {
        buf_printf(why, "listen: %s: %s", address_text, strerror(errno));
        return ERR_NETWORK;
    }
    *port = port_of(*listening);
    return 0;
}
