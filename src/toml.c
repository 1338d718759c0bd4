// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar of TOML 1.0 above its words: lines, headers, dotted keys, arrays and inline tables; and which of them may
 * add to which table.
 *
 * definition	how a table (or array) came about		[header] of it	[header] below it	dotted key into it
 * IMPLICIT	a header of a table below it			once		yes			yes, then DOTTED
 * HEADER	its own header, or the root			no		yes			no
 * DOTTED	a dotted key					no		yes			yes
 * CLOSED	{ ... } or [ ... ]				no		no			no
 * OPEN		{ ... } that is being read			-		-			yes: from within
 * TABLES	[[header]], an array				[[ ]] adds	yes, its last		no
 */
#include "toml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toml_scalar.h"
#include "toml_text.h"

enum definition {
	DEFINITION_IMPLICIT,
	DEFINITION_HEADER,
	DEFINITION_DOTTED,
	DEFINITION_CLOSED,
	DEFINITION_OPEN,
	DEFINITION_TABLES,
};

enum { BYTES_PER_BUCKET = 16, BUCKETS_MIN = 16 };

struct toml_document {
	struct toml_arena arena;
	struct toml_value root;
	struct toml_entry **buckets; /* all entries of all tables, by table and key */
	size_t bucket_mask;
};

struct reader {
	struct toml_document *document;
	struct toml_cursor cursor;
};

/* A key as it was read, with its place for messages. */
struct key {
	struct toml_string name;
	unsigned int line, column;
};

static int value_read(struct reader *reader, struct toml_value *value);

/* Tables */

static struct toml_entry **bucket_of(const struct toml_document *document, const struct toml_value *table,
				     const struct toml_string *key)
{
	size_t hash = (uintptr_t)table / sizeof(*table) * 31, i;

	for (i = 0; i < key->length; i++)
		hash = (hash ^ (unsigned char)key->text[i]) * 0x01000193; /* FNV-1a's prime */
	return &document->buckets[(hash ^ hash >> 15) & document->bucket_mask];
}

static struct toml_entry *entry_lookup(const struct toml_document *document, const struct toml_value *table,
				       const struct toml_string *key)
{
	struct toml_entry *entry = *bucket_of(document, table, key);

	while (entry && (entry->table != table || entry->key.length != key->length ||
			 memcmp(entry->key.text, key->text, key->length) != 0))
		entry = entry->same_bucket;
	return entry;
}

/* An empty value of a kind, which stands where the key does. NULL: the reason has been noted. */
static struct toml_entry *entry_add(struct reader *reader, struct toml_value *table, const struct key *key,
				    enum toml_type type, enum definition definition)
{
	struct toml_entry *entry, **bucket;

	if (table->depth >= TOML_DEPTH_MAX) {
		toml_refuse(&reader->cursor, "more than %d tables and arrays within each other", TOML_DEPTH_MAX);
		return NULL;
	}
	entry = toml_arena_alloc(&reader->document->arena, sizeof(*entry));
	if (!entry) {
		toml_refuse_memory(&reader->cursor);
		return NULL;
	}
	entry->key = key->name;
	entry->line = entry->value.line = key->line;
	entry->column = entry->value.column = key->column;
	entry->value.type = (uint8_t)type;
	entry->value.definition = (uint8_t)definition;
	entry->value.depth = (uint8_t)(table->depth + 1);
	entry->table = table;
	if (table->table.last)
		table->table.last->next = entry;
	else
		table->table.first = entry;
	table->table.last = entry;
	bucket = bucket_of(reader->document, table, &key->name);
	entry->same_bucket = *bucket;
	*bucket = entry;
	return entry;
}

/* An empty element of an array; NULL as above. */
static struct toml_value *element_add(struct reader *reader, struct toml_value *array)
{
	struct toml_value *element;

	if (array->depth >= TOML_DEPTH_MAX) {
		toml_refuse(&reader->cursor, "more than %d tables and arrays within each other", TOML_DEPTH_MAX);
		return NULL;
	}
	element = toml_arena_alloc(&reader->document->arena, sizeof(*element));
	if (!element) {
		toml_refuse_memory(&reader->cursor);
		return NULL;
	}
	element->line = reader->cursor.line;
	element->column = toml_column(&reader->cursor);
	element->depth = (uint8_t)(array->depth + 1);
	if (array->array.last)
		array->array.last->next = element;
	else
		array->array.first = element;
	array->array.last = element;
	array->array.count++;
	return element;
}

/* Keys */

static int key_read(struct reader *reader, struct key *key)
{
	key->line = reader->cursor.line;
	key->column = toml_column(&reader->cursor);
	return toml_read_key(&reader->cursor, &key->name);
}

/* Over a dot between two parts of a key, with the blanks around it. Returns whether there was one. */
static bool dot_skip(struct reader *reader)
{
	struct toml_cursor *cursor = &reader->cursor;

	toml_skip_blanks(cursor);
	if (cursor->at == cursor->end || *cursor->at != '.')
		return false;
	cursor->at++;
	toml_skip_blanks(cursor);
	return true;
}

static int refuse_defined(const struct reader *reader, const struct key *key, const struct toml_entry *earlier)
{
	return toml_refuse_at(&reader->cursor, key->line, key->column, "\"%.64s\" is already defined in line %u",
			      key->name.text, earlier->value.line);
}

static int refuse_not_table(const struct reader *reader, const struct key *key, const struct toml_entry *earlier)
{
	return toml_refuse_at(&reader->cursor, key->line, key->column, "\"%.64s\" is %s in line %u, not a table",
			      key->name.text, toml_type_name(earlier->value.type), earlier->line);
}

/* From a table into the one that a dotted key names. */
static int dotted_enter(struct reader *reader, struct toml_value **table, const struct key *key)
{
	struct toml_entry *entry = entry_lookup(reader->document, *table, &key->name);

	if (!entry) {
		entry = entry_add(reader, *table, key, TOML_TABLE, DEFINITION_DOTTED);
		if (!entry)
			return -EINVAL;
	}
	if (entry->value.type != TOML_TABLE)
		return refuse_not_table(reader, key, entry);
	if (entry->value.definition == DEFINITION_IMPLICIT)
		entry->value.definition = DEFINITION_DOTTED;
	if (entry->value.definition != DEFINITION_DOTTED)
		return refuse_defined(reader, key, entry);
	*table = &entry->value;
	return 0;
}

/* From a table into the one that a header names on its way to another; of an array of tables, into its last. */
static int header_enter(struct reader *reader, struct toml_value **table, const struct key *key)
{
	struct toml_entry *entry = entry_lookup(reader->document, *table, &key->name);

	if (!entry) {
		entry = entry_add(reader, *table, key, TOML_TABLE, DEFINITION_IMPLICIT);
		if (!entry)
			return -EINVAL;
	}
	if (entry->value.type == TOML_ARRAY && entry->value.definition == DEFINITION_TABLES) {
		*table = entry->value.array.last;
		return 0;
	}
	if (entry->value.type != TOML_TABLE)
		return refuse_not_table(reader, key, entry);
	if (entry->value.definition == DEFINITION_CLOSED)
		return refuse_defined(reader, key, entry);
	*table = &entry->value;
	return 0;
}

/* The table that [... key] opens. */
static int header_open(struct reader *reader, struct toml_value **table, const struct key *key)
{
	struct toml_entry *entry = entry_lookup(reader->document, *table, &key->name);

	if (!entry) {
		entry = entry_add(reader, *table, key, TOML_TABLE, DEFINITION_IMPLICIT);
		if (!entry)
			return -EINVAL;
	}
	if (entry->value.type != TOML_TABLE || entry->value.definition != DEFINITION_IMPLICIT)
		return refuse_defined(reader, key, entry);
	entry->value.definition = DEFINITION_HEADER;
	entry->value.line = key->line;
	entry->value.column = key->column;
	*table = &entry->value;
	return 0;
}

/* The table that [[... key]] adds. */
static int header_append(struct reader *reader, struct toml_value **table, const struct key *key)
{
	struct toml_entry *entry = entry_lookup(reader->document, *table, &key->name);
	struct toml_value *element;

	if (!entry) {
		entry = entry_add(reader, *table, key, TOML_ARRAY, DEFINITION_TABLES);
		if (!entry)
			return -EINVAL;
	}
	if (entry->value.type != TOML_ARRAY || entry->value.definition != DEFINITION_TABLES)
		return refuse_defined(reader, key, entry);
	element = element_add(reader, &entry->value);
	if (!element)
		return -EINVAL;
	element->type = TOML_TABLE;
	element->definition = DEFINITION_HEADER;
	element->line = key->line;
	element->column = key->column;
	*table = element;
	return 0;
}

/* Values */

/* key = value, into a table. */
static int pair_read(struct reader *reader, struct toml_value *table)
{
	struct toml_cursor *cursor = &reader->cursor;
	struct toml_entry *entry;
	struct key key;
	int err;

	err = key_read(reader, &key);
	while (!err && dot_skip(reader)) {
		err = dotted_enter(reader, &table, &key);
		err = err ? err : key_read(reader, &key);
	}
	if (err)
		return err;
	if (cursor->at == cursor->end || *cursor->at != '=')
		return toml_refuse_character(cursor, "'=' behind the key");
	entry = entry_lookup(reader->document, table, &key.name);
	if (entry)
		return refuse_defined(reader, &key, entry);
	cursor->at++;
	toml_skip_blanks(cursor);
	entry = entry_add(reader, table, &key, TOML_TABLE, DEFINITION_CLOSED);
	return entry ? value_read(reader, &entry->value) : -EINVAL;
}

/* Over `c`, if it is what comes next. */
static bool character_skip(struct reader *reader, char c)
{
	if (reader->cursor.at == reader->cursor.end || *reader->cursor.at != c)
		return false;
	reader->cursor.at++;
	return true;
}

static int array_read(struct reader *reader, struct toml_value *array)
{
	struct toml_value *element;
	int err;

	array->type = TOML_ARRAY;
	array->array = (struct toml_array){ NULL, NULL, 0 };
	reader->cursor.at++;
	while (!(err = toml_skip_lines(&reader->cursor))) {
		if (character_skip(reader, ']'))
			return 0;
		element = element_add(reader, array);
		if (!element)
			return -EINVAL;
		err = value_read(reader, element);
		err = err ? err : toml_skip_lines(&reader->cursor);
		if (err)
			return err;
		if (character_skip(reader, ']'))
			return 0;
		if (!character_skip(reader, ','))
			return toml_refuse_character(&reader->cursor, "',' or ']' in the array");
	}
	return err;
}

static int inline_table_read(struct reader *reader, struct toml_value *table)
{
	int err;

	table->type = TOML_TABLE;
	table->table = (struct toml_table){ NULL, NULL };
	table->definition = DEFINITION_OPEN;
	reader->cursor.at++;
	toml_skip_blanks(&reader->cursor);
	if (character_skip(reader, '}')) {
		table->definition = DEFINITION_CLOSED;
		return 0;
	}
	do {
		toml_skip_blanks(&reader->cursor);
		err = pair_read(reader, table);
		if (err)
			return err;
		toml_skip_blanks(&reader->cursor);
	} while (character_skip(reader, ','));
	table->definition = DEFINITION_CLOSED;
	return character_skip(reader, '}') ? 0
					   : toml_refuse_character(&reader->cursor, "',' or '}' in the inline table");
}

static int scalar_read(struct reader *reader, struct toml_value *value)
{
	struct toml_cursor *cursor = &reader->cursor;
	size_t length = toml_scalar_length(cursor->at, cursor->end);
	const char *why;
	int err;

	if (!length)
		return toml_refuse_character(cursor, "a value");
	err = toml_scalar_parse(cursor->at, length, value, &why);
	if (err) {
		toml_refuse(cursor, "\"%.*s\": %s", length > 40 ? 40 : (int)length, cursor->at, why);
		return err;
	}
	cursor->at += length;
	return 0;
}

/* The cursor is at the value. Its depth is set; recursion ends where that is too much. */
static int value_read(struct reader *reader, struct toml_value *value)
{
	struct toml_cursor *cursor = &reader->cursor;

	value->line = cursor->line;
	value->column = toml_column(cursor);
	value->definition = DEFINITION_CLOSED;
	switch (cursor->at < cursor->end ? *cursor->at : '\0') {
	case '"':
	case '\'':
		value->type = TOML_STRING;
		return toml_read_string(cursor, &value->string);
	case '[':
		return array_read(reader, value);
	case '{':
		return inline_table_read(reader, value);
	default:
		return scalar_read(reader, value);
	}
}

/* Documents */

/* [a.b] or [[a.b]]: *table is what the next lines are about. */
static int header_read(struct reader *reader, struct toml_value **table)
{
	struct toml_value *at = &reader->document->root;
	bool appends;
	struct key key;
	int err;

	reader->cursor.at++;
	appends = character_skip(reader, '[');
	toml_skip_blanks(&reader->cursor);
	err = key_read(reader, &key);
	while (!err && dot_skip(reader)) {
		err = header_enter(reader, &at, &key);
		err = err ? err : key_read(reader, &key);
	}
	if (err)
		return err;
	if (!character_skip(reader, ']') || (appends && !character_skip(reader, ']')))
		return toml_refuse_character(&reader->cursor, appends ? "']]' behind the key" : "']' behind the key");
	err = appends ? header_append(reader, &at, &key) : header_open(reader, &at, &key);
	*table = at;
	return err;
}

static int document_read(struct reader *reader)
{
	struct toml_value *table = &reader->document->root;
	struct toml_cursor *cursor = &reader->cursor;
	int err;

	err = toml_check_utf8(cursor);
	if (!err && cursor->end - cursor->at >= 3 && !memcmp(cursor->at, "\xef\xbb\xbf", 3))
		cursor->at += 3; /* a byte order mark, which some editors leave */
	while (!err) {
		err = toml_skip_lines(cursor);
		if (err || cursor->at == cursor->end)
			return err;
		err = *cursor->at == '[' ? header_read(reader, &table) : pair_read(reader, table);
		if (err)
			return err;
		toml_skip_blanks(cursor);
		err = toml_skip_comment(cursor);
		if (!err && cursor->at < cursor->end && !toml_skip_newline(cursor))
			return toml_refuse_character(cursor, "the end of the line");
	}
	return err;
}

int toml_parse(struct toml_document **result, const char *text, size_t length, struct toml_error *error)
{
	struct toml_document *document;
	struct reader reader = { .cursor = { .at = text, .end = text + length, .line_start = text, .line = 1 } };
	size_t buckets = BUCKETS_MIN;
	int err;

	*result = NULL;
	memset(error, 0, sizeof(*error));
	reader.cursor.error = error;
	if (length > TOML_SIZE_MAX) {
		toml_refuse(&reader.cursor, "more than %d MB", TOML_SIZE_MAX >> 20);
		return -EFBIG;
	}
	document = calloc(1, sizeof(*document));
	if (!document) {
		toml_refuse(&reader.cursor, "out of memory");
		return -ENOMEM;
	}
	reader.document = document;
	reader.cursor.arena = &document->arena;
	document->root = (struct toml_value){
		.line = 1, .column = 1, .type = TOML_TABLE, .definition = DEFINITION_HEADER
	};
	while (buckets < length / BYTES_PER_BUCKET)
		buckets *= 2;
	document->bucket_mask = buckets - 1;
	document->buckets = toml_arena_alloc(&document->arena, buckets * sizeof(void *));
	err = document->buckets ? document_read(&reader) : toml_refuse_memory(&reader.cursor);
	if (err) {
		toml_free(document);
		return err;
	}
	*result = document;
	return 0;
}

const struct toml_value *toml_root(const struct toml_document *document)
{
	return &document->root;
}

const struct toml_value *toml_get(const struct toml_document *document, const struct toml_value *table, const char *key)
{
	struct toml_string name = { key, strlen(key) };
	struct toml_entry *entry = entry_lookup(document, table, &name);

	return entry ? &entry->value : NULL;
}

const char *toml_type_name(enum toml_type type)
{
	static const char *const names[] = {
		[TOML_STRING] = "a string",
		[TOML_INTEGER] = "an integer",
		[TOML_FLOAT] = "a float",
		[TOML_BOOLEAN] = "a boolean",
		[TOML_OFFSET_DATETIME] = "a date and time",
		[TOML_LOCAL_DATETIME] = "a date and time",
		[TOML_LOCAL_DATE] = "a date",
		[TOML_LOCAL_TIME] = "a time",
		[TOML_ARRAY] = "an array",
		[TOML_TABLE] = "a table",
	};

	return names[type];
}

void toml_free(struct toml_document *document)
{
	if (!document)
		return;
	toml_arena_free(&document->arena);
	free(document);
}
