/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one part of writing JSON that can be got wrong. */
#ifndef JSON_H
#define JSON_H

#include <stdio.h>

/*
 * A string in its quotes; TOML's basic strings know the same escapes. Names are bytes, JSON is characters: a byte that is no
 * UTF-8 is written as the character of Latin-1.
 */
void json_string(FILE *to, const char *text);

#endif
