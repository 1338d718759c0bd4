/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader of TOML 1.0, the whole of it, for configuration files. It turns a text into a tree of values, each of which knows
 * where it stands, so that whoever uses it can name the line. No global state; every document is freed in one call.
 *
 * What a text can cost is bounded: its size, the depth of its tree, and the memory that the tree takes.
 */
#ifndef TOML_H
#define TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TOML_SIZE_MAX = 1 << 20,    /* bytes of a text */
	TOML_DEPTH_MAX = 64,	    /* tables and arrays within each other */
	TOML_MEMORY_MAX = 16 << 20, /* bytes of a tree */
};

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_OFFSET_DATETIME,
	TOML_LOCAL_DATETIME,
	TOML_LOCAL_DATE,
	TOML_LOCAL_TIME,
	TOML_ARRAY,
	TOML_TABLE,
};

/* UTF-8 with a NUL behind it; it may hold a NUL as well (\u0000). */
struct toml_string {
	const char *text;
	size_t length;
};

/* What a date or a time does not have is 0. */
struct toml_time {
	uint32_t nanosecond;
	uint16_t year;
	int16_t offset_minutes; /* east of UTC */
	uint8_t month, day;	/* from 1 */
	uint8_t hour, minute, second;
};

/* The elements of an array, in their order: by value->next. */
struct toml_array {
	struct toml_value *first, *last;
	size_t count;
};

/* The entries of a table, in the order of the text: by entry->next. */
struct toml_table {
	struct toml_entry *first, *last;
};

struct toml_value {
	struct toml_value *next; /* in an array */
	unsigned int line;	 /* from 1; of a table: its header's, or its first key's */
	unsigned int column;	 /* from 1, in bytes */
	uint8_t type;		 /* enum toml_type */
	uint8_t definition;	 /* toml.c's own: who may still add to it */
	uint8_t depth;		 /* 0: the root */
	union {
		struct toml_string string;
		int64_t integer;
		double real;
		bool boolean;
		struct toml_time time;
		struct toml_array array;
		struct toml_table table;
	};
};

struct toml_entry {
	struct toml_entry *next;
	struct toml_string key;
	unsigned int line, column;	/* of the key, where it is written first */
	const struct toml_value *table; /* toml.c's own, as is the next: what finds it by its key */
	struct toml_entry *same_bucket;
	struct toml_value value;
};

struct toml_error {
	unsigned int line, column;
	char text[160];
};

struct toml_document;

/*
 * Reads a text, which may go away afterwards. Returns 0, or -EINVAL or another -errno: then *error says what is wrong and
 * where, without control characters, and *document is NULL.
 */
int toml_parse(struct toml_document **document, const char *text, size_t length, struct toml_error *error);

/* The table that everything is in. */
const struct toml_value *toml_root(const struct toml_document *document);

/* The value of a key, or NULL. */
const struct toml_value *toml_get(const struct toml_document *document, const struct toml_value *table,
				  const char *key);

/* "a string", "an integer": for messages. */
const char *toml_type_name(enum toml_type type);

/* NULL is fine. */
void toml_free(struct toml_document *document);

#endif
