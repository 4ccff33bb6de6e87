#include "deliver/files.h"
#include "deliver/files_spares.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/key.h"
#include "base/ledger.h"
#include "deliver/filename.h"
#include "deliver/files_place.h"
#include "deliver/files_sweep.h"

enum {
    MARK_DIGITS = 16,
    TEMPORARY_BYTES = sizeof FILENAME_IN_THE_MAKING + MARK_DIGITS + 1 + MARK_DIGITS,
    NUMBER_BYTES = sizeof ".999999" - 1,
    /* Others may take the name that was chosen, but hardly for ever. */
    RACES_MAX = 100,
    /* A file system's clock ticks each 10 ms or faster, or is one of those that tell seconds. */
    TICK_NAPS_MAX = 20
};

/* A name takes the directory that it is looked for in, and the next one or the same to be synced. */
enum { SPARES = 2 };

struct files {
    int spares[SPARES]; /* -1: lent, or not to be had */
    bool has_no_spares;
    char *output_dir; /* NULL: the working directory */
    int dir;
    enum conflict conflict;
    bool sync;
    uint64_t mark;  /* what this run's files in the making have in their names */
    uint64_t begun; /* how many there were */
    bool has_start;
    struct timespec start; /* see note_start */
    struct ledger *given;  /* paths that results of earlier runs have */
    struct sweep sweep;
};

enum file_stage { FILE_WRITING, FILE_PAUSED, FILE_FINISHED, FILE_PUBLISHED };

struct file {
    struct files *files;
    char *name;
    size_t trusted_len;
    enum file_stage stage;
    int fd; /* -1 while paused, and once finished */
    bool has_time;
    time_t time;
    unsigned number; /* the name's, where it got one */
    bool has_former; /* what stands under this number is replaced while it is this */
    unsigned former_number;
    struct stamp former;
    struct file_id id;  /* once finished */
    struct stamp stamp; /* once finished */
    char temporary[TEMPORARY_BYTES];
};

int files_new(const struct files_rules *rules, struct files **ret_files, struct buf *err)
{
    const char *path = rules->output_dir ? rules->output_dir : ".";
    int dir = place_open(path, rules->sync ? PLACE_MAKE_SYNC : PLACE_MAKE);

    if (dir < 0) {
        buf_setf(err, "cannot use the output directory %s: %s", path, strerror(-dir));
        return dir;
    }
    struct files *files = xcalloc(1, sizeof *files);
    files->output_dir = rules->output_dir ? xstrdup(rules->output_dir) : NULL;
    files->dir = dir;
    files->conflict = rules->conflict;
    files->sync = rules->sync;
    memset(files->spares, -1, sizeof files->spares);
    if (getrandom(&files->mark, sizeof files->mark, GRND_NONBLOCK) < 0)
        files->mark = (uint64_t)getpid() << 32 ^ (uint64_t)(clock_wall() * 1e6);
    *ret_files = files;
    return 0;
}

void files_lend_spares(struct files *files)
{
    for (size_t i = 0; i < SPARES; i++) {
        if (files->spares[i] >= 0)
            close(files->spares[i]);
        files->spares[i] = -1;
    }
}

void files_keep_spares(struct files *files)
{
    for (size_t i = 0; i < SPARES && !files->has_no_spares; i++) {
        if (files->spares[i] < 0)
            files->spares[i] = fcntl(files->dir, F_DUPFD_CLOEXEC, 0);
    }
}

bool files_give_up_spares(struct files *files)
{
    bool had_any = !files->has_no_spares && files->spares[0] >= 0;

    files_lend_spares(files);
    files->has_no_spares = true;
    return had_any;
}

void files_free(struct files *files)
{
    if (!files)
        return;
    files_lend_spares(files);
    close(files->dir);
    sweep_release(&files->sweep);
    free(files->output_dir);
    free(files);
}

uint64_t files_mark(const struct files *files)
{
    return files->mark;
}

void files_set_old_marks(struct files *files, const uint64_t *marks, size_t len)
{
    files->sweep.marks = marks;
    files->sweep.n_marks = len;
}

void files_set_given(struct files *files, struct ledger *paths)
{
    files->given = paths;
}

void files_set_spared(struct files *files, const struct strings *names)
{
    files->sweep.spared = names;
}

void files_path(const struct files *files, const char *name, struct buf *ret_path)
{
    const char *dir = files->output_dir;

    buf_clear(ret_path);
    if (dir && name[0] != '/')
        buf_addf(ret_path, "%s%s", dir, dir[strlen(dir) - 1] == '/' ? "" : "/");
    buf_add_text(ret_path, name);
}

static const char *explain(const struct files *files, int error)
{
    if (error == ENOTDIR)
        return "what should be a directory on the way is a file, or a symbolic link";
    if (error == EEXIST && files->conflict == CONFLICT_REPLACE)
        return "the name is another result's of this run, or no file's";
    if (error == EEXIST)
        return "File exists (--on-conflict and --skip-existing say what else to do)";
    return strerror(error);
}

static int fail(const struct files *files, const char *name, int result, struct buf *err)
{
    struct buf path;

    buf_init(&path);
    files_path(files, name, &path);
    buf_setf(err, "cannot write %s: %s", path.data, explain(files, -result));
    buf_release(&path);
    return result;
}

static bool is_after(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static int read_change(int fd, struct timespec *ret_time)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return -errno;
    *ret_time = status.st_ctim;
    return 0;
}

/* With `replace`, this run's results have to be told from what stood there before, and there is no
 * list of them. Their inodes change when they are made and named, so after this moment; what was
 * there before has last changed before it, since the clock is seen to tick first. It is the clock
 * of the file system, asked through the first file that is made: no other has the same
 * granularity. */
static int note_start(struct files *files, int fd)
{
    struct timespec first = {0};
    int result = read_change(fd, &first);

    files->start = first;
    for (int i = 0; !result && i < TICK_NAPS_MAX && !is_after(&files->start, &first); i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        result = futimens(fd, NULL) < 0 ? -errno : read_change(fd, &files->start);
    }
    files->has_start = !result;
    return result;
}

static int make_temporary(struct file *file, int dir)
{
    struct files *files = file->files;

    snprintf(file->temporary, sizeof file->temporary, FILENAME_IN_THE_MAKING "%0*llx-%llx",
             MARK_DIGITS, (unsigned long long)files->mark, (unsigned long long)++files->begun);
    file->fd = openat(dir, file->temporary,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0666);
    if (file->fd < 0)
        return -errno;
    if (files->conflict == CONFLICT_REPLACE && !files->has_start)
        return note_start(files, file->fd);
    return 0;
}

bool files_is_leftover(const char *name)
{
    size_t mark = strlen(FILENAME_IN_THE_MAKING);
    size_t digits;

    if (strncmp(name, FILENAME_IN_THE_MAKING, mark) != 0)
        return false;
    name += mark;
    if (strspn(name, "0123456789abcdef") != MARK_DIGITS || name[MARK_DIGITS] != '-')
        return false;
    name += MARK_DIGITS + 1;
    digits = strspn(name, "0123456789abcdef");
    return digits >= 1 && digits <= MARK_DIGITS && name[0] != '0' && !name[digits];
}

/* ---- paused and resumed ---- */

static int find_place(const struct file *file, enum place_use use, struct place *ret_place)
{
    return place_find(file->files->dir, file->name, file->trusted_len, use, ret_place);
}

void file_pause(struct file *file)
{
    assert(file->stage == FILE_WRITING);
    close(file->fd);
    file->fd = -1;
    file->stage = FILE_PAUSED;
}

bool file_is_paused(const struct file *file)
{
    return file->stage == FILE_PAUSED;
}

/* The file's own, and nothing that somebody has put there. */
static int reopen(struct file *file, int dir, uint64_t len)
{
    struct stat status = {0};
    int fd = openat(dir, file->temporary, O_RDWR | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    int result = fd < 0 || fstat(fd, &status) < 0 ? -errno : 0;

    if (!result &&
        (!S_ISREG(status.st_mode) || status.st_nlink != 1 || (uint64_t)status.st_size != len))
        result = -ESTALE;
    if (result) {
        if (fd >= 0)
            close(fd);
        return result;
    }
    file->fd = fd;
    file->stage = FILE_WRITING;
    /* An older run's file tells the time only once it is touched. */
    if (file->files->conflict == CONFLICT_REPLACE && !file->files->has_start)
        return futimens(fd, NULL) < 0 ? -errno : note_start(file->files, fd);
    return 0;
}

int file_resume(struct file *file, uint64_t len, struct buf *err)
{
    struct place place;
    int result;

    assert(file->stage == FILE_PAUSED);
    result = find_place(file, PLACE_LOOK, &place);
    if (!result) {
        result = reopen(file, place.dir, len);
        place_leave(&place);
    }
    return result ? fail(file->files, file->name, result, err) : 0;
}

int file_hash(const struct file *file, struct hasher *hasher)
{
    assert(file->stage == FILE_WRITING);
    return files_hash(file->fd, hasher);
}

int file_restart(struct file *file, struct buf *err)
{
    struct place place;
    int result;

    assert(file->stage == FILE_WRITING);
    result = find_place(file, PLACE_LOOK, &place);
    if (result)
        return fail(file->files, file->name, result, err);
    close(file->fd);
    unlinkat(place.dir, file->temporary, 0);
    result = make_temporary(file, place.dir);
    place_leave(&place);
    return result ? fail(file->files, file->name, result, err) : 0;
}

/* ---- begun ---- */

/* Whether the path, and a number behind it, can be handed to whoever opens the file. */
static bool is_short_enough(const struct files *files, const char *name)
{
    bool is_below = files->output_dir && name[0] != '/';
    size_t dir_len = is_below ? strlen(files->output_dir) + 1 : 0;

    return dir_len + strlen(name) + NUMBER_BYTES < PATH_MAX;
}

static int begin(struct file *file)
{
    struct place place;
    int result;

    if (!is_short_enough(file->files, file->name))
        return -ENAMETOOLONG;
    result = find_place(file, file->files->sync ? PLACE_MAKE_SYNC : PLACE_MAKE, &place);
    if (result)
        return result;
    sweep_directory(&file->files->sweep, place.dir);
    result = make_temporary(file, place.dir);
    place_leave(&place);
    return result;
}

int files_begin(struct files *files, const char *name, size_t trusted_len, struct file **ret_file,
                struct buf *err)
{
    struct file *file = xcalloc(1, sizeof *file);

    file->files = files;
    file->name = xstrdup(name);
    file->trusted_len = trusted_len;
    file->fd = -1;
    int result = begin(file);
    if (result) {
        file_free(file);
        return fail(files, name, result, err);
    }
    files_keep_spares(files);
    *ret_file = file;
    return 0;
}

const char *file_temporary(const struct file *file)
{
    return file->temporary;
}

/* ---- an earlier run's ---- */

static int look_at_temporary(const struct file *file, uint64_t *ret_len)
{
    struct place place;
    struct stat status;
    int result = find_place(file, PLACE_LOOK, &place);

    if (result)
        return result;
    sweep_directory(&file->files->sweep, place.dir);
    if (fstatat(place.dir, file->temporary, &status, AT_SYMLINK_NOFOLLOW) < 0)
        result = -errno;
    place_leave(&place);
    if (!result)
        *ret_len = (uint64_t)status.st_size;
    return result;
}

int files_continue(struct files *files, const char *name, size_t trusted_len, const char *temporary,
                   struct file **ret_file, uint64_t *ret_len)
{
    if (!is_short_enough(files, name) || !sweep_has_made(&files->sweep, temporary))
        return -ENOENT;
    struct file *file = xcalloc(1, sizeof *file);
    file->files = files;
    file->name = xstrdup(name);
    file->trusted_len = trusted_len;
    file->fd = -1;
    file->stage = FILE_PAUSED;
    memcpy(file->temporary, temporary, strlen(temporary) + 1);
    int result = look_at_temporary(file, ret_len);
    if (result) {
        file_leave(file);
        return result;
    }
    *ret_file = file;
    return 0;
}

/* The number is what `kept` has behind the file's own name, if anything. */
static bool read_number(const char *path, size_t len, const char *kept, unsigned *ret_number)
{
    char *end;

    if (strncmp(path, kept, len) != 0)
        return false;
    if (!kept[len]) {
        *ret_number = 0;
        return true;
    }
    if (kept[len] != '.' || !isdigit((unsigned char)kept[len + 1]))
        return false;
    unsigned long number = strtoul(kept + len + 1, &end, 10);
    *ret_number = (unsigned)number;
    return !*end && number >= 1 && number <= FILES_NUMBER_MAX;
}

static bool find_number_of(const struct file *file, const char *kept, unsigned *ret_number)
{
    struct buf path;

    buf_init(&path);
    files_path(file->files, file->name, &path);
    bool is_one = read_number(path.data, path.len, kept, ret_number);
    buf_release(&path);
    return is_one;
}

void file_set_former(struct file *file, const char *path, const struct stamp *former)
{
    file->has_former = find_number_of(file, path, &file->former_number);
    file->former = *former;
}

static void remove_temporary(const struct file *file)
{
    struct place place;

    if (find_place(file, PLACE_LOOK, &place))
        return;
    unlinkat(place.dir, file->temporary, 0);
    place_leave(&place);
}

void file_free(struct file *file)
{
    bool has_temporary;

    if (!file)
        return;
    has_temporary = file->fd >= 0 || file->stage == FILE_PAUSED || file->stage == FILE_FINISHED;
    if (file->fd >= 0)
        close(file->fd);
    if (has_temporary)
        remove_temporary(file);
    free(file->name);
    free(file);
}

void file_leave(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    free(file->name);
    free(file);
}

bool files_exists(const struct files *files, const char *name, size_t trusted_len)
{
    struct place place;
    struct stat status;

    if (place_find(files->dir, name, trusted_len, PLACE_LOOK, &place))
        return false;
    bool exists = fstatat(place.dir, place.base, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                  S_ISREG(status.st_mode);
    place_leave(&place);
    return exists;
}

int file_write(struct file *file, const void *bytes, size_t len, struct buf *err)
{
    const char *from = bytes;

    assert(file->stage == FILE_WRITING);
    while (len) {
        ssize_t written = write(file->fd, from, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail(file->files, file->name, written < 0 ? -errno : -EIO, err);
        from += written;
        len -= (size_t)written;
    }
    return 0;
}

void file_set_time(struct file *file, time_t time)
{
    file->has_time = true;
    file->time = time;
}

static void apply_time(const struct file *file)
{
    struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = file->time}};
    int ignored = file->has_time ? futimens(file->fd, times) : 0;

    (void)ignored;
}

static struct stamp make_stamp(const struct stat *status)
{
    const struct timespec *time = &status->st_mtim;
    bool has_time = time->tv_sec >= 0;

    return (struct stamp){
        .size = (uint64_t)status->st_size,
        .time = has_time ? (uint64_t)time->tv_sec * 1000000000 + (uint64_t)time->tv_nsec : 0};
}

static void note_stamp(struct file *file)
{
    struct stat status;

    if (fstat(file->fd, &status) < 0)
        return;
    file->stamp = make_stamp(&status);
    file->id = file_id_of(&status);
}

int file_finish(struct file *file, struct buf *err)
{
    int result;

    assert(file->stage == FILE_WRITING);
    apply_time(file);
    note_stamp(file);
    result = file->files->sync && fsync(file->fd) < 0 ? -errno : 0;
    if (close(file->fd) < 0 && !result && errno != EINTR)
        result = -errno;
    file->fd = -1;
    file->stage = FILE_FINISHED;
    return result ? fail(file->files, file->name, result, err) : 0;
}

struct target {
    char name[NAME_MAX + 1];
};

/* What the file is called in its directory; what has no room beside the number goes. */
static struct target number_name(const char *base, unsigned number)
{
    struct target target;
    char tail[sizeof(".4294967295")] = ""; /* any number, for who cannot see that it is small */
    size_t len = strlen(base);

    assert(len <= NAME_MAX && number <= FILES_NUMBER_MAX);
    if (number)
        snprintf(tail, sizeof tail, ".%u", number);
    len = MIN(len, NAME_MAX - strlen(tail));
    for (int i = 0; number && i < 3 && ((unsigned char)base[len] & 0xC0) == 0x80; i++)
        len--;
    memcpy(target.name, base, len);
    memcpy(target.name + len, tail, strlen(tail) + 1);
    return target;
}

/* 1, 0, or a negative errno. */
static int is_taken(const struct place *place, unsigned number)
{
    struct target target = number_name(place->base, number);
    struct stat status;

    if (fstatat(place->dir, target.name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : -errno;
}

/* A free number with a taken one before it; numbers that were given out in turn are searched in the
 * time of their digits. */
static int find_number(const struct place *place, unsigned *ret_number)
{
    unsigned taken = 0;
    unsigned next = 1;
    int result;

    while ((result = is_taken(place, next)) > 0) {
        if (next == FILES_NUMBER_MAX)
            return -EEXIST;
        taken = next;
        next = MIN(2 * next, FILES_NUMBER_MAX);
    }
    while (result >= 0 && next - taken > 1) {
        unsigned middle = taken + (next - taken) / 2;
        result = is_taken(place, middle);
        if (result > 0)
            taken = middle;
        else
            next = middle;
    }
    if (result < 0)
        return result;
    *ret_number = next;
    return 0;
}

static void set_final_path(const struct file *file, struct buf *path)
{
    const char *slash = strrchr(file->name, '/');
    const char *base = slash ? slash + 1 : file->name;
    struct target target = number_name(base, file->number);

    files_path(file->files, file->name, path);
    path->len -= strlen(base);
    buf_add_text(path, target.name);
}

static bool is_given(const struct file *file)
{
    struct buf path;

    if (!file->files->given)
        return false;
    buf_init(&path);
    set_final_path(file, &path);
    struct key key = key_of_text(path.data);
    buf_release(&path);
    return ledger_has(file->files->given, &key, LEDGER_OK);
}

static int check_replaceable(const struct file *file, const struct place *place)
{
    struct stat status;

    if (fstatat(place->dir, place->base, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
        return -EEXIST;
    return is_after(&file->files->start, &status.st_ctim) && !is_given(file) ? 0 : -EEXIST;
}

static bool look(const struct place *place, unsigned number, struct stamp *ret_stamp)
{
    struct target target = number_name(place->base, number);
    struct stat status;

    if (fstatat(place->dir, target.name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(status.st_mode))
        return false;
    *ret_stamp = make_stamp(&status);
    return true;
}

bool file_look(const struct file *file, const char *path, struct stamp *ret_stamp)
{
    struct place place;
    unsigned number;

    if (!find_number_of(file, path, &number) || find_place(file, PLACE_LOOK, &place))
        return false;
    bool is_there = look(&place, number, ret_stamp);
    place_leave(&place);
    return is_there;
}

struct stamp file_stamp(const struct file *file)
{
    return file->stamp;
}

struct file_id file_identity(const struct file *file)
{
    return file->id;
}

/* Whether what was to be replaced is still what it was. */
static bool may_replace_former(const struct file *file, const struct place *place)
{
    struct stamp stamp;

    return file->has_former && look(place, file->former_number, &stamp) &&
           stamp_is(&stamp, &file->former);
}

static int refuse_taken(const struct place *place)
{
    struct stat status;
    bool is_known = fstatat(place->dir, place->base, &status, AT_SYMLINK_NOFOLLOW) == 0;

    return is_known && S_ISDIR(status.st_mode) ? -EISDIR : -EEXIST;
}

static int choose(struct file *file, const struct place *place)
{
    int result;

    file->number = 0;
    if (file->files->conflict == CONFLICT_REPLACE)
        return check_replaceable(file, place);
    if (may_replace_former(file, place)) {
        file->number = file->former_number;
        return 0;
    }
    result = is_taken(place, 0);
    if (result <= 0)
        return result;
    return file->files->conflict == CONFLICT_NUMBER ? find_number(place, &file->number)
                                                    : refuse_taken(place);
}

/* A rename that replaces nothing, also where the file system knows only links that do not. */
static int rename_to_free(int dir, const char *from, const char *to)
{
    if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (linkat(dir, from, dir, to, 0) < 0)
        return -errno;
    unlinkat(dir, from, 0); /* should it stay, it is a leftover as any */
    return 0;
}

static int publish(struct file *file, const struct place *place)
{
    struct target target = number_name(place->base, file->number);
    int result = rename_to_free(place->dir, file->temporary, target.name);

    bool is_former = file->number == file->former_number && may_replace_former(file, place);
    if (result == -EEXIST && (is_former || file->files->conflict == CONFLICT_REPLACE)) {
        result = is_former ? 0 : check_replaceable(file, place);
        if (!result && renameat(place->dir, file->temporary, place->dir, target.name) < 0)
            result = -errno;
    }
    if (result)
        return result;
    file->stage = FILE_PUBLISHED;
    result = file->files->sync ? place_sync(place->dir) : 0;
    /* Who is told that it failed will try again, and shall not find it in the way. */
    if (result)
        unlinkat(place->dir, target.name, 0);
    return result;
}

int file_choose(struct file *file, struct buf *ret_name, struct buf *err)
{
    struct place place;
    int result;

    assert(file->stage == FILE_FINISHED);
    result = find_place(file, PLACE_LOOK, &place);
    if (!result) {
        result = choose(file, &place);
        place_leave(&place);
    }
    if (result)
        return fail(file->files, file->name, result, err);
    set_final_path(file, ret_name);
    return 0;
}

int file_publish(struct file *file, struct buf *err)
{
    struct place place;
    int result;

    assert(file->stage == FILE_FINISHED);
    result = find_place(file, PLACE_LOOK, &place);
    if (!result) {
        result = publish(file, &place);
        place_leave(&place);
    }
    return result ? fail(file->files, file->name, result, err) : 0;
}

/* Mostly the name is free, and one call has it. */
static int publish_somehow(struct file *file, const struct place *place)
{
    int result = publish(file, place);

    for (int races = 0; result == -EEXIST && races < RACES_MAX; races++) {
        result = choose(file, place);
        if (result)
            return result;
        result = publish(file, place);
    }
    return result;
}

int file_commit(struct file *file, struct buf *ret_name, struct buf *err)
{
    struct place place;
    int result = file->stage == FILE_WRITING ? file_finish(file, err) : 0;

    if (result)
        return result;
    result = find_place(file, PLACE_LOOK, &place);
    if (!result) {
        result = publish_somehow(file, &place);
        place_leave(&place);
    }
    if (result)
        return fail(file->files, file->name, result, err);
    set_final_path(file, ret_name);
    return 0;
}
