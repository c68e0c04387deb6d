/*
 * Where a server is and who we are there: from flags, environment and credential files. Secrets come
 * from the environment (MUSTER_TOKEN, MUSTER_TENANT_TOKEN, MUSTER_OPERATOR_KEY) or from files, never
 * from flags: a flag is in everybody's list of processes.
 */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "base/limits.h"
#include "cli/cli.h"

struct connection {
    char server[512];                   /* no slash at the end */
    char token[4096];                   /* API key or access token; "" when none */
    char tenant[LIMIT_NAME_BYTES + 1];  /* public name, for the header tenantId */
    char tenant_token[256];             /* for the header token */
    char project[LIMIT_NAME_BYTES + 1]; /* a project that exists, for bodies made here */
    char operator_key[256];
};

struct connection_flags {
    const char *server;
    const char *credentials; /* file in the shape of demo.json */
    const char *data;        /* data folder: its demo.json and operator.key */
};

/* The flags of every command that talks to a server; `flags` is a struct connection_flags. */
#define CONNECTION_FLAGS(flags)                                                                                        \
    {"server", CLI_TEXT, &(flags).server, "URL", "The server; else MUSTER_SERVER, else http://127.0.0.1:8484."},       \
        {"credentials", CLI_TEXT, &(flags).credentials, "FILE",                                                        \
         "Credentials as in demo.json; else MUSTER_CREDENTIALS."},                                                     \
    {                                                                                                                  \
        "data", CLI_TEXT, &(flags).data, "DIR", "Data folder with demo.json and operator.key [./muster-data]."         \
    }

/* 0, or ERR_CONFIG, told on stderr. */
int connection_load(const struct connection_flags *flags, struct connection *connection) MUST_CHECK;
/* Reads a file in the shape of demo.json into the connection; 0, ERR_NOT_FOUND, or ERR_CONFIG, told on stderr. */
int connection_load_file(const char *path, struct connection *connection) MUST_CHECK;

#endif
