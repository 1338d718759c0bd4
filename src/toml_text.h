/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What toml.c stands on: a place in the text, strings and keys read from it, and the memory that a tree is made of. */
#ifndef TOML_TEXT_H
#define TOML_TEXT_H

#include "toml.h"

struct toml_chunk;

struct toml_arena {
	struct toml_chunk *chunks;
	size_t used; /* bytes of all chunks */
};

/* Zeroed and aligned for anything, or NULL: out of memory, or beyond TOML_MEMORY_MAX. */
void *toml_arena_alloc(struct toml_arena *arena, size_t size);
void toml_arena_free(struct toml_arena *arena);

struct toml_cursor {
	const char *at, *end;
	const char *line_start;
	unsigned int line;
	struct toml_arena *arena;
	struct toml_error *error;
};

unsigned int toml_column(const struct toml_cursor *cursor);

/* Notes what is wrong at the cursor. Returns -EINVAL. */
int toml_refuse(const struct toml_cursor *cursor, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same of an earlier place. */
int toml_refuse_at(const struct toml_cursor *cursor, unsigned int line, unsigned int column, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Notes that toml_arena_alloc() has failed. Returns -EFBIG or -ENOMEM. */
int toml_refuse_memory(const struct toml_cursor *cursor);

/* "expected WHAT, found 'x'" */
int toml_refuse_character(const struct toml_cursor *cursor, const char *expected);

/* Bytes of the UTF-8 sequence at c, or 0: none, overlong, a surrogate, or above U+10FFFF. */
size_t toml_utf8_length(const char *c, const char *end);

/* Is the whole of it UTF-8? Returns 0, or -EINVAL with the place noted. The cursor stays where it is. */
int toml_check_utf8(const struct toml_cursor *cursor);

/* Bytes of the newline at the cursor: 1 for LF, 2 for CR LF, 0 if there is none. */
size_t toml_newline_length(const struct toml_cursor *cursor);

/* Over spaces and tabs. */
void toml_skip_blanks(struct toml_cursor *cursor);

/* Over a newline, if there is one here. Returns whether there was. */
bool toml_skip_newline(struct toml_cursor *cursor);

/* Over a comment, if there is one here, up to the newline. */
int toml_skip_comment(struct toml_cursor *cursor);

/* Over all of these. */
int toml_skip_lines(struct toml_cursor *cursor);

/* A string of any of the four kinds: the cursor is at its first quote, and then behind its last. */
int toml_read_string(struct toml_cursor *cursor, struct toml_string *string);

/* One part of a key: bare or quoted. */
int toml_read_key(struct toml_cursor *cursor, struct toml_string *key);

#endif
