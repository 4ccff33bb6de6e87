/*
 * What the table's columns `check` and `set` point at: whether an option's argument can be, and the
 * options that do more than store it. Each returns 0, or -EINVAL with words in `err`.
 */
#ifndef WEIR_CLI_OPTION_CHECK_H
#define WEIR_CLI_OPTION_CHECK_H

#include <stdbool.h>

struct buf;
struct options;

int option_check_method(const char *text, struct buf *err);
int option_check_header(const char *text, struct buf *err);
int option_check_line(const char *text, struct buf *err);
int option_check_readable(const char *path, struct buf *err);
int option_check_directory(const char *path, struct buf *err);
/* Whether requests come on stdin. */
bool option_reads_stdin(const struct options *);
/* That no output is the file of an input. */
int option_check_apart(const struct options *, struct buf *err);
int option_check_resolve(const char *text, struct buf *err);
int option_check_connect_to(const char *text, struct buf *err);
int option_check_web_scheme(const char *text, struct buf *err);
int option_check_proxy(const char *text, struct buf *err);
int option_check_range(const char *text, struct buf *err);
int option_check_fields(const char *text, struct buf *err);

/* option_local.c: what this machine has to say. */
int option_check_readable(const char *path, struct buf *err);
/* Checks that an argument is no file: whether it is a URL is told when it is read. */
int option_check_url(const char *argument, struct buf *err);
/* Checks the value of -T, where - is stdin. */
int option_check_upload(const char *path, struct buf *err);
int option_check_writable(const char *path, struct buf *err);
int option_check_own_file(const char *path, struct buf *err);
/* Whether a file of that name can be made beside what stands there, and take its place. */
int option_check_replaceable(const char *path, struct buf *err);
/* A directory that files can be made in, and one that files can be opened in. */
int option_check_directory(const char *path, struct buf *err);
int option_check_searchable(const char *path, struct buf *err);
int option_check_cert(const char *text, struct buf *err);
int option_check_pinned_key(const char *text, struct buf *err);
int option_check_interface(const char *text, struct buf *err);
/* FILE[:PASSWORD], where a colon in the name is written with a backslash. Gives the name. */
char *option_split_cert(const char *text, const char **ret_password);

int option_set_data(struct options *, const char *text, struct buf *err);
int option_set_data_raw(struct options *, const char *text, struct buf *err);
int option_set_data_binary(struct options *, const char *text, struct buf *err);
int option_set_json(struct options *, const char *text, struct buf *err);
int option_set_header(struct options *, const char *text, struct buf *err);
int option_set_protocols(struct options *, const char *text, struct buf *err);
int option_set_config(struct options *, const char *text, struct buf *err);
int option_set_per_host(struct options *, const char *text, struct buf *err);
int option_set_rate(struct options *, const char *text, struct buf *err);
int option_set_host_rate(struct options *, const char *text, struct buf *err);
int option_set_retry_on(struct options *, const char *text, struct buf *err);
int option_set_retry_budget(struct options *, const char *text, struct buf *err);
int option_set_halt(struct options *, const char *text, struct buf *err);
int option_set_template(struct options *, const char *text, struct buf *err);

#endif
