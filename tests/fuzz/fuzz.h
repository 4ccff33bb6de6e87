/*
 * The targets that libFuzzer drives. Each is linked into a program of its own under the name that
 * libFuzzer knows, and all of them into the unit tests under names of theirs, where they are given
 * their corpora. A target that finds a promise broken aborts.
 */
#ifndef WEIR_FUZZ_H
#define WEIR_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#ifdef FUZZING
#    define FUZZ(name) LLVMFuzzerTestOneInput
#else
#    define FUZZ(name) fuzz_##name
#endif

int FUZZ(line)(const uint8_t *bytes, size_t size);
#ifndef FUZZING
int FUZZ(json)(const uint8_t *bytes, size_t size);
int FUZZ(template)(const uint8_t *bytes, size_t size);
int FUZZ(option)(const uint8_t *bytes, size_t size);
int FUZZ(filename)(const uint8_t *bytes, size_t size);
int FUZZ(cache)(const uint8_t *bytes, size_t size);
int FUZZ(journal)(const uint8_t *bytes, size_t size);
#endif

/* Aborts, saying what was promised. */
#define PROMISE(condition)                                  \
    do {                                                    \
        if (!(condition))                                   \
            promise_broken(#condition, __FILE__, __LINE__); \
    } while (0)
_Noreturn void promise_broken(const char *what, const char *file, int line);

/* Whether it is one line of valid UTF-8 that is one JSON object, and a newline. */
int is_record(const char *text, size_t len);

#endif
