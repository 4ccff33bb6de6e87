/*
 * What the options may be that are one of a few words.
 */
#ifndef WEIR_CLI_OPTION_WORDS_H
#define WEIR_CLI_OPTION_WORDS_H

/* Each in the order of the words that the option table has for it. */
enum order_option { OPTION_ORDER_INPUT, OPTION_ORDER_COMPLETION };
enum format_option {
    OPTION_FORMAT_RAW,
    OPTION_FORMAT_JSONL,
    OPTION_FORMAT_TSV,
    OPTION_FORMAT_NONE,
    OPTION_FORMAT_TEMPLATE /* has no word: by -w alone */
};
enum input_format_option { OPTION_INPUT_AUTO, OPTION_INPUT_URL, OPTION_INPUT_JSONL };
enum http_option { OPTION_HTTP_1_1, OPTION_HTTP_2, OPTION_HTTP_2_PRIOR, OPTION_HTTP_3 };
enum tls_option { OPTION_TLS_ANY, OPTION_TLS_1_2, OPTION_TLS_1_3 };
enum auth_option { OPTION_AUTH_BASIC, OPTION_AUTH_DIGEST, OPTION_AUTH_ANY };
enum echo_option { OPTION_ECHO_FAILED, OPTION_ECHO_ALL, OPTION_ECHO_NONE };
enum conflict_option { OPTION_CONFLICT_FAIL, OPTION_CONFLICT_NUMBER, OPTION_CONFLICT_REPLACE };
enum summary_option {
    OPTION_SUMMARY_AUTO,
    OPTION_SUMMARY_TEXT,
    OPTION_SUMMARY_JSON,
    OPTION_SUMMARY_NONE
};
enum progress_option {
    OPTION_PROGRESS_AUTO,
    OPTION_PROGRESS_BAR,
    OPTION_PROGRESS_PLAIN,
    OPTION_PROGRESS_NONE
};
enum color_option { OPTION_COLOR_AUTO, OPTION_COLOR_ALWAYS, OPTION_COLOR_NEVER };
enum proto_option { OPTION_PROTO_HTTP = 1, OPTION_PROTO_HTTPS = 2 };
enum ip_option { OPTION_IP_ANY, OPTION_IP_4, OPTION_IP_6 };

#endif
