/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TOML's values that are one word: booleans, integers, floats, dates and times. */
#ifndef TOML_SCALAR_H
#define TOML_SCALAR_H

#include "toml.h"

/* How long the word is that begins at text: a date and a time with one space between them are one. */
size_t toml_scalar_length(const char *text, const char *end);

/* Fills in the value's type and value. Returns 0, or -EINVAL or -ENOMEM and *why as a constant text. */
int toml_scalar_parse(const char *word, size_t length, struct toml_value *value, const char **why);

#endif
