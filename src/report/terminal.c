#include "report/terminal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, USUAL_ROWS = 24 };

bool terminal_can_move(void)
{
    const char *name = getenv("TERM");

    return name && *name && strcmp(name, "dumb") != 0;
}

struct terminal_size terminal_size(int number)
{
    struct winsize size = {0};

    if (ioctl(number, TIOCGWINSZ, &size) < 0)
        size = (struct winsize){0};
    return (struct terminal_size){
        .columns = size.ws_col ? size.ws_col : USUAL_COLUMNS,
        .rows = size.ws_row ? size.ws_row : USUAL_ROWS,
    };
}

/* One that is not our session's tells nothing of jobs. */
bool terminal_is_ours(int number)
{
    pid_t front = tcgetpgrp(number);

    return front < 0 || front == getpgrp();
}

bool terminal_is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}
