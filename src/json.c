// SPDX-License-Identifier: GPL-2.0-or-later
/* See json.h. */
#include "json.h"

#include <string.h>

#include "toml_text.h"

/* Bytes from here on that stand for themselves. */
static size_t plain_length(const char *text, const char *end)
{
	const char *at = text;
	size_t length;

	while (at < end && (unsigned char)*at >= ' ' && *at != '"' && *at != '\\' && *at != 0x7f) {
		length = toml_utf8_length(at, end);
		if (!length)
			break;
		at += length;
	}
	return (size_t)(at - text);
}

void json_string(FILE *to, const char *text)
{
	const char *end = text + strlen(text);
	size_t plain;

	fputc('"', to);
	for (;;) {
		plain = plain_length(text, end);
		fwrite(text, 1, plain, to);
		text += plain;
		if (text == end)
			break;
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", to);
		else
			fprintf(to, "\\u%04x", (unsigned char)*text);
		text++;
	}
	fputc('"', to);
}
