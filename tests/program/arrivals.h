/*
 * When requests came to an origin, and how many were there at once: what limits are measured by.
 *
 * A slow machine makes every request later and none earlier, so what is asserted of times is only
 * that something did not come too soon. Owns nothing. Knows nothing of: weir.
 */
#ifndef TESTS_ARRIVALS_H
#define TESTS_ARRIVALS_H

#include <stddef.h>

struct stage;

/* `local`: of those alone that came to this address; NULL: of all. */
size_t arrivals_count(struct stage *, const char *local);
/* The most that were in service at once. */
size_t arrivals_peak(struct stage *, const char *local);
/* When number `index`, from 0, arrived; fails the test where there was none. */
double arrivals_time(struct stage *, const char *local, size_t index);

/* None came earlier than one each `interval` since the first could be made, `burst` of them at once. */
void arrivals_expect_spaced(struct stage *, const char *local, double since, double interval,
                            size_t burst);

#endif
