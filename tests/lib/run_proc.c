#include "run.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long run_fd_count(pid_t pid)
{
    char path[64];
    long count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static long read_status(pid_t pid, const char *field)
{
    char path[64], line[256];
    size_t len = strlen(field);
    long value = -1;

    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    while (value < 0 && fgets(line, sizeof line, file)) {
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            value = strtol(line + len + 1, NULL, 10);
    }
    fclose(file);
    return value;
}

long run_rss_kib(pid_t pid)
{
    return read_status(pid, "VmRSS");
}

long run_thread_count(pid_t pid)
{
    return read_status(pid, "Threads");
}
