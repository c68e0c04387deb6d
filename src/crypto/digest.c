/*
 * Digests of public data. SHA-256 and BLAKE2b are libsodium's; Keccak-256 it lacks, so it stands
 * here, after FIPS 202 section 3: five lanes by five, flat, lane (x, y) at x + 5y, bytes
 * little-endian. The one difficulty is the padding: the submission of 2011 ends a message with the
 * bit 1 alone, FIPS 202 puts the bits 01 before it. Everything else is SHA3-256.
 */
#include "crypto/digest.h"

#include <sodium.h>

#define LANES      25
#define ROUNDS     24
#define RATE_BYTES 136 /* 1600 bits less twice the digest's */
#define FIRST_PAD  0x01
#define LAST_PAD   0x80

/* Section 3.2.5, what iota adds in each round. */
static const uint64_t round_constant[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000, 0x000000000000808B,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008A, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000A, 0x000000008000808B, 0x800000000000008B, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* Section 3.2.2, how far rho turns each lane. */
static const uint8_t turn[LANES] = {0,  1,  62, 28, 27, 36, 44, 6,  55, 20, 3,  10, 43,
                                    25, 39, 41, 45, 15, 21, 8,  18, 2,  61, 56, 14};

static uint64_t rotate(uint64_t lane, unsigned bits)
{
    return lane << bits | lane >> ((64 - bits) & 63);
}

static void mix_columns(uint64_t lanes[LANES])
{
    uint64_t parity[5];
    for (unsigned x = 0; x < 5; x++)
        parity[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20];
    for (unsigned x = 0; x < 5; x++) {
        uint64_t change = parity[(x + 4) % 5] ^ rotate(parity[(x + 1) % 5], 1);
        for (unsigned y = 0; y < LANES; y += 5)
            lanes[x + y] ^= change;
    }
}

/* Rho and pi, section 3.2.3: lane (x, y) goes to (y, 2x + 3y). Five by five, so that compilers unroll it. */
static void move_lanes(const uint64_t lanes[LANES], uint64_t moved[LANES])
{
    for (unsigned y = 0; y < 5; y++)
        for (unsigned x = 0; x < 5; x++)
            moved[y + (2 * x + 3 * y) % 5 * 5] = rotate(lanes[x + 5 * y], turn[x + 5 * y]);
}

static void permute(uint64_t lanes[LANES])
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t moved[LANES];
        mix_columns(lanes);
        move_lanes(lanes, moved);
        for (unsigned y = 0; y < LANES; y += 5)
            for (unsigned x = 0; x < 5; x++)
                lanes[x + y] = moved[x + y] ^ (~moved[(x + 1) % 5 + y] & moved[(x + 2) % 5 + y]);
        lanes[0] ^= round_constant[round];
    }
}

static void absorb(uint64_t lanes[LANES], const uint8_t block[RATE_BYTES])
{
    for (unsigned i = 0; i < RATE_BYTES; i++)
        lanes[i / 8] ^= (uint64_t)block[i] << (i % 8 * 8);
    permute(lanes);
}

void crypto_digest_keccak_256(struct slice bytes, uint8_t digest[32])
{
    uint64_t lanes[LANES] = {0};
    uint8_t last[RATE_BYTES] = {0};
    for (; bytes.size >= RATE_BYTES; bytes = slice_from(bytes, RATE_BYTES))
        absorb(lanes, (const uint8_t *)bytes.data);
    if (bytes.size > 0)
        memcpy(last, bytes.data, bytes.size);
    last[bytes.size] ^= FIRST_PAD;
    last[RATE_BYTES - 1] ^= LAST_PAD;
    absorb(lanes, last);
    for (unsigned i = 0; i < 32; i++)
        digest[i] = (uint8_t)(lanes[i / 8] >> (i % 8 * 8));
}

void crypto_digest_sha256(struct slice bytes, uint8_t digest[32])
{
    crypto_hash_sha256(digest, (const uint8_t *)bytes.data, bytes.size);
}

void crypto_digest_blake2b_512(struct slice bytes, uint8_t digest[64])
{
    crypto_generichash_blake2b(digest, 64, (const uint8_t *)bytes.data, bytes.size, NULL, 0);
}
