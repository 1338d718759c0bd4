// SPDX-License-Identifier: GPL-2.0-or-later
/* See forwards.h. */
#include "forwards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void forward_origin(const struct forward *forward, const char *file, char text[FORWARD_ORIGIN])
{
	if (forward->is_added)
		snprintf(text, FORWARD_ORIGIN, "run time");
	else if (forward->line)
		snprintf(text, FORWARD_ORIGIN, "%.*s:%u", FORWARD_ORIGIN - 16, file, forward->line);
	else
		snprintf(text, FORWARD_ORIGIN, "command line");
}

static bool is_same(const struct forward *a, const struct forward *b)
{
	return !memcmp(a->protocols, b->protocols, sizeof(a->protocols)) && a->external.first == b->external.first &&
	       a->external.last == b->external.last && a->internal_port == b->internal_port && a->family == b->family &&
	       a->external_number == b->external_number &&
	       !memcmp(a->internal_addr, b->internal_addr, sizeof(a->internal_addr));
}

/* "tcp:8000=10.0.0.1:80 (run time)" */
static void describe(const struct forward *forward, const char *file, char *text, size_t size)
{
	char words[FORWARD_TEXT], origin[FORWARD_ORIGIN];

	forward_format(forward, words, sizeof(words));
	forward_origin(forward, file, origin);
	snprintf(text, size, "%s (%s)", words, origin);
}

/* What one more would contradict; NULL: nothing. */
static const struct forward *contradicted(const struct interface_config *interface, const struct forward *forward,
					  const char *file, char *error, size_t size)
{
	char words[FORWARD_TEXT], what[FORWARD_TEXT], other[FORWARD_TEXT + FORWARD_ORIGIN + 8];
	const struct forward *at = interface->forwards;

	for (; at < interface->forwards + interface->forwards_count; at++) {
		if (!forward_conflicts(forward, at, what, sizeof(what)))
			continue;
		forward_format(forward, words, sizeof(words));
		describe(at, file, other, sizeof(other));
		if (is_same(forward, at))
			snprintf(error, size, "%s is there already", other);
		else
			snprintf(error, size, "%s: its %s is that of %s, too", words, what, other);
		return at;
	}
	return NULL;
}

/* Which one of the list it is; NULL: none. */
static const struct forward *find(const struct interface_config *interface, const struct forward *forward)
{
	const struct forward *at = interface->forwards;

	for (; at < interface->forwards + interface->forwards_count; at++)
		if (is_same(forward, at))
			return at;
	return NULL;
}

/* A list with room for one more; NULL: out of memory. */
static struct forward *copy(const struct interface_config *interface, struct forwards *forwards)
{
	forwards->count = interface->forwards_count;
	forwards->list = calloc(forwards->count + 1, sizeof(*forwards->list));
	if (forwards->list && forwards->count)
		memcpy(forwards->list, interface->forwards, forwards->count * sizeof(*forwards->list));
	return forwards->list;
}

void forwards_swap(struct interface_config *interface, struct forwards *forwards)
{
	struct forwards before = { interface->forwards, interface->forwards_count };

	interface->forwards = forwards->list;
	interface->forwards_count = forwards->count;
	*forwards = before;
}

int forwards_with(const struct interface_config *interface, const struct forward *forward, const char *file,
		  struct forwards *forwards, char *error, size_t size)
{
	const bool is_ipv4 = forward->family == AF_INET;
	char words[FORWARD_TEXT];

	forward_format(forward, words, sizeof(words));
	if (!(is_ipv4 ? interface->nat44 : interface->nat66)) {
		snprintf(error, size, "%s: an IPv%c address, but nat%s is not on", words, is_ipv4 ? '4' : '6',
			 is_ipv4 ? "44" : "66");
		return -EINVAL;
	}
	if (contradicted(interface, forward, file, error, size))
		return -EINVAL;
	if (interface->forwards_count >= FORWARDS_MAX) {
		snprintf(error, size, "%s: there are %d already", words, FORWARDS_MAX);
		return -EINVAL;
	}
	if (!copy(interface, forwards)) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	forwards->list[forwards->count] = *forward;
	forwards->list[forwards->count++].is_added = true;
	return 0;
}

int forwards_without(const struct interface_config *interface, const struct forward *forward, const char *file,
		     struct forwards *forwards, char *error, size_t size)
{
	const struct forward *found = find(interface, forward);
	char words[FORWARD_TEXT + FORWARD_ORIGIN + 8];
	size_t after;

	if (!found) {
		forward_format(forward, words, sizeof(words));
		snprintf(error, size, "%s: there is no such static mapping", words);
		return -EINVAL;
	}
	if (!found->is_added) {
		describe(found, file, words, sizeof(words));
		snprintf(error, size, "%s: was not added at run time%s", words,
			 found->line ? ": take it out there, then einat reload" : ": ends with the daemon");
		return -EINVAL;
	}
	if (!copy(interface, forwards)) {
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	after = forwards->count - 1 - (size_t)(found - interface->forwards);
	memmove(&forwards->list[found - interface->forwards], found + 1, after * sizeof(*found));
	forwards->count--;
	return 0;
}

int forwards_configured(const struct interface_config *interface, struct forwards *forwards)
{
	size_t i;

	if (!copy(interface, forwards))
		return -ENOMEM;
	forwards->count = 0;
	for (i = 0; i < interface->forwards_count; i++)
		if (!interface->forwards[i].is_added)
			forwards->list[forwards->count++] = interface->forwards[i];
	return 0;
}

int forwards_keep(struct interface_config *after, const struct interface_config *before, const char *file,
		  void (*say)(const char *line))
{
	char line[2 * FORWARD_TEXT + FORWARD_ORIGIN + 128], error[sizeof(line) - 64];
	const struct forward *forward = before->forwards;
	struct forwards with;

	for (; forward < before->forwards + before->forwards_count; forward++) {
		const struct forward *now = find(after, forward);

		if (!forward->is_added || (now && !now->remotes_count))
			continue;
		switch (forwards_with(after, forward, file, &with, error, sizeof(error))) {
		case 0:
			forwards_swap(after, &with);
			free(with.list);
			break;
		case -EINVAL:
			snprintf(line, sizeof(line), "%s: forward %s: added at run time, is dropped", after->name,
				 error);
			say(line);
			break;
		default:
			return -ENOMEM;
		}
	}
	return 0;
}
