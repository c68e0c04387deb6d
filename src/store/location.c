/*
 * What a store's location may be, and how it is shown: without its password. The difficulty is whoever mistypes it. A
 * sign in a password that is not percent-encoded makes libpq take a piece of the password for a host or a port, which
 * error texts then name. So what can't be meant is refused before it is used, and what is shown is what is known to be
 * harmless, rather than all but what is known to be secret.
 */
#include <ctype.h>
#include <strings.h>

#include "store/store.h"

#define HIDDEN "***"

/* Parameters of a URL that say nothing secret (libpq's names). */
static const char *const harmless[] = {
    "application_name",
    "channel_binding",
    "client_encoding",
    "connect_timeout",
    "dbname",
    "gssencmode",
    "host",
    "hostaddr",
    "keepalives",
    "passfile",
    "port",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "sslsni",
    "ssl_min_protocol_version",
    "target_session_attrs",
    "tcp_user_timeout",
    "user",
};

/* A URL's parts as libpq takes them apart; those that are not there are empty. */
struct url {
    struct slice scheme;    /* with :// */
    struct slice authority; /* user and password, hosts and ports */
    struct slice path;      /* with its / */
    struct slice query;     /* with its ? */
};

static size_t until(struct slice text, const char *signs)
{
    size_t at = 0;
    while (at < text.size && strchr(signs, text.data[at]) == NULL) {
        at++;
    }
    return at;
}

static struct slice take(struct slice *text, size_t size)
{
    struct slice taken = slice_make(text->data, size);
    *text = slice_make(text->data + size, text->size - size);
    return taken;
}

static bool is_url(const char *location, struct url *url)
{
    const char *behind = strstr(location, "://");
    if (behind == NULL) {
        return false;
    }
    struct slice rest = slice_from_text(location);
    url->scheme = take(&rest, (size_t)(behind - location) + 3);
    url->authority = take(&rest, until(rest, "/?"));
    url->path = take(&rest, until(rest, "?"));
    url->query = rest;
    return true;
}

static size_t count_of(struct slice text, char sign)
{
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        count += text.data[i] == sign;
    }
    return count;
}

/* ---- showing ---- */

/* name, name:port or [address]:port */
static bool is_host(struct slice host)
{
    size_t behind = host.size > 0 && host.data[0] == '[' ? until(host, "]") : until(host, ":");
    bool port = false;
    for (size_t i = behind; i < host.size; i++) {
        char c = host.data[i];
        if (!isdigit((unsigned char)c) && !(c == ']' && i == behind) && !(c == ':' && !port)) {
            return false;
        }
        port = port || c == ':';
    }
    return true;
}

static void show_hosts(struct slice hosts, struct buf *text)
{
    while (hosts.size > 0) {
        struct slice host = take(&hosts, until(hosts, ","));
        if (is_host(host)) {
            buf_append_slice(text, host);
        } else {
            buf_append_slice(text, slice_make(host.data, until(host, ":")));
            buf_append_text(text, ":" HIDDEN);
        }
        if (hosts.size > 0) {
            buf_append_slice(text, take(&hosts, 1));
        }
    }
}

/* A sign that separates the two may be encoded by mistake. */
static bool has_password(struct slice user)
{
    for (size_t i = 0; i < user.size; i++) {
        if (user.data[i] == ':' || (user.size - i >= 3 && strncasecmp(user.data + i, "%3a", 3) == 0)) {
            return true;
        }
    }
    return false;
}

static void show_authority(struct slice authority, struct buf *text)
{
    size_t at = authority.size;
    while (at > 0 && authority.data[at - 1] != '@') {
        at--;
    }
    if (at > 0) {
        struct slice user = slice_make(authority.data, at - 1);
        size_t plain = until(user, ":%");
        buf_append_slice(text, has_password(user) ? slice_make(user.data, plain) : user);
        buf_append_text(text, has_password(user) ? ":" HIDDEN "@" : "@");
    }
    show_hosts(slice_make(authority.data + at, authority.size - at), text);
}

static bool is_harmless(struct slice name)
{
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        if (slice_equal_text(name, harmless[i])) {
            return true;
        }
    }
    return false;
}

static void show_query(struct slice query, struct buf *text)
{
    while (query.size > 0) {
        buf_append_slice(text, take(&query, 1)); /* ? or & */
        struct slice pair = take(&query, until(query, "&"));
        struct slice name = slice_make(pair.data, until(pair, "="));
        if (is_harmless(name)) {
            buf_append_slice(text, pair);
        } else {
            buf_append_slice(text, count_of(pair, '=') > 0 ? name : SLICE_NONE);
            buf_append_text(text, count_of(pair, '=') > 0 ? "=" HIDDEN : HIDDEN);
        }
    }
}

/* name=value pairs: what comes behind the first password is not taken apart. */
static void show_plain(const char *location, struct buf *text)
{
    const char *password = strcasestr(location, "password");
    const char *equals = password == NULL ? NULL : strchr(password, '=');
    if (equals == NULL) {
        buf_append_text(text, location);
    } else {
        buf_append(text, location, (size_t)(equals - location) + 1);
        buf_append_text(text, HIDDEN);
    }
}

static bool is_clear(const struct url *url)
{
    size_t before = count_of(url->authority, '@');
    return before <= 1 && count_of(url->path, '@') == 0 && (before == 1 || count_of(url->query, '@') == 0);
}

void store_location_show(const char *location, struct buf *text)
{
    struct url url;
    if (!is_url(location, &url)) {
        show_plain(location, text);
        return;
    }
    buf_append_slice(text, url.scheme);
    if (!is_clear(&url)) {
        buf_append_text(text, HIDDEN); /* any part may be one of the password */
        return;
    }
    show_authority(url.authority, text);
    buf_append_slice(text, url.path);
    show_query(url.query, text);
}

/* ---- checking ---- */

static bool hosts_are_good(struct slice authority)
{
    struct slice hosts = authority;
    if (count_of(authority, '@') > 0) {
        (void)take(&hosts, until(hosts, "@") + 1);
    }
    while (hosts.size > 0) {
        if (!is_host(take(&hosts, until(hosts, ",")))) {
            return false;
        }
        if (hosts.size > 0) {
            (void)take(&hosts, 1);
        }
    }
    return true;
}

int store_location_check(const char *location, struct buf *why)
{
    struct url url;
    const char *wrong = NULL;
    if (!is_url(location, &url)) {
        bool pairs = strchr(location, '=') != NULL &&
                     (strcasestr(location, "password") != NULL || strstr(location, "dbname=") != NULL);
        wrong = pairs ? "a database is named by a URL: postgresql://USER@HOST:PORT/DATABASE" : NULL;
    } else if (!store_is_shared(location)) {
        wrong = "the URL of a database begins with postgresql://";
    } else if (!is_clear(&url) || !hosts_are_good(url.authority)) {
        wrong = "the database's URL can't be taken apart: in a user or password, write % : / ? # @ as "
                "%25 %3A %2F %3F %23 %40";
    }
    if (wrong == NULL) {
        return 0;
    }
    buf_append_text(why, wrong);
    return ERR_CONFIG;
}
