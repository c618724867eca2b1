/* The files of the directory that a test is given. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

static const char *s_dir;

/** The text of a file, on the heap. */
static inline char *load(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", s_dir, name);
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 16384);
    if (file == NULL || text == NULL || fread(text, 1, 16383, file) == 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    fclose(file);
    return text;
}
