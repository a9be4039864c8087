/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A whole stream, which may be a pipe, in memory. */
#ifndef XLN_READ_STREAM_H
#define XLN_READ_STREAM_H

#include <stddef.h>
#include <stdio.h>

/*
 * Reads what is left in f, but no more than max + 1 bytes: *size_r is larger
 * than max if there are more than max. The text is the caller's to free; it may
 * be empty, and does not end with a zero byte. -ENOMEM, or what reading fails
 * with.
 */
int xln__read_stream(FILE *f, size_t max, char **text_r, size_t *size_r);

#endif /* XLN_READ_STREAM_H */
