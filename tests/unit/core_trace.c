#include <criterion/criterion.h>
#include <string.h>

#include "core/trace.h"

enum { DIGITS_OF_ID = 32, DIGITS_OF_SPAN = 16 };

Test(trace, ids_are_hexadecimal_digits_and_differ)
{
    struct trace_source source, other;
    char first[TRACE_ID_SIZE], second[TRACE_ID_SIZE], third[TRACE_ID_SIZE];

    trace_init(&source);
    trace_init(&other);
    trace_begin(&source, first);
    trace_begin(&source, second);
    trace_begin(&other, third);
    cr_expect_eq(strlen(first), DIGITS_OF_ID);
    cr_expect_eq(strspn(first, "0123456789abcdef"), DIGITS_OF_ID, "%s", first);
    cr_expect_str_neq(first, second);
    cr_expect_str_neq(first, third);
}

Test(trace, a_header_holds_the_trace_and_a_span_of_its_own)
{
    struct trace_source source;
    char id[TRACE_ID_SIZE], one[TRACE_HEADER_SIZE], another[TRACE_HEADER_SIZE];
    const char *start = "traceparent: 00-";

    trace_init(&source);
    trace_begin(&source, id);
    trace_header(&source, id, one);
    trace_header(&source, id, another);
    cr_expect_eq(strncmp(one, start, strlen(start)), 0, "%s", one);
    const char *at = one + strlen(start);
    cr_expect_eq(strncmp(at, id, DIGITS_OF_ID), 0, "%s", one);
    at += DIGITS_OF_ID;
    cr_expect_eq(*at++, '-');
    cr_expect_eq(strspn(at, "0123456789abcdef"), DIGITS_OF_SPAN, "%s", one);
    cr_expect_str_eq(at + DIGITS_OF_SPAN, "-01");
    cr_expect_str_neq(one, another);
}
