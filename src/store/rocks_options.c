/*
 * Tuning of RocksDB, and why each value is what it is. The measurements stand in docs/store.md.
 *
 * The difficulty is memory: write buffers, filters, indexes and blocks together have to stay within
 * one number. Write buffers get five eighths of it (database-wide limit), the block cache with
 * indexes and filters in it a quarter; the rest is what the allocator and open files need.
 */
#include "store/rocks_priv.h"

#define MIB (1024u * 1024u)

#define BODY_BUFFER_SHARE  6 /* of memory_bytes; three may exist at once while one is filled */
#define SMALL_BUFFER_BYTES (4u * MIB)
#define CACHE_SHARE        4
#define BUFFERS_SHARE_NUM  5
#define BUFFERS_SHARE_DEN  8

/* Recovery reads at most this much log; it also bounds how long a small family pins old logs. */
#define LOG_BYTES (512u * MIB)

/* A record of a customer is larger, an empty or tiny one is not worth a place of its own. */
#define BLOB_FROM_BYTES 256u
#define BLOB_FILE_BYTES (256u * MIB)

/* Nearly every look-up of a unique key is a miss in each of some sixteen files: at 10 bits every eighth read a block
 * for nothing, at 14 every fiftieth, and the lane of runs waited for the disk a quarter of its time. At 20 every five
 * hundredth does. Filters are kept in parts of 64 KiB, so that of a large file only those parts take room in the cache
 * that are asked; the file of a run has its filter in one piece, for finding a key's part takes longer than asking it.
 */
#define FILTER_BITS_PER_KEY 20
#define FILTER_PART_BYTES   (64u << 10)

/* Rows that are walked, or found one by one in files that hardly overlap, do with fewer and larger blocks. */
#define FOUND_BLOCK_BYTES  (4u << 10)
#define WALKED_BLOCK_BYTES (16u << 10)

enum filter { FILTER_NONE, FILTER_IN_PARTS, FILTER_WHOLE };

#define HEADER_LEVEL 5 /* rocksdb::InfoLogLevel, above FATAL */

static void tables(rocksdb_options_t *options, rocksdb_cache_t *cache, enum filter filter, size_t block_bytes)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, block_bytes);
    rocksdb_block_based_options_set_format_version(table, 5);
    /* XXH3; Debian's RocksDB computes CRC32C by table, ten times slower. */
    rocksdb_block_based_options_set_checksum(table, 4);
    /* Indexes and filters live in the cache, those of large files in parts, so that they can't outgrow it with the
     * store. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    rocksdb_block_based_options_set_index_type(table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
    if (filter != FILTER_NONE) {
        rocksdb_block_based_options_set_filter_policy(table,
                                                      rocksdb_filterpolicy_create_bloom_full(FILTER_BITS_PER_KEY));
        rocksdb_block_based_options_set_partition_filters(table, filter == FILTER_IN_PARTS);
        rocksdb_block_based_options_set_metadata_block_size(table, FILTER_PART_BYTES);
    }
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
}

/* What all families share. Nothing is compressed: sealed bytes, MACs and ids don't shrink. */
static rocksdb_options_t *family_options(rocksdb_cache_t *cache, enum store_family family, size_t buffer_bytes)
{
    bool walked = family == STORE_FAMILY_PLAIN; /* only ever, so a filter would be carried for nothing */
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_write_buffer_size(options, buffer_bytes);
    rocksdb_options_set_max_write_buffer_number(options, 3);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    tables(options, cache, walked ? FILTER_NONE : FILTER_IN_PARTS, walked ? WALKED_BLOCK_BYTES : FOUND_BLOCK_BYTES);
    return options;
}

/*
 * Of the files that runs bring. Customers' rows lie in the order of their ids, in files that overlap only where imports
 * of one tenant run side by side: a filter would hardly answer but for ids that nobody has. Index entries of up to
 * sixteen runs lie over each other.
 */
static rocksdb_options_t *run_options(rocksdb_cache_t *cache, enum store_family family)
{
    bool unique = family == STORE_FAMILY_UNIQUE;
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    tables(options, cache, unique ? FILTER_WHOLE : FILTER_NONE, unique ? FOUND_BLOCK_BYTES : WALKED_BLOCK_BYTES);
    return options;
}

/* Records go to blob files when they are flushed, so compaction moves 40 bytes of a customer, not 1,700. */
static void keep_bodies_apart(rocksdb_options_t *options)
{
    rocksdb_options_set_enable_blob_files(options, 1);
    rocksdb_options_set_min_blob_size(options, BLOB_FROM_BYTES);
    rocksdb_options_set_blob_file_size(options, BLOB_FILE_BYTES);
    rocksdb_options_set_blob_compression_type(options, rocksdb_no_compression);
    rocksdb_options_set_enable_blob_gc(options, 1);
}

/*
 * Entries of an index are inserted at random places. In a memtable that fits the processor's cache
 * that takes half the time, so they are filled small and flushed eight at a time, as one file.
 */
#define INDEX_BUFFER_BYTES (2u * MIB)
#define INDEX_BUFFER_COUNT 8

/*
 * MACs spread over the whole range, so every file overlaps every other, and levels would write each entry again and
 * again. Files of like size are merged instead (universal compaction), `width` of them at a time: half the CPU.
 */
static void expect_random_keys(rocksdb_options_t *options, int width)
{
    rocksdb_options_set_min_write_buffer_number_to_merge(options, INDEX_BUFFER_COUNT);
    rocksdb_options_set_max_write_buffer_number(options, 3 * INDEX_BUFFER_COUNT);
    rocksdb_options_set_compaction_style(options, rocksdb_universal_compaction);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, width);
    rocksdb_options_set_level0_slowdown_writes_trigger(options, width + 24);
    rocksdb_options_set_level0_stop_writes_trigger(options, width + 40);
    rocksdb_options_set_target_file_size_base(options, 32u * MIB);
}

static rocksdb_options_t *database(size_t memory_bytes, bool direct)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_recycle_log_file_num(options, 0);
    rocksdb_options_set_max_total_wal_size(options, LOG_BYTES);
    rocksdb_options_set_db_write_buffer_size(options, memory_bytes / BUFFERS_SHARE_DEN * BUFFERS_SHARE_NUM);
    /* One flush and one compaction: more would only take turns with the workers on a small machine. */
    rocksdb_options_set_max_background_jobs(options, 2);
    rocksdb_options_set_allow_concurrent_memtable_write(options, 0);
    /* Flushes and compactions go past the page cache: no log sync waits behind a pile of their dirty
     * pages, and a customer's bytes are copied there once, by the log, not twice. Measured: 13 instead of
     * 18 microseconds of CPU a customer of 1.65 KB. */
    rocksdb_options_set_use_direct_io_for_flush_and_compaction(options, direct);
    rocksdb_options_set_avoid_unnecessary_blocking_io(options, 1);
    rocksdb_options_set_max_open_files(options, 512);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    /*
     * RocksDB's own log gets its header at open and nothing more. On a full disk its second line would
     * end the process (an assertion of RocksDB's file writer, which is on in Debian's build), and S7
     * wants reads to go on. Every error comes back through the interface and is logged by kv_rocks.c.
     */
    rocksdb_options_set_info_log_level(options, HEADER_LEVEL);
    rocksdb_options_set_keep_log_file_num(options, 2);
    return options;
}

/* One lock a part, but a filter in one piece (a mebibyte at most) has to find room in its part beside others. */
#define CACHE_PART_BYTES (4u * MIB)
#define CACHE_PARTS_BITS 6 /* at most */

static rocksdb_cache_t *cache_new(size_t bytes)
{
    int bits = 0;
    while (bits < CACHE_PARTS_BITS && bytes >> (bits + 1) >= CACHE_PART_BYTES) {
        bits++;
    }
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(options, bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(options, bits);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    return cache;
}

void store_rocks_options_init(struct store_rocks_options *options, size_t memory_bytes, bool direct)
{
    rocksdb_cache_t *cache = cache_new(memory_bytes / CACHE_SHARE);
    options->database = database(memory_bytes, direct);
    for (size_t i = 0; i < STORE_FAMILY_COUNT; i++) {
        size_t buffer_bytes = SMALL_BUFFER_BYTES;
        if (i == STORE_FAMILY_BODY) {
            buffer_bytes = memory_bytes / BODY_BUFFER_SHARE;
        } else if (i == STORE_FAMILY_UNIQUE || i == STORE_FAMILY_PLAIN) {
            buffer_bytes = INDEX_BUFFER_BYTES;
        }
        options->families[i] = family_options(cache, (enum store_family)i, buffer_bytes);
        options->runs[i] = run_options(cache, (enum store_family)i);
    }
    keep_bodies_apart(options->families[STORE_FAMILY_BODY]);
    expect_random_keys(options->families[STORE_FAMILY_UNIQUE], 16); /* each is asked at every look-up */
    expect_random_keys(options->families[STORE_FAMILY_PLAIN], 32);
    /* Nearly every lookup in the unique family is a miss: answered by a filter in the memtable too. */
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(options->families[STORE_FAMILY_UNIQUE], 0.05);
    rocksdb_options_set_memtable_whole_key_filtering(options->families[STORE_FAMILY_UNIQUE], 1);
    rocksdb_cache_destroy(cache);
}

void store_rocks_options_fini(struct store_rocks_options *options)
{
    rocksdb_options_destroy(options->database);
    for (size_t i = 0; i < STORE_FAMILY_COUNT; i++) {
        rocksdb_options_destroy(options->families[i]);
        rocksdb_options_destroy(options->runs[i]);
    }
}
