#include "record.h"

#include <criterion/criterion.h>
#include <string.h>

json_t *records_of(struct run_result result, int code, size_t count)
{
    json_t *records = json_array();
    const char *at = blob_text(&result.out);

    cr_expect_eq(result.code, code, "ended with %d, not %d; stderr: %s", result.code, code,
                 blob_text(&result.err));
    while (*at) {
        size_t len = strcspn(at, "\n");
        json_t *record = json_loadb(at, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        cr_assert(json_is_object(record) && at[len], "no record: %.*s", (int)len, at);
        json_array_append_new(records, record);
        at += len + 1;
    }
    cr_assert_eq(json_array_size(records), count, "%zu records: %s", json_array_size(records),
                 blob_text(&result.out));
    run_result_release(&result);
    return records;
}

const json_t *record_value(const json_t *records, size_t index, const char *name)
{
    return json_object_get(json_array_get(records, index), name);
}

const char *record_text(const json_t *records, size_t index, const char *name)
{
    const char *text = json_string_value(record_value(records, index, name));

    return text ? text : "";
}
