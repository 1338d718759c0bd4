// SPDX-License-Identifier: GPL-2.0-or-later
/* The letters of TOML: what may stand in a comment, a key or a string, and what a string says. */
#include "toml_text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_SIZE = 4000, /* with malloc()'s own, below a page */
	ALIGNMENT = 16,
};

struct toml_chunk {
	struct toml_chunk *next;
	size_t used, size;
	char memory[] __attribute__((aligned(ALIGNMENT)));
};

void *toml_arena_alloc(struct toml_arena *arena, size_t size)
{
	struct toml_chunk *chunk = arena->chunks;
	size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, room;
	void *memory;

	if (!chunk || rounded > chunk->size - chunk->used) {
		room = rounded > CHUNK_SIZE ? rounded : CHUNK_SIZE;
		if (rounded < size || room > TOML_MEMORY_MAX - arena->used)
			return NULL;
		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->size = room;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->used += room;
	}
	memory = chunk->memory + chunk->used;
	chunk->used += rounded;
	return memory;
}

void toml_arena_free(struct toml_arena *arena)
{
	struct toml_chunk *chunk;

	while ((chunk = arena->chunks)) {
		arena->chunks = chunk->next;
		free(chunk);
	}
}

unsigned int toml_column(const struct toml_cursor *cursor)
{
	return (unsigned int)(cursor->at - cursor->line_start) + 1;
}

static bool is_control(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f;
}

static void error_note(struct toml_error *error, unsigned int line, unsigned int column, const char *format,
		       va_list args)
{
	char *c;

	error->line = line;
	error->column = column;
	vsnprintf(error->text, sizeof(error->text), format, args);
	for (c = error->text; *c; c++) /* a key can have any, and this goes to a terminal */
		if (is_control(*c))
			*c = '?';
}

int toml_refuse_at(const struct toml_cursor *cursor, unsigned int line, unsigned int column, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_note(cursor->error, line, column, format, args);
	va_end(args);
	return -EINVAL;
}

int toml_refuse(const struct toml_cursor *cursor, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_note(cursor->error, cursor->line, toml_column(cursor), format, args);
	va_end(args);
	return -EINVAL;
}

int toml_refuse_memory(const struct toml_cursor *cursor)
{
	if (cursor->arena->used + CHUNK_SIZE < TOML_MEMORY_MAX) {
		toml_refuse(cursor, "out of memory");
		return -ENOMEM;
	}
	toml_refuse(cursor, "too much for a configuration: more than %d MB", TOML_MEMORY_MAX >> 20);
	return -EFBIG;
}

int toml_refuse_character(const struct toml_cursor *cursor, const char *expected)
{
	unsigned char c;

	if (cursor->at == cursor->end)
		return toml_refuse(cursor, "expected %s, found the end of the file", expected);
	c = (unsigned char)*cursor->at;
	if (toml_newline_length(cursor))
		return toml_refuse(cursor, "expected %s, found the end of the line", expected);
	if (c > ' ' && c < 0x7f)
		return toml_refuse(cursor, "expected %s, found '%c'", expected, c);
	return toml_refuse(cursor, "expected %s, found byte 0x%02x", expected, c);
}

size_t toml_utf8_length(const char *c, const char *end)
{
	const unsigned char *u = (const unsigned char *)c;
	size_t length, i;

	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	length = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if ((size_t)(end - c) < length)
		return 0;
	for (i = 1; i < length; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
	    (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return length;
}

int toml_check_utf8(const struct toml_cursor *cursor)
{
	struct toml_cursor at = *cursor;
	size_t length;

	while (at.at < at.end) {
		length = toml_utf8_length(at.at, at.end);
		if (!length)
			return toml_refuse(&at, "not UTF-8: byte 0x%02x", (unsigned char)*at.at);
		if (*at.at == '\n') {
			at.line++;
			at.line_start = at.at + 1;
		}
		at.at += length;
	}
	return 0;
}

size_t toml_newline_length(const struct toml_cursor *cursor)
{
	size_t left = (size_t)(cursor->end - cursor->at);

	if (left && cursor->at[0] == '\n')
		return 1;
	return left > 1 && cursor->at[0] == '\r' && cursor->at[1] == '\n' ? 2 : 0;
}

void toml_skip_blanks(struct toml_cursor *cursor)
{
	while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\t'))
		cursor->at++;
}

bool toml_skip_newline(struct toml_cursor *cursor)
{
	size_t length = toml_newline_length(cursor);

	if (!length)
		return false;
	cursor->at += length;
	cursor->line++;
	cursor->line_start = cursor->at;
	return true;
}

int toml_skip_comment(struct toml_cursor *cursor)
{
	if (cursor->at == cursor->end || *cursor->at != '#')
		return 0;
	for (; cursor->at < cursor->end && !toml_newline_length(cursor); cursor->at++)
		if (is_control(*cursor->at))
			return toml_refuse(cursor, "control character 0x%02x in a comment", *cursor->at);
	return 0;
}

int toml_skip_lines(struct toml_cursor *cursor)
{
	int err;

	do {
		toml_skip_blanks(cursor);
		err = toml_skip_comment(cursor);
	} while (!err && toml_skip_newline(cursor));
	return err;
}

/* A string being read. */
struct string_reader {
	struct toml_cursor *cursor;
	char quote; /* " or ' */
	bool is_multiline;
	char *to;
};

/* How many of the reader's quotes stand here, at most max. */
static size_t quotes_length(const struct string_reader *reader, const char *c, size_t max)
{
	size_t count = 0;

	while (count < max && c + count < reader->cursor->end && c[count] == reader->quote)
		count++;
	return count;
}

/* At least as many bytes as the string will have: what stands between its quotes, since no escape makes it longer. */
static size_t string_bound(const struct string_reader *reader)
{
	const char *c = reader->cursor->at, *end = reader->cursor->end;
	size_t quotes = reader->is_multiline ? 3 : 1;

	while (c < end && quotes_length(reader, c, quotes) < quotes && (reader->is_multiline || *c != '\n'))
		c += *c == '\\' && reader->quote == '"' && end - c > 1 ? 2 : 1;
	return (size_t)(c - reader->cursor->at) + 2; /* """a""""": two quotes more belong to it */
}

static char *utf8_write(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | code >> 18);
		*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (code & 0x3f));
	return to;
}

/* The 4 or 8 digits of \u or \U: the cursor is at the letter. */
static int unicode_read(struct string_reader *reader)
{
	struct toml_cursor *cursor = reader->cursor;
	int digits = *cursor->at == 'u' ? 4 : 8, i;
	uint32_t code = 0;
	char c;

	for (i = 1; i <= digits; i++) {
		c = cursor->end - cursor->at > i ? cursor->at[i] : '\0';
		if (c >= '0' && c <= '9')
			code = code << 4 | (uint32_t)(c - '0');
		else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
			code = code << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return toml_refuse(cursor, "\\%c needs %d hexadecimal digits", *cursor->at, digits);
	}
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return toml_refuse(cursor, "\\%.*s is no Unicode character", digits + 1, cursor->at);
	reader->to = utf8_write(reader->to, code);
	cursor->at += digits + 1;
	return 0;
}

/* A backslash at the end of a line of a multi-line string takes all blanks and newlines up to the next character. */
static bool line_continues(struct string_reader *reader)
{
	struct toml_cursor after = *reader->cursor;
	bool any = false;

	for (toml_skip_blanks(&after); toml_skip_newline(&after); toml_skip_blanks(&after))
		any = true;
	if (any)
		*reader->cursor = after;
	return any;
}

static int escape_read(struct string_reader *reader)
{
	static const char letters[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
	struct toml_cursor *cursor = reader->cursor;
	const char *letter;

	cursor->at++;
	if (cursor->at == cursor->end)
		return toml_refuse(cursor, "the string is not closed");
	if (*cursor->at == 'u' || *cursor->at == 'U')
		return unicode_read(reader);
	if (reader->is_multiline && line_continues(reader))
		return 0;
	letter = *cursor->at ? strchr(letters, *cursor->at) : NULL;
	if (!letter)
		return toml_refuse_character(cursor, "one of b t n f r u U \" \\ after a backslash");
	*reader->to++ = meanings[letter - letters];
	cursor->at++;
	return 0;
}

/* Quotes inside a string, or those at its end: then *is_over. */
static void quotes_read(struct string_reader *reader, bool *is_over)
{
	size_t needed = reader->is_multiline ? 3 : 1;
	size_t count = quotes_length(reader, reader->cursor->at, reader->is_multiline ? 5 : 1);

	*is_over = count >= needed;
	reader->cursor->at += count;
	if (*is_over)
		count -= needed;
	memset(reader->to, reader->quote, count);
	reader->to += count;
}

static int character_read(struct string_reader *reader)
{
	struct toml_cursor *cursor = reader->cursor;

	if (*cursor->at == '\\' && reader->quote == '"')
		return escape_read(reader);
	if (toml_newline_length(cursor)) {
		if (!reader->is_multiline)
			return toml_refuse(cursor, "the string is not closed on its line");
		toml_skip_newline(cursor);
		*reader->to++ = '\n';
		return 0;
	}
	if (is_control(*cursor->at))
		return toml_refuse(cursor, "control character 0x%02x in a string", *cursor->at);
	*reader->to++ = *cursor->at++;
	return 0;
}

int toml_read_string(struct toml_cursor *cursor, struct toml_string *string)
{
	struct string_reader reader = { .cursor = cursor, .quote = *cursor->at };
	unsigned int line = cursor->line, column = toml_column(cursor);
	bool is_over = false;
	char *text;
	int err = 0;

	reader.is_multiline = quotes_length(&reader, cursor->at, 3) == 3;
	cursor->at += reader.is_multiline ? 3 : 1;
	if (reader.is_multiline)
		toml_skip_newline(cursor);
	text = toml_arena_alloc(cursor->arena, string_bound(&reader) + 1);
	if (!text)
		return toml_refuse_memory(cursor);
	reader.to = text;
	while (!err && !is_over) {
		if (cursor->at == cursor->end)
			return toml_refuse_at(cursor, line, column, "the string that begins here is not closed");
		if (*cursor->at == reader.quote)
			quotes_read(&reader, &is_over);
		else
			err = character_read(&reader);
	}
	*string = (struct toml_string){ text, (size_t)(reader.to - text) };
	return err;
}

static bool is_bare(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

int toml_read_key(struct toml_cursor *cursor, struct toml_string *key)
{
	const char *start = cursor->at;
	size_t length;
	char *text;

	if (start < cursor->end && (*start == '"' || *start == '\'')) {
		if (cursor->end - start >= 3 && start[1] == *start && start[2] == *start)
			return toml_refuse(cursor, "a key cannot be a multi-line string");
		return toml_read_string(cursor, key);
	}
	while (cursor->at < cursor->end && is_bare(*cursor->at))
		cursor->at++;
	length = (size_t)(cursor->at - start);
	if (!length)
		return toml_refuse_character(cursor, "a key");
	text = toml_arena_alloc(cursor->arena, length + 1);
	if (!text)
		return toml_refuse_memory(cursor);
	memcpy(text, start, length);
	*key = (struct toml_string){ text, length };
	return 0;
}
