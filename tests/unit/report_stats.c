#include <criterion/criterion.h>

#include "base/result.h"
#include "report/stats.h"

Test(stats, counts_results_by_reason_with_their_bytes_and_starts)
{
    static const struct result results[] = {
        {.reason = REASON_OK, .body_bytes = 100, .starts = 3},
        {.reason = REASON_OK, .starts = 1},
        {.reason = REASON_HTTP, .body_bytes = UINT64_C(1) << 40, .starts = 1},
        {.reason = REASON_INVALID},
        {.reason = REASON_OUTPUT, .starts = 1},
    };
    struct stats stats = {0};

    for (size_t i = 0; i < ARRAY_LEN(results); i++)
        stats_count(&stats, &results[i]);
    cr_expect_eq(stats.results, 5);
    cr_expect_eq(stats_failed(&stats), 3);
    cr_expect_eq(stats.reasons[REASON_OK], 2);
    cr_expect_eq(stats.reasons[REASON_INVALID], 1);
    cr_expect_eq(stats.reasons[REASON_TLS], 0);
    cr_expect_eq(stats.starts, 6);
    cr_expect_eq(stats.body_bytes, (UINT64_C(1) << 40) + 100);
}

Test(stats, has_no_failure_where_all_went_well)
{
    struct stats stats = {0};
    struct result result = {.reason = REASON_OK};

    cr_expect_eq(stats_failed(&stats), 0);
    stats_count(&stats, &result);
    cr_expect_eq(stats_failed(&stats), 0);
}
