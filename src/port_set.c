// SPDX-License-Identifier: GPL-2.0-or-later
/* Sets of ports: sorted, disjoint, merged ranges, so that equal sets are equal arrays. */
#include "port_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int port_set_add(struct port_set *set, uint16_t first, uint16_t last)
{
	struct port_range *grown;
	size_t from, to;

	if (first > last)
		return -EINVAL;
	/* [from, to) are the ranges that touch the new one; in 32 bits, since last + 1 may be 65536. */
	for (from = 0; from < set->count && (uint32_t)set->ranges[from].last + 1 < first; from++)
		;
	for (to = from; to < set->count && set->ranges[to].first <= (uint32_t)last + 1; to++) {
		if (set->ranges[to].first < first)
			first = set->ranges[to].first;
		if (set->ranges[to].last > last)
			last = set->ranges[to].last;
	}
	if (from == to) {
		grown = realloc(set->ranges, (set->count + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		set->ranges = grown;
	}
	memmove(&set->ranges[from + 1], &set->ranges[to], (set->count - to) * sizeof(*set->ranges));
	set->ranges[from] = (struct port_range){ first, last };
	set->count = set->count - (to - from) + 1;
	return 0;
}

/* Reads a decimal port at *text and moves *text behind it. Signs, spaces and empty words are refused. */
static int port_parse(const char **text, uint16_t *port, const char **why)
{
	const char *c = *text;
	uint32_t value = 0;

	if (*c < '0' || *c > '9') {
		*why = "not a port range such as 20000-29999";
		return -EINVAL;
	}
	for (; *c >= '0' && *c <= '9'; c++) {
		value = value * 10 + (uint32_t)(*c - '0');
		if (value > 65535) {
			*why = "port above 65535";
			return -EINVAL;
		}
	}
	*text = c;
	*port = (uint16_t)value;
	return 0;
}

int port_set_parse(struct port_set *set, const char *text, const char **why)
{
	uint16_t first, last;
	int err;

	if (port_parse(&text, &first, why))
		return -EINVAL;
	last = first;
	if (*text == '-') {
		text++;
		if (port_parse(&text, &last, why))
			return -EINVAL;
	}
	if (*text) {
		*why = "not a port range such as 20000-29999";
		return -EINVAL;
	}
	if (first > last) {
		*why = "begin is above end";
		return -EINVAL;
	}
	err = port_set_add(set, first, last);
	if (err)
		*why = "out of memory";
	return err;
}

bool port_set_contains(const struct port_set *set, uint16_t port)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		if (set->ranges[i].first <= port && port <= set->ranges[i].last)
			return true;
	return false;
}

bool port_set_contains_set(const struct port_set *set, const struct port_set *part)
{
	size_t i, n = 0;

	/* Both are sorted, and merged: a range of the part is within one of the set. */
	for (i = 0; i < part->count; i++) {
		while (n < set->count && set->ranges[n].last < part->ranges[i].first)
			n++;
		if (n == set->count || set->ranges[n].first > part->ranges[i].first ||
		    set->ranges[n].last < part->ranges[i].last)
			return false;
	}
	return true;
}

int port_set_copy(struct port_set *to, const struct port_set *from)
{
	struct port_range *ranges = NULL;

	if (from->count) {
		ranges = malloc(from->count * sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		memcpy(ranges, from->ranges, from->count * sizeof(*ranges));
	}
	free(to->ranges);
	*to = (struct port_set){ ranges, from->count };
	return 0;
}

size_t port_set_size(const struct port_set *set)
{
	size_t i, size = 0;

	for (i = 0; i < set->count; i++)
		size += (size_t)set->ranges[i].last - set->ranges[i].first + 1;
	return size;
}

void port_set_free(struct port_set *set)
{
	free(set->ranges);
	set->ranges = NULL;
	set->count = 0;
}
