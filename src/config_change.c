// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compares configurations by their print, in which every key has its line: so no key can be forgotten here, and what is new
 * needs an heir until somebody says otherwise.
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

/* Are all lines that differ such ones? Both texts are cut up. */
static bool lines_may_change(char *before, char *after)
{
	static const char hairpin[] = "[interfaces.ipv";
	bool is_hairpin = false;
	char *line, *other;

	while ((line = strsep(&before, "\n"))) {
		other = strsep(&after, "\n");
		if (!other)
			return false;
		if (*line == '[')
			is_hairpin = !strncmp(line, hairpin, strlen(hairpin));
		if (strcmp(line, other) != 0 && !line_may_change(line, is_hairpin))
			return false;
	}
	return !after;
}

bool config_change_needs_heir(const struct interface_config *before, const struct interface_config *after)
{
	char *before_text = interface_print(before), *after_text = interface_print(after);
	bool needs = !before_text || !after_text || !lines_may_change(before_text, after_text);

	free(before_text);
	free(after_text);
	return needs;
}

/* What decides which programs there are, and how they hang on the interface; NULL: none of that differs. */
static const char *key_refused(const struct interface_config *before, const struct interface_config *after)
{
	if (before->nat44 != after->nat44)
		return "nat44";
	if (before->nat66 != after->nat66)
		return "nat66";
	if (before->prefer_tcx != after->prefer_tcx)
		return "prefer_tcx";
	return before->persist != after->persist ? "persist" : NULL;
}

static int interface_check(const struct interface_config *before, const struct interface_config *after, char *text,
			   size_t size)
{
	const char *key = key_refused(before, after);

	if (!key)
		return 0;
	snprintf(text, size, "[[interfaces]] \"%s\": %s", before->name, key);
	return -EINVAL;
}

int config_change_check(const struct config *before, const struct config *after, char *text, size_t size)
{
	size_t i;
	int err = 0;

	snprintf(text, size, "[control]");
	if (memcmp(&before->control, &after->control, sizeof(before->control)) != 0)
		return -EINVAL;
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
