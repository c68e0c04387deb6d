/* How RocksDB is set up; for kv_rocks.c only. */
#ifndef STORE_ROCKS_PRIV_H
#define STORE_ROCKS_PRIV_H

#include <rocksdb/c.h>

#include "store/kv_priv.h"

/* Options of the database and of each family. The caches are shared and counted by reference. */
struct store_rocks_options {
    rocksdb_options_t *database;
    rocksdb_options_t *families[STORE_FAMILY_COUNT];
};

/* `direct`: the folder's file system takes O_DIRECT. */
void store_rocks_options_init(struct store_rocks_options *options, size_t memory_bytes, bool direct);
void store_rocks_options_fini(struct store_rocks_options *options);

#endif
