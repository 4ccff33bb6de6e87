/*
 * Which libcurl the tests run with, for the few rows in which its versions differ.
 */
#ifndef RIG_LIBCURL_H
#define RIG_LIBCURL_H

#include <curl/curl.h>
#include <stdbool.h>

/* As LIBCURL_VERSION_NUM has it: 0x080e01 is 8.14.1. */
static inline bool libcurl_is(unsigned version)
{
    return curl_version_info(CURLVERSION_NOW)->version_num >= version;
}

#endif
