#include "base/key.h"

#include <string.h>
#include <xxhash.h>

struct key key_of_bytes(const char *bytes, size_t len)
{
    XXH128_hash_t sum = XXH3_128bits(bytes, len);

    return (struct key){.high = sum.high64, .low = sum.low64};
}

struct key key_of_text(const char *text)
{
    return key_of_bytes(text, strlen(text));
}
