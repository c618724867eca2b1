/* Random numbers from the kernel. */
#include "esp_random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void esp_fill_random(void *buf, size_t len)
{
    unsigned char *out = buf;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno != EINTR) {
            abort();
        }
        if (got > 0) {
            out += got;
            len -= (size_t)got;
        }
    }
}

uint32_t esp_random(void)
{
    uint32_t value;
    esp_fill_random(&value, sizeof value);
    return value;
}
