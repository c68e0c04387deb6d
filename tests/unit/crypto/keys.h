/*
 * A ring and a tenant's keys whose values are known. What the tests compute with them was computed from
 * the definitions (BLAKE2b of RFC 7693, XChaCha20-Poly1305, SipHash-2-4-128) by an independent program,
 * and is stored in every installation: a change there makes stored data unreadable.
 */
#ifndef TESTS_UNIT_CRYPTO_KEYS_H
#define TESTS_UNIT_CRYPTO_KEYS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/crypto.h"

/* 00 01 02 … */
static inline struct crypto_ring *make_ring(uint8_t first)
{
    uint8_t root[CRYPTO_KEY_BYTES];
    for (size_t i = 0; i < sizeof root; i++) {
        root[i] = (uint8_t)(first + i);
    }
    struct crypto_ring *ring = crypto_ring_new(root);
    assert_non_null(ring);
    return ring;
}

static const struct uuid tenant = {
    {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f}};

static inline void to_bytes(const char *hex, uint8_t *bytes, size_t size)
{
    assert_int_equal(strlen(hex), 2 * size);
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static inline void expect_hex(const uint8_t *bytes, size_t size, const char *hex)
{
    uint8_t expected[128];
    assert_true(size <= sizeof expected);
    to_bytes(hex, expected, size);
    assert_memory_equal(bytes, expected, size);
}

/* The tenant key 80 81 82 … 9f under the ring 00 01 … 1f, nonce 40 41 … 57. */
static const char wrapped_hex[] = "404142434445464748494a4b4c4d4e4f5051525354555657"
                                  "7827e47ac5d42332fb645a3af867d68de8a17f49d91189cc7907cd8f6ab2b040"
                                  "09c1cb747b1821e99e533571f360f948";

static inline struct crypto_tenant *open_tenant(void)
{
    struct crypto_ring *ring = make_ring(0);
    uint8_t wrapped[CRYPTO_WRAPPED_KEY_BYTES];
    struct crypto_tenant *keys;
    to_bytes(wrapped_hex, wrapped, sizeof wrapped);
    assert_int_equal(crypto_tenant_open(ring, &tenant, wrapped, &keys), 0);
    crypto_ring_free(&ring);
    assert_null(ring);
    return keys;
}

#endif
