#include "certificate_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate_parse.h"
#include "certificate_pem.h"

typedef struct {
    certificate_item_t item;
    mbedtls_x509_buf subject;
    mbedtls_x509_buf issuer;
    bool is_placed;
} entry_t;

typedef struct {
    entry_t entries[CERTIFICATE_COUNT_MAX];
    size_t count;
    entry_t *placed[CERTIFICATE_COUNT_MAX];
    size_t placed_count;
    size_t bytes[2]; /* in the one text and in the other; what stands in both counts in the first */
} collection_t;

static bool is_same(const mbedtls_x509_buf *one, const mbedtls_x509_buf *other)
{
    return one->len == other->len && memcmp(one->p, other->p, one->len) == 0;
}

static bool is_issuer(const entry_t *issuer, const entry_t *of)
{
    return issuer != of && is_same(&issuer->subject, &of->issuer);
}

static entry_t *find(collection_t *all, const certificate_item_t *item)
{
    for (size_t i = 0; i < all->count; i++) {
        const certificate_item_t *known = &all->entries[i].item;
        if (known->size == item->size && memcmp(known->der, item->der, item->size) == 0) {
            return &all->entries[i];
        }
    }
    return NULL;
}

/** Adds what one block holds: OK, NO_MEMORY or MALFORMED. */
static certificate_verdict_t add(collection_t *all, const uint8_t *der, size_t size, uint8_t role)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt_init(&crt);
    certificate_verdict_t verdict = certificate_parse(&crt, der, size);
    if (verdict == CERTIFICATE_OK) {
        const certificate_item_t item = {.der = der, .size = crt.raw.len, .roles = role};
        entry_t *known = find(all, &item);
        if (known != NULL) {
            known->item.roles |= role;
        } else {
            all->bytes[role == CERTIFICATE_SENT ? 0 : 1] += item.size;
            if (all->count < CERTIFICATE_COUNT_MAX) {
                all->entries[all->count++] = (entry_t){.item = item, .subject = crt.subject_raw, .issuer = crt.issuer_raw};
            }
        }
    }
    mbedtls_x509_crt_free(&crt);
    return verdict;
}

/** All of one text. Of those to trust, some may be what mbedTLS cannot read; of the others, none. */
static certificate_verdict_t collect(collection_t *all, char *text, uint8_t role, certificate_reading_t *reading)
{
    bool is_bundle = role == CERTIFICATE_TRUSTED;
    const char *name = is_bundle ? "ca_certificate" : "certificate";
    unsigned block = 0;
    unsigned read = 0;
    const uint8_t *der;
    size_t size;
    for (pem_block_t kind; (kind = pem_take(&text, &der, &size)) != PEM_END; block++) {
        certificate_verdict_t verdict = kind == PEM_CERTIFICATE ? add(all, der, size, role) : CERTIFICATE_MALFORMED;
        if (verdict == CERTIFICATE_NO_MEMORY) {
            return verdict;
        }
        read += verdict == CERTIFICATE_OK;
        if (verdict != CERTIFICATE_OK && !is_bundle) {
            snprintf(reading->flaw, sizeof reading->flaw, "%s: PEM block %u cannot be read", name, block + 1);
            return verdict;
        }
        reading->passed_over |= verdict != CERTIFICATE_OK && block < 32 ? UINT32_C(1) << block : 0;
    }
    if (read == 0) {
        snprintf(reading->flaw, sizeof reading->flaw, "%s: no PEM block %s", name, block > 0 ? "can be read" : "in it");
    }
    return read > 0 ? CERTIFICATE_OK : CERTIFICATE_MALFORMED;
}

static void place(collection_t *all, entry_t *entry)
{
    if (!entry->is_placed) {
        entry->is_placed = true;
        all->placed[all->placed_count++] = entry;
    }
}

/** The first of the text for it that issued none of the others there. */
static entry_t *find_own(collection_t *all)
{
    entry_t *entries = all->entries;
    for (size_t i = 0; i < all->count; i++) {
        bool has_issued = false;
        for (size_t k = 0; k < all->count; k++) {
            has_issued = has_issued || ((entries[k].item.roles & CERTIFICATE_SENT) != 0 && is_issuer(&entries[i], &entries[k]));
        }
        if ((entries[i].item.roles & CERTIFICATE_SENT) != 0 && !has_issued) {
            return &entries[i];
        }
    }
    return &entries[0];
}

/** Whether one of the others has issued it, or it is one of those to trust. */
static bool leads_on(const collection_t *all, const entry_t *entry)
{
    bool leads = (entry->item.roles & CERTIFICATE_TRUSTED) != 0;
    for (size_t i = 0; i < all->count; i++) {
        leads = leads || is_issuer(&all->entries[i], entry);
    }
    return leads;
}

/** Those that issued `of`, as far as they go along. Who trusts a root has it (RFC 5246, 7.4.2): only when the PKI wants it. */
static void place_issuers(collection_t *all, const entry_t *of, bool is_leading_on)
{
    for (size_t i = 0; i < all->count; i++) {
        entry_t *entry = &all->entries[i];
        bool goes_along = !is_same(&entry->subject, &entry->issuer) || (entry->item.roles & CERTIFICATE_SENT) != 0;
        if (is_issuer(entry, of) && goes_along && leads_on(all, entry) == is_leading_on) {
            entry->item.roles |= CERTIFICATE_SENT;
            place(all, entry);
        }
    }
}

/*
 * Of two issuers of one name, which a CA has that changed its key or was signed by two roots, both go along, and the one
 * that leads to something known comes first: mbedTLS takes the first that fits and never goes back.
 */
static void put_in_order(collection_t *all)
{
    place(all, find_own(all));
    for (size_t at = 0; at < all->placed_count; at++) {
        place_issuers(all, all->placed[at], true);
        place_issuers(all, all->placed[at], false);
    }
    for (size_t i = 0; i < all->count; i++) { /* those for the one text stand before those for the other alone */
        place(all, &all->entries[i]);
    }
}

static certificate_verdict_t build(collection_t *all, certificate_reading_t *reading)
{
    if (all->bytes[0] + all->bytes[1] > PROV_CERTIFICATES_MAX || all->count == CERTIFICATE_COUNT_MAX) {
        snprintf(reading->flaw, sizeof reading->flaw, "certificate %u + ca_certificate %u bytes of DER, %u allowed",
                 (unsigned)all->bytes[0], (unsigned)all->bytes[1], (unsigned)PROV_CERTIFICATES_MAX);
        return CERTIFICATE_MALFORMED;
    }
    put_in_order(all);
    certificate_item_t items[CERTIFICATE_COUNT_MAX];
    for (size_t i = 0; i < all->count; i++) {
        items[i] = all->placed[i]->item;
    }
    return certificate_make(items, all->count, &reading->certificate) ? CERTIFICATE_OK : CERTIFICATE_NO_MEMORY;
}

certificate_verdict_t certificate_read(char *certificate_pem, char *ca_pem, certificate_reading_t *reading)
{
    memset(reading, 0, sizeof *reading);
    collection_t *all = calloc(1, sizeof *all);
    if (all == NULL) {
        return CERTIFICATE_NO_MEMORY;
    }
    certificate_verdict_t verdict = collect(all, certificate_pem, CERTIFICATE_SENT, reading);
    if (verdict == CERTIFICATE_OK) {
        verdict = collect(all, ca_pem, CERTIFICATE_TRUSTED, reading);
    }
    if (verdict == CERTIFICATE_OK) {
        verdict = build(all, reading);
    }
    free(all);
    return verdict;
}
