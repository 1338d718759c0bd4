// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares configurations by their print, in which every key has its line: so no key can be forgotten here, and what is new
 * needs a restart until somebody says otherwise.
 */
#include "config_change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_print.h"

static char *interface_print(const struct interface_config *interface)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	config_print_interface(to, interface);
	return fclose(to) ? NULL : text;
}

static bool line_may_change(const char *line, bool is_hairpin)
{
	return is_hairpin || !strncmp(line, "timeout_", strlen("timeout_")) ||
	       !strncmp(line, "take_over_masquerade", strlen("take_over_masquerade"));
}

/* The first line of `before` that has become another and may not, or NULL. Both are cut up. */
static const char *line_refused(char *before, char *after)
{
	static const char hairpin[] = "[interfaces.ipv";
	bool is_hairpin = false;
	char *line, *other;

	while ((line = strsep(&before, "\n"))) {
		other = strsep(&after, "\n");
		if (!other)
			return "externals";
		if (*line == '[')
			is_hairpin = !strncmp(line, hairpin, strlen(hairpin));
		if (strcmp(line, other) != 0 && !line_may_change(line, is_hairpin))
			return *line && *line != '[' ? line : "externals";
	}
	return after ? "externals" : NULL;
}

static int interface_check(const struct interface_config *before, const struct interface_config *after, char *text,
			   size_t size)
{
	char *before_text = interface_print(before), *after_text = interface_print(after);
	int err = before_text && after_text ? 0 : -ENOMEM;
	const char *line;

	line = err ? NULL : line_refused(before_text, after_text);
	if (line) {
		snprintf(text, size, "[[interfaces]] \"%s\": %.*s", before->name, (int)strcspn(line, " "), line);
		err = -EINVAL;
	}
	free(before_text);
	free(after_text);
	return err;
}

int config_change_check(const struct config *before, const struct config *after, char *text, size_t size)
{
	size_t i;
	int err = 0;

	snprintf(text, size, "[[interfaces]]");
	if (before->interfaces_count != after->interfaces_count)
		return -EINVAL;
	for (i = 0; i < before->interfaces_count; i++)
		if (strcmp(before->interfaces[i].name, after->interfaces[i].name) != 0)
			return -EINVAL;
	for (i = 0; i < before->interfaces_count && !err; i++)
		err = interface_check(&before->interfaces[i], &after->interfaces[i], text, size);
	return err;
}
