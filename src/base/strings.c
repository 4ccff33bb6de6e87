#include "base/strings.h"

#include <stdlib.h>

#include "base/util.h"

void strings_release(struct strings *strings)
{
    for (size_t i = 0; i < strings->len; i++)
        free(strings->at[i]);
    free(strings->at);
    *strings = (struct strings){0};
}

void strings_add(struct strings *strings, char *text)
{
    strings->at = xgrow(strings->at, strings->len, &strings->capacity, sizeof(char *));
    strings->at[strings->len++] = text;
}
