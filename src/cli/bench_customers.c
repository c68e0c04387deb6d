/*
 * The generator. It must be several times faster than what it feeds, so a customer is composed by
 * copying pieces of known length to a raw pointer; the only arithmetic is a few steps of a small PRNG
 * (splitmix64) that begins anew for every customer.
 *
 * Uniqueness: whatever must be unique carries n. Telephone numbers and wallets carry it scrambled by a
 * bijection, so that they are spread over their range like real ones.
 */
#include "cli/bench_customers.h"

#include <assert.h>

#include "cli/bench_people.h"
#include "json/json.h"

const char *const BENCH_SHAPE_NAMES[BENCH_SHAPES] = {"cyrexa", "nexera"};

struct random {
    uint64_t state;
};

static uint64_t next(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Below `limit`; the bias of a multiplication is of no matter here. */
static uint32_t below(struct random *random, uint32_t limit)
{
    return (uint32_t)((next(random) >> 32) * limit >> 32);
}

/* ---- pieces ---- */

static inline char *put(char *to, struct slice piece)
{
    memcpy(to, piece.data, piece.size);
    return to + piece.size;
}

#define PUT(to, literal) put(to, SLICE(literal))

/* Exactly `digits` decimal digits. */
static char *put_number(char *to, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        to[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    return to + digits;
}

static char *put_hex(char *to, uint64_t value, unsigned digits)
{
    static const char hex[] = "0123456789abcdef";
    for (unsigned i = 0; i < digits; i++) {
        to[i] = hex[value >> (60 - 4 * i) & 15];
    }
    return to + digits;
}

/* Digits of an alphabet of 64 or fewer from random bits. */
static char *put_letters(char *to, struct random *random, const char *alphabet, uint32_t size, unsigned count)
{
    for (unsigned i = 0; i < count;) {
        uint64_t bits = next(random);
        for (unsigned j = 0; j < 8 && i < count; j++, i++, bits >>= 8) {
            to[i] = alphabet[(bits & 0xFF) * size >> 8];
        }
    }
    return to + count;
}

/* 1950-01-01 to 2005-12-28 */
static char *put_date(char *to, struct random *random)
{
    to = put_number(to, 1950 + below(random, 56), 4);
    *to++ = '-';
    to = put_number(to, 1 + below(random, 12), 2);
    *to++ = '-';
    return put_number(to, 1 + below(random, 28), 2);
}

/* A bijection of 0…10^9-1: 387420489 is 3^18, which shares no factor with 10^9. */
static uint64_t scramble(uint64_t n)
{
    return n % 1000000000 * 387420489 % 1000000000;
}

/* ---- one customer ---- */

struct making {
    struct random random;
    const struct bench_source *source;
    uint64_t n;
    const struct people *people;
    const struct person_name *given;
    const struct person_name *family;
};

static void begin(struct making *making, const struct bench_source *source, uint64_t n)
{
    making->random.state = source->seed ^ n * 0xD1342543DE82EF95u;
    making->source = source;
    making->n = n;
    making->people = &PEOPLE[below(&making->random, PEOPLE_COUNT)];
    making->given = &making->people->given[below(&making->random, PEOPLE_NAMES)];
    making->family = &making->people->family[below(&making->random, PEOPLE_NAMES)];
}

static char *put_external_id(char *to, const struct making *making)
{
    to = PUT(to, "crm-");
    return put_number(to, making->n, 12);
}

static char *put_email(char *to, const struct making *making)
{
    to = put(to, making->given->mail);
    *to++ = '.';
    to = put(to, making->family->mail);
    to = put_number(to, making->n, 9);
    *to++ = '@';
    return put(to, making->people->domain);
}

/* The country's mobile prefix, then n scrambled: 9 digits, or what the country's length leaves. */
static char *put_phone(char *to, const struct making *making)
{
    to = put(to, making->people->phone);
    return put_number(to, scramble(making->n), 9);
}

static char *put_full_name(char *to, const struct making *making)
{
    to = put(to, making->given->native);
    *to++ = ' ';
    return put(to, making->family->native);
}

static char *put_name(char *to, const struct person_name *name, const struct people *people, char order)
{
    to = PUT(to, "{\"name\":\"");
    to = put(to, name->latin);
    to = PUT(to, "\",\"order\":");
    *to++ = order;
    to = PUT(to, ",\"abbreviation\":\"");
    *to++ = name->latin.data[0];
    to = PUT(to, ".\",\"language\":\"");
    to = put(to, people->language);
    to = PUT(to, "\",\"native\":\"");
    to = put(to, name->native);
    return PUT(to, "\"}");
}

/* $2b$, cost 12, 22 characters of salt (128 bits), 31 of hash (184 bits); unused last bits are zero. */
static char *put_bcrypt(char *to, struct random *random)
{
    static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    to = PUT(to, "$2b$12$");
    to = put_letters(to, random, alphabet, 64, 21);
    *to++ = ".Oeu"[below(random, 4)];
    to = put_letters(to, random, alphabet, 64, 30);
    *to++ = ".CGKOSWaeimquy26"[below(random, 16)];
    return to;
}

static char *put_password(char *to, struct making *making)
{
    if (making->source->plain_secrets) {
        to = PUT(to, "\"password\":\"correct horse ");
        to = put_hex(to, next(&making->random), 16);
        return PUT(to, "\",");
    }
    if (below(&making->random, 3) != 0) {
        return to;
    }
    to = PUT(to, "\"password\":\"");
    to = put_bcrypt(to, &making->random);
    return PUT(to, "\",");
}

static char *put_telephone(char *to, const struct making *making, struct slice *phone)
{
    to = PUT(to, "\"telephoneNumbers\":[{\"phoneType\":\"mobile\",\"operator\":\"");
    to = put(to, making->people->operator_name);
    to = PUT(to, "\",\"encoding\":\"numbers\",\"country\":\"");
    to = put(to, making->people->country2);
    to = PUT(to, "\",\"number\":\"");
    char *from = to;
    to = put_phone(to, making);
    *phone = slice_make(from, (size_t)(to - from));
    return PUT(to, "\",\"purpose\":\"personal\"}],");
}

static char *put_position(char *to, struct making *making)
{
    to = PUT(to, "\"geoPosition\":{\"latitude\":");
    to = put(to, making->people->latitude);
    to = put_number(to, below(&making->random, 100000), 5);
    to = PUT(to, ",\"longitude\":");
    to = put(to, making->people->longitude);
    to = put_number(to, below(&making->random, 100000), 5);
    to = PUT(to, ",\"altitude\":");
    to = put_number(to, 100 + below(&making->random, 900), 3);
    return PUT(to, "},");
}

static char *put_address(char *to, struct making *making)
{
    const struct people *people = making->people;
    to = PUT(to, "\"addresses\":[{\"addressPurpose\":\"home\",\"address\":{\"country\":\"");
    to = put(to, people->country3);
    to = PUT(to, "\",\"area\":\"");
    to = put(to, people->area);
    to = PUT(to, "\",\"zipCode\":\"");
    to = put_number(to, 10000 + below(&making->random, 90000), 5);
    to = PUT(to, "\",\"city\":\"");
    to = put(to, people->city);
    to = PUT(to, "\",\"street\":\"");
    to = put(to, people->streets[below(&making->random, PEOPLE_STREETS)]);
    to = PUT(to, "\",\"streetNumber\":[\"");
    to = put_number(to, 10 + below(&making->random, 90), 2);
    to = PUT(to, "\"],\"building\":\"B");
    to = put_number(to, 1 + below(&making->random, 9), 1);
    to = PUT(to, "\",\"apartment\":\"");
    to = put_number(to, 10 + below(&making->random, 90), 2);
    to = PUT(to, "\",\"entrance\":\"2\",\"floor\":\"");
    to = put_number(to, 1 + below(&making->random, 9), 1);
    to = PUT(to, "\",\"doorNumber\":\"");
    to = put_number(to, 10 + below(&making->random, 90), 2);
    to = PUT(to, "\",");
    to = put_position(to, making);
    to = PUT(to, "\"relatedToAddress\":[{\"relationType\":\"near_by\",\"address\":\"");
    to = put(to, people->streets[below(&making->random, PEOPLE_STREETS)]);
    return PUT(to, "\"}]}}],");
}

static char *put_document(char *to, struct making *making, struct slice type, struct slice name)
{
    to = PUT(to, "{\"purpose\":\"KYC\",\"name\":\"");
    to = put(to, name);
    to = PUT(to, "\",\"documentType\":\"");
    to = put(to, type);
    to = PUT(to, "\",\"location\":\"s3://kyc-documents/");
    to = put_hex(to, next(&making->random), 16);
    to = put_hex(to, next(&making->random), 16);
    to = PUT(to, ".jpg\",\"status\":\"underverification\",\"metadata\":[{\"name\":\"pages\",\"type\":\"Number\","
                 "\"value\":\"");
    to = put_number(to, 1 + below(&making->random, 9), 1);
    return PUT(to, "\"}]}");
}

static char *put_documents(char *to, struct making *making)
{
    to = PUT(to, "\"documents\":[");
    to = put_document(to, making, SLICE("ID front side"), SLICE("identity card"));
    if (below(&making->random, 2) != 0) {
        *to++ = ',';
        to = put_document(to, making, SLICE("Passport"), SLICE("passport"));
    }
    return PUT(to, "]}");
}

static char *put_person(char *to, struct making *making, struct bench_keys *keys)
{
    to = PUT(to, "\"person\":{\"firstName\":");
    to = put_name(to, making->given, making->people, '1');
    to = PUT(to, ",\"lastName\":");
    to = put_name(to, making->family, making->people, '2');
    to = PUT(to, ",\"fullName\":\"");
    to = put_full_name(to, making);
    to = PUT(to, "\",\"groupId\":\"retail-");
    to = put_number(to, below(&making->random, 1000), 3);
    to = PUT(to, "\",\"gender\":\"");
    to = below(&making->random, 2) != 0 ? PUT(to, "Male") : PUT(to, "Female");
    to = PUT(to, "\",\"dateOfBirth\":\"");
    to = put_date(to, &making->random);
    to = PUT(to, "\",\"placeOfBirth\":\"");
    to = put(to, making->people->city);
    to = PUT(to, "\",\"nationality\":\"");
    to = put(to, making->people->country3);
    to = PUT(to, "\",");
    to = put_password(to, making);
    to = PUT(to, "\"email\":\"");
    char *email = to;
    to = put_email(to, making);
    keys->first = slice_make(email, (size_t)(to - email));
    to = PUT(to, "\",");
    to = put_telephone(to, making, &keys->second);
    to = put_address(to, making);
    return put_documents(to, making);
}

static char *put_cyrexa(char *to, struct making *making, struct bench_keys *keys)
{
    static const struct slice categories[] = {{"category1", 9}, {"category2", 9}, {"category3", 9}};
    to = PUT(to, "{\"id\":\"");
    char *id = to;
    to = put_external_id(to, making);
    keys->external_id = slice_make(id, (size_t)(to - id));
    to = PUT(to, "\",\"customerType\":\"Person\",\"customerName\":\"");
    to = put_full_name(to, making);
    to = PUT(to, "\",\"customerStatus\":\"new\",\"categorization\":\"");
    to = put(to, categories[below(&making->random, 3)]);
    to = PUT(to, "\",\"notifications\":[{\"notificationType\":\"Marketingemails\",\"isEnabled\":");
    to = below(&making->random, 2) != 0 ? PUT(to, "true") : PUT(to, "false");
    to = PUT(to, "}],");
    to = put_person(to, making, keys);
    to = PUT(to, ",\"twofa\":{\"targetType\":\"SMS\",\"targetValue\":\"");
    to = put(to, keys->second);
    return PUT(to, "\"}}");
}

/* ---- Nexera ---- */

/* 43 digits of base58, the first at least '7' (6): between 2^248 and 2^256, so exactly 32 bytes. n goes
 * into the last digits. */
static char *put_solana(char *to, struct making *making)
{
    static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    uint64_t n = making->n;
    *to++ = alphabet[6 + below(&making->random, 52)];
    to = put_letters(to, &making->random, alphabet, 58, 34);
    for (unsigned i = 0; i < 8; i++) {
        *to++ = alphabet[n % 58];
        n /= 58;
    }
    return to;
}

/* Hexadecimal address of `digits` digits behind 0x, n in the middle. */
static char *put_hex_address(char *to, struct making *making, unsigned digits)
{
    to = PUT(to, "0x");
    to = put_hex(to, next(&making->random) >> 5, 16); /* below 2^251 for those with 64 digits */
    to = put_hex(to, making->n * 0x9E3779B97F4A7C15u, 16);
    for (unsigned left = digits - 32; left > 0;) {
        unsigned part = left < 16 ? left : 16;
        to = put_hex(to, next(&making->random), part);
        left -= part;
    }
    return to;
}

static char *put_wallet(char *to, struct making *making, struct slice *wallet, bool *is_ethereum)
{
    static const struct slice spaces[] = {{"eip155", 6}, {"eip155", 6}, {"solana", 6}, {"aptos", 5}, {"starknet", 8}};
    uint32_t which = below(&making->random, 5);
    *is_ethereum = which < 2;
    to = PUT(to, "\"customerWallet\":{\"wallet\":\"");
    char *from = to;
    to = which == 2 ? put_solana(to, making) : put_hex_address(to, making, which < 2 ? 40 : 64);
    *wallet = slice_make(from, (size_t)(to - from));
    to = PUT(to, "\",\"blockchainNamespace\":\"");
    to = put(to, spaces[which]);
    return PUT(to, "\",\"verified\":false,\"createdBy\":\"onboarding\"},");
}

static char *put_claims(char *to, struct making *making, struct bench_keys *keys)
{
    const struct people *people = making->people;
    to = PUT(to, "\"customerClaims\":{\"sub\":\"");
    char *sub = to;
    to = put_external_id(to, making);
    keys->external_id = slice_make(sub, (size_t)(to - sub));
    to = PUT(to, "\",\"name\":\"");
    to = put_full_name(to, making);
    to = PUT(to, "\",\"givenName\":\"");
    to = put(to, making->given->native);
    to = PUT(to, "\",\"familyName\":\"");
    to = put(to, making->family->native);
    to = PUT(to, "\",\"nickname\":\"");
    to = put(to, making->given->mail);
    to = PUT(to, "\",\"preferredUsername\":\"");
    to = put_email(to, making);
    to = PUT(to, "\",\"website\":\"https://");
    to = put(to, people->domain);
    *to++ = '/';
    to = put(to, making->family->mail);
    to = PUT(to, "\",\"gender\":\"");
    to = below(&making->random, 2) != 0 ? PUT(to, "male") : PUT(to, "female");
    to = PUT(to, "\",\"birthdate\":\"");
    to = put_date(to, &making->random);
    to = PUT(to, "T00:00:00.000Z\",\"zoneinfo\":\"");
    to = put(to, people->zone);
    to = PUT(to, "\",\"locale\":\"");
    to = put(to, people->locale);
    to = PUT(to, "\",\"countryOfResidence\":\"");
    to = put(to, people->country3);
    to = PUT(to, "\",\"nationality\":\"");
    to = put(to, people->country3);
    to = PUT(to, "\",\"address\":\"");
    to = put(to, people->streets[below(&making->random, PEOPLE_STREETS)]);
    *to++ = ' ';
    to = put_number(to, 10 + below(&making->random, 90), 2);
    to = PUT(to, ", ");
    to = put(to, people->city);
    return PUT(to, "\"},");
}

static char *put_nexera(char *to, struct making *making, struct bench_keys *keys)
{
    bool is_ethereum;
    *to++ = '{';
    to = put_wallet(to, making, &keys->first, &is_ethereum);
    to = put_claims(to, making, keys);
    to = PUT(to, "\"customerDid\":{\"did\":\"");
    char *did = to;
    if (is_ethereum) {
        to = PUT(to, "did:pkh:eip155:1:");
        to = put(to, keys->first);
    } else {
        to = PUT(to, "did:web:id.example.com:users:");
        to = put_number(to, making->n, 12);
    }
    keys->second = slice_make(did, (size_t)(to - did));
    return PUT(to, "\",\"createdBy\":\"onboarding\",\"updatedBy\":\"onboarding\"}}");
}

void bench_customer(const struct bench_source *source, uint64_t n, struct buf *out, struct bench_keys *keys)
{
    struct making making;
    struct bench_keys unwanted;
    if (buf_reserve(out, BENCH_CUSTOMER_BYTES) != 0) {
        return;
    }
    begin(&making, source, n);
    char *from = out->data + out->size;
    struct bench_keys *to_keys = keys == NULL ? &unwanted : keys;
    char *to = source->shape == BENCH_CYREXA ? put_cyrexa(from, &making, to_keys) : put_nexera(from, &making, to_keys);
    assert(to - from <= BENCH_CUSTOMER_BYTES);
    out->size += (size_t)(to - from);
}

void bench_body_begin(const struct bench_source *source, struct buf *out)
{
    buf_append_text(out, source->shape == BENCH_NEXERA ? "{\"customerType\":\"Individual\",\"customerData\":[" : "[");
}

void bench_body_end(const struct bench_source *source, const char *project, struct buf *out)
{
    buf_append_byte(out, ']');
    if (source->shape == BENCH_NEXERA) {
        /* Behind the customers, as the contract's own sample has it. */
        buf_append_text(out, ",\"cmsProjectId\":");
        json_append_string(out, slice_from_text(project));
        buf_append_byte(out, '}');
    }
}

void bench_body(const struct bench_source *source, uint64_t first, uint64_t count, const char *project, struct buf *out)
{
    bench_body_begin(source, out);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_append_byte(out, ',');
        }
        bench_customer(source, first + i, out, NULL);
    }
    bench_body_end(source, project, out);
}
