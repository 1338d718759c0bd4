// SPDX-License-Identifier: GPL-2.0-or-later
/* See assignment.h. */
#include "assignment.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIME_SIZE = 80 }; /* for what the compiler thinks possible */

/* "2026-11-22T07:50:00Z" */
static void time_format(uint32_t seconds, char text[TIME_SIZE])
{
	const time_t at = seconds;
	struct tm tm;

	gmtime_r(&at, &tm);
	snprintf(text, TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
		 tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* "udp 192.168.1.100:25000 as 203.0.113.2:25000" */
static void endpoints_format(const struct assignment *of, int family, char text[160])
{
	const char *const endpoint = family == AF_INET ? "%s %s:%u as %s:%u" : "%s [%s]:%u as [%s]:%u";
	char internal[48], external[48];

	address_format(family, of->internal, internal);
	address_format(family, of->external, external);
	snprintf(text, 160, endpoint, report_protocols[of->protocol % NAT_PROTOCOLS], internal, of->internal_port,
		 external, of->external_port);
}

/* until: 0 when it begins. */
static void say(struct assignment_log *log, const struct assignment *of, const char *what, uint32_t until)
{
	char endpoints[160], since[TIME_SIZE], end[TIME_SIZE + 4] = "", line[512];

	if (!log->budget) {
		log->lost++;
		return;
	}
	log->budget--;
	endpoints_format(of, log->family, endpoints);
	time_format(of->since, since);
	if (until)
		time_format(until, stpcpy(end, " to "));
	snprintf(line, sizeof(line), "%s: %s: %s %s %s%s", log->interface, what, endpoints, until ? "from" : "at",
		 since, end);
	log->say(line, log->arg);
}

static void end(struct assignment *known, struct assignment_log *log)
{
	if (known->since)
		say(log, known, "released", log->now);
	known->since = 0;
}

void assignment_follow(struct assignment *known, const struct entry *entry, uint16_t epoch, struct assignment_log *log)
{
	const bool is_live = entry->is_live && !entry->is_static;
	const uint16_t passed = (uint16_t)(epoch - known->epoch);
	const bool was_known = known->is_known;

	known->is_known = true;
	if (was_known && !passed && is_live == !!known->since)
		return;
	if (!is_live || passed)
		end(known, log);
	if (entry->is_static || (!was_known && !is_live) || (was_known && !passed && !is_live)) {
		known->epoch = epoch;
		return;
	}
	if (was_known && passed > 1)
		log->lost += 2 * (passed - 1u); /* nobody knows any more who they were */
	memcpy(known->internal, entry->internal, sizeof(known->internal));
	memcpy(known->external, entry->external, sizeof(known->external));
	known->internal_port = entry->internal_port;
	known->external_port = entry->external_port;
	known->protocol = (uint8_t)entry->protocol;
	known->since = log->now;
	known->epoch = epoch;
	say(log, known, was_known ? "assigned" : "found assigned", 0);
	if (!is_live) /* it came and went */
		end(known, log);
}

static int compare(const void *a, const void *b)
{
	const struct assignment *one = *(struct assignment *const *)a, *other = *(struct assignment *const *)b;

	if (one->protocol != other->protocol)
		return one->protocol < other->protocol ? -1 : 1;
	if (one->external_port != other->external_port)
		return one->external_port < other->external_port ? -1 : 1;
	return memcmp(one->external, other->external, sizeof(one->external));
}

/* Those that live, in an order by which they are found; NULL: out of memory. */
static struct assignment **sort(struct assignment *list, size_t count, size_t *found)
{
	struct assignment **sorted = calloc(count + 1, sizeof(struct assignment *));
	size_t i;

	*found = 0;
	for (i = 0; i < count && sorted; i++)
		if (list[i].since)
			sorted[(*found)++] = &list[i];
	if (sorted)
		qsort(sorted, *found, sizeof(struct assignment *), compare);
	return sorted;
}

/* *of is what the slot holds now, which has not been looked at. */
static void carry(struct assignment *of, struct assignment *before, struct assignment_log *log)
{
	if (before && (before->internal_port != of->internal_port ||
		       memcmp(before->internal, of->internal, sizeof(of->internal)) != 0)) {
		end(before, log);
		before = NULL;
	}
	of->since = before ? before->since : log->now;
	if (before)
		before->since = 0;
	else
		say(log, of, "assigned", 0);
}

void assignments_carry(struct assignment *before, size_t before_count, struct assignment *after, size_t after_count,
		       struct assignment_log *log)
{
	size_t count, i;
	struct assignment **sorted = sort(before, before_count, &count), **same, *key;

	for (i = 0; i < after_count; i++) {
		key = &after[i];
		if (!key->since)
			continue;
		same = sorted ? bsearch(&key, sorted, count, sizeof(struct assignment *), compare) : NULL;
		carry(key, same && (*same)->since ? *same : NULL, log);
	}
	for (i = 0; i < before_count; i++)
		end(&before[i], log);
	free(sorted);
}
