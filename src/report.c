// SPDX-License-Identifier: GPL-2.0-or-later
/* See report.h: the daemon's state and its lists. */
#include "report.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "json.h"
#include "reason.h"

const char *const report_protocols[NAT_PROTOCOLS] = { [NAT_TCP] = "tcp", [NAT_UDP] = "udp", [NAT_ICMP] = "icmp" };

enum { FULL_PERCENT = 90, ROW_SIZE = 512 };

/*
 * A list has a row for each of up to 65,536 mappings: what a row needs is put together without printf(), and written at once.
 * Each of these writes at `to` and returns the end of what it wrote.
 */
static char *put_number(char *to, uint32_t number)
{
	char digits[12], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	memcpy(to, at, (size_t)(digits + sizeof(digits) - at));
	to += digits + sizeof(digits) - at;
	*to = '\0';
	return to;
}

/* Filled up with blanks on the left, and one blank behind it. */
static char *put_right(char *to, const char *text, size_t width)
{
	size_t length = strlen(text);

	for (; length < width; width--)
		*to++ = ' ';
	return stpcpy(stpcpy(to, text), " ");
}

static char *put_left(char *to, const char *text, size_t width)
{
	char *end = to + width;

	for (to = stpcpy(to, text); to < end;)
		*to++ = ' ';
	return stpcpy(to, " ");
}

static char *put_address(char *to, int family, const __be32 addr[4])
{
	const unsigned char *byte = (const unsigned char *)addr;
	int i;

	if (family != AF_INET)
		return inet_ntop(AF_INET6, addr, to, INET6_ADDRSTRLEN) ? to + strlen(to) : to;
	for (i = 0; i < 4; i++)
		to = stpcpy(put_number(to, byte[i]), i < 3 ? "." : "");
	return to;
}

static char *put_endpoint(char *to, int family, const __be32 addr[4], uint16_t port)
{
	to = put_address(stpcpy(to, family == AF_INET6 ? "[" : ""), family, addr);
	return put_number(stpcpy(to, family == AF_INET6 ? "]:" : ":"), port);
}

void address_format(int family, const __be32 addr[4], char text[48])
{
	put_address(text, family, addr);
}

/* "12.3M" for people. */
static void amount_format(uint64_t amount, char text[16])
{
	static const char units[] = "kMGTPE";
	uint64_t tenths;
	size_t unit = 0;

	if (amount < 1000) {
		snprintf(text, 16, "%u", (unsigned int)amount);
		return;
	}
	for (tenths = amount / 100; tenths >= 10000; tenths /= 1000)
		unit++;
	snprintf(text, 16, "%u.%u%c", (unsigned int)tenths / 10, (unsigned int)tenths % 10, units[unit]);
}

static void time_format(uint64_t seconds, char text[32])
{
	unsigned int s = (unsigned int)(seconds % 60), m = (unsigned int)(seconds / 60 % 60);
	unsigned int h = (unsigned int)(seconds / 3600 % 24);

	if (seconds >= 86400)
		snprintf(text, 32, "%" PRIu64 "d %02u:%02u:%02u", seconds / 86400, h, m, s);
	else
		snprintf(text, 32, h ? "%u:%02u:%02u" : "%.0u%u:%02u", h, m, s);
}

/* A member of a JSON object. */
static void member_string(FILE *to, const char *key, const char *value)
{
	fprintf(to, "\"%s\":", key);
	json_string(to, value);
}

static void member_number(FILE *to, const char *key, uint64_t value)
{
	fprintf(to, ",\"%s\":%" PRIu64, key, value);
}

/* {"interface":"wan","family":"ipv4" */
static void object_begin(FILE *to, const char *interface, int family)
{
	fputs("{\"interface\":", to);
	json_string(to, interface);
	fputs(family == AF_INET ? ",\"family\":\"ipv4\"" : ",\"family\":\"ipv6\"", to);
}

/* Status */

struct problems {
	FILE *to;
	bool json;
	unsigned int count;
};

static void __attribute__((format(printf, 2, 3))) problem(struct problems *problems, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (problems->json) {
		fputs(problems->count ? "," : "", problems->to);
		json_string(problems->to, text);
	} else {
		fprintf(problems->to, "problem: %s\n", text);
	}
	problems->count++;
}

static void plane_problems(struct problems *problems, const struct plane_report *plane)
{
	const char *family = plane->family == AF_INET ? "IPv4" : "IPv6";
	unsigned int i;

	if (!plane->is_present)
		problem(problems, "%s: is not there", plane->interface);
	else if (!plane->hook)
		problem(problems, "%s: %s is not translated", plane->interface, family);
	else if (!plane->count)
		problem(problems, "%s: no external %s address", plane->interface, family);
	for (i = 0; i < NAT_PROTOCOLS; i++)
		if (plane->managed[i] && plane->used[i] * 100ull >= plane->managed[i] * (uint64_t)FULL_PERCENT)
			problem(problems, "%s: %s: %u of %u %s ports are in use", plane->interface, family,
				plane->used[i], plane->managed[i], report_protocols[i]);
}

static unsigned int problems_print(FILE *to, const struct report *report, bool json)
{
	struct problems problems = { to, json, 0 };
	size_t i;

	if (report->complaint)
		problem(&problems, "%s", report->complaint);
	for (i = 0; i < report->count; i++)
		plane_problems(&problems, &report->planes[i]);
	return problems.count;
}

static void plane_json(FILE *to, const struct plane_report *plane)
{
	char address[48];
	unsigned int i;

	object_begin(to, plane->interface, plane->family);
	fprintf(to, ",\"present\":%s,\"attached\":%s,\"hook\":", plane->is_present ? "true" : "false",
		plane->hook ? "true" : "false");
	fprintf(to, plane->hook ? "\"%s\"" : "null", plane->hook);
	fputs(",\"externals\":[", to);
	for (i = 0; i < plane->count; i++) {
		address_format(plane->family, plane->externals[i], address);
		fprintf(to, "%s\"%s\"", i ? "," : "", address);
	}
	fputc(']', to);
	member_number(to, "memory", plane->memory);
	fputs(",\"ports\":[", to);
	for (i = 0; i < NAT_PROTOCOLS; i++) {
		fprintf(to, "%s{\"protocol\":\"%s\"", i ? "," : "", report_protocols[i]);
		member_number(to, "mappings", plane->mappings[i]);
		member_number(to, "used", plane->used[i]);
		member_number(to, "managed", plane->managed[i]);
		member_number(to, "peak", plane->peak[i]);
		fputc('}', to);
	}
	fputs("]}", to);
}

static void plane_table(FILE *to, const struct plane_report *plane)
{
	char address[48], memory[16];
	unsigned int i;

	amount_format(plane->memory, memory);
	fprintf(to, "%s, %s: %s, %sB of maps\n", plane->interface, plane->family == AF_INET ? "IPv4" : "IPv6",
		plane->hook ? plane->hook : "not attached", memory);
	for (i = 0; i < plane->count; i++) {
		address_format(plane->family, plane->externals[i], address);
		fprintf(to, "  external %s\n", address);
	}
	fprintf(to, "  %-5s %10s %14s %14s %10s %5s\n", "PROTO", "MAPPINGS", "PORTS IN USE", "MANAGED", "PEAK", "USE");
	for (i = 0; i < NAT_PROTOCOLS; i++)
		fprintf(to, "  %-5s %10u %14u %14u %10u %4u%%\n", report_protocols[i], plane->mappings[i],
			plane->used[i], plane->managed[i], plane->peak[i],
			plane->managed[i] ? (unsigned int)(plane->used[i] * 100ull / plane->managed[i]) : 0);
}

void report_status(FILE *to, const struct report *report, bool json)
{
	char uptime[32], memory[16];
	size_t i;

	time_format(report->uptime, uptime);
	amount_format(report->memory, memory);
	if (json)
		fprintf(to, "{\"version\":\"%s\",\"uptime\":%" PRIu64 ",\"memory\":%" PRIu64 ",\"problems\":[",
			report->version, report->uptime, report->memory);
	else
		fprintf(to, "einat %s, up %s, %sB of memory\n", report->version, uptime, memory);
	if (!problems_print(to, report, json) && !json)
		fputs("nothing is wrong\n", to);
	fputs(json ? "],\"interfaces\":[" : "", to);
	for (i = 0; i < report->count; i++) {
		if (json)
			fputs(i ? "," : "", to), plane_json(to, &report->planes[i]);
		else
			plane_table(to, &report->planes[i]);
	}
	fputs(json ? "]}\n" : "", to);
}

/* Counters */

static void counter_json(FILE *to, const struct plane_report *plane, unsigned int direction, unsigned int reason)
{
	const struct counter *counter = &plane->counters[direction][reason];
	char name[REASON_NAME];

	reason_name(reason, name);
	object_begin(to, plane->interface, plane->family);
	fprintf(to, ",\"direction\":\"%s\",\"verdict\":\"%s\",\"reason\":\"%s\"",
		direction == NAT_EGRESS ? "out" : "in", reason_verdict_names[reason_verdict(reason)], name);
	member_number(to, "packets", counter->packets);
	member_number(to, "bytes", counter->bytes);
	fputs(",", to);
	member_string(to, "text", reason_text(reason));
	fputc('}', to);
}

static void counter_table(FILE *to, const struct plane_report *plane, unsigned int direction, unsigned int reason)
{
	const struct counter *counter = &plane->counters[direction][reason];
	const enum reason_verdict verdict = reason_verdict(reason);
	char bytes[16];

	if (!counter->packets)
		return;
	amount_format(counter->bytes, bytes);
	fprintf(to, "%-3s %-4s %12" PRIu64 " %7s %s\n", direction == NAT_EGRESS ? "out" : "in",
		verdict == REASON_DONE ? "nat" : reason_verdict_names[verdict], (uint64_t)counter->packets, bytes,
		reason_text(reason));
}

void report_counters(FILE *to, const struct report *report, bool json)
{
	unsigned int n;
	size_t i;

	fputs(json ? "{\"counters\":[" : "", to);
	for (i = 0; i < report->count; i++) {
		if (!json)
			fprintf(to, "%s, %s\n%-3s %-4s %12s %7s %s\n", report->planes[i].interface,
				report->planes[i].family == AF_INET ? "IPv4" : "IPv6", "DIR", "HOW", "PACKETS", "BYTES",
				"REASON");
		for (n = 0; n < NAT_DIRECTIONS * NAT_REASON_COUNT; n++) {
			if (json && (i || n))
				fputs(",\n", to);
			(json ? counter_json : counter_table)(to, &report->planes[i], n / NAT_REASON_COUNT,
							      n % NAT_REASON_COUNT);
		}
	}
	fputs(json ? "]}\n" : "", to);
}

/* Lists */

void list_begin(struct list *list, const char *name)
{
	list->is_begun = true;
	list->has_rows = false;
	list->interface = NULL;
	if (list->json)
		fprintf(list->to, "{\"%s\":[\n", name);
}

/* In front of a row: a comma, or where a new group begins its name and the headings. */
static void row_begin(struct list *list, const char *interface, const char *group, const char *headings)
{
	if (list->json)
		fputs(list->has_rows ? ",\n" : "", list->to);
	else if (!list->has_rows || group)
		fprintf(list->to, "%s%s%s\n%s\n", interface, group && *group ? ", " : "", group ? group : "", headings);
	list->has_rows = true;
	list->interface = interface;
}

/* The group that a row begins: the external address, "" for another interface without one; NULL: none. */
static const char *group_of(struct list *list, const struct entry *entry, char address[64])
{
	static const __be32 none[4];

	if (list->interface == entry->interface && !memcmp(list->external, entry->external, sizeof(list->external)))
		return NULL;
	memcpy(list->external, entry->external, sizeof(list->external));
	if (memcmp(entry->external, none, sizeof(none)) != 0)
		put_address(stpcpy(address, "external address "), entry->family, entry->external);
	else
		stpcpy(address, "no external address");
	return address;
}

static char *put_member(char *to, const char *key, uint32_t value)
{
	return put_number(stpcpy(stpcpy(to, key), ":"), value);
}

/* What mappings and sessions have in common: the object's begin goes to the file, the rest to the row. */
static char *entry_json(FILE *file, char *to, const struct entry *entry)
{
	object_begin(file, entry->interface, entry->family);
	to = stpcpy(stpcpy(to, ",\"protocol\":\""), report_protocols[entry->protocol]);
	to = put_address(stpcpy(to, "\",\"internal_address\":\""), entry->family, entry->internal);
	to = put_member(to, "\",\"internal_port\"", entry->internal_port);
	to = put_address(stpcpy(to, ",\"external_address\":\""), entry->family, entry->external);
	return put_member(to, "\",\"external_port\"", entry->external_port);
}

static char *put_port(char *to, const struct entry *entry)
{
	char port[12];

	put_number(port, entry->external_port);
	return put_right(put_left(to, report_protocols[entry->protocol], 5), port, 5);
}

/* 12:34, 1:23:45 */
static char *put_time(char *to, uint32_t seconds)
{
	if (seconds >= 3600)
		to = stpcpy(put_number(to, seconds / 3600), seconds / 60 % 60 < 10 ? ":0" : ":");
	to = stpcpy(put_number(to, seconds / 60 % 60), seconds % 60 < 10 ? ":0" : ":");
	return put_number(to, seconds % 60);
}

void list_mapping(struct list *list, const struct entry *entry)
{
	char row[ROW_SIZE], text[64], *at = row;

	row_begin(list, entry->interface, list->json ? NULL : group_of(list, entry, text),
		  "PROTO  PORT EXPIRES CONNS STATE  INTERNAL");
	if (list->json) {
		at = entry_json(list->to, at, entry);
		if (entry->is_static)
			at = stpcpy(at, ",\"expires\":null");
		else
			at = put_member(at, ",\"expires\"", entry->expires);
		at = put_member(at, ",\"sessions\"", entry->sessions);
		at = stpcpy(stpcpy(stpcpy(at, ",\"state\":\""), entry->state), "\"}");
	} else {
		put_time(text, entry->expires);
		if (entry->is_static)
			stpcpy(text, "-");
		at = put_right(put_port(at, entry), text, 7);
		put_number(text, entry->sessions);
		at = put_left(put_right(at, text, 5), entry->state, 6);
		at = put_endpoint(at, entry->family, entry->internal, entry->internal_port);
		*at++ = '\n';
	}
	fwrite(row, 1, (size_t)(at - row), list->to);
}

void list_session(struct list *list, const struct entry *entry)
{
	char row[ROW_SIZE], text[64], *at = row;

	row_begin(list, entry->interface, list->json ? NULL : group_of(list, entry, text),
		  "PROTO  PORT STATE   INTERNAL              REMOTE");
	if (list->json) {
		at = stpcpy(entry_json(list->to, at, entry), ",\"remote_address\":\"");
		at = put_address(at, entry->family, entry->remote);
		at = put_member(at, "\",\"remote_port\"", entry->remote_port);
		at = stpcpy(stpcpy(stpcpy(at, ",\"state\":\""), entry->state), "\"}");
	} else {
		put_endpoint(text, entry->family, entry->internal, entry->internal_port);
		at = put_left(put_left(put_port(at, entry), entry->state, 7), text, 21);
		at = stpcpy(at, entry->family == AF_INET6 ? "\n                                " : "");
		at = put_endpoint(at, entry->family, entry->remote, entry->remote_port);
		*at++ = '\n';
	}
	fwrite(row, 1, (size_t)(at - row), list->to);
}

/* "at most tcp 256 udp 256 a host", or nothing. */
static void limits_format(const struct plane_report *plane, char text[64])
{
	char *at = stpcpy(text, "at most");
	unsigned int i, count = 0;

	for (i = 0; i < NAT_PROTOCOLS; i++)
		if (plane->host_limit[i]) {
			at = stpcpy(stpcpy(stpcpy(at, " "), report_protocols[i]), " ");
			at = put_number(at, plane->host_limit[i]);
			count++;
		}
	if (count)
		stpcpy(at, " a host");
	else
		text[0] = '\0';
}

void list_host(struct list *list, const struct plane_report *plane, const struct host_count *host)
{
	char text[64] = "";
	unsigned int i;

	limits_format(plane, text);
	row_begin(list, plane->interface, list->interface == plane->interface ? NULL : text,
		  "   PORTS      TCP      UDP     ICMP HOST");
	address_format(plane->family, host->addr, text);
	if (!list->json) {
		fprintf(list->to, "%8u %8u %8u %8u %s\n", host->total, host->mappings[NAT_TCP], host->mappings[NAT_UDP],
			host->mappings[NAT_ICMP], text);
		return;
	}
	object_begin(list->to, plane->interface, plane->family);
	fprintf(list->to, ",\"address\":\"%s\",\"ports\":%u", text, host->total);
	for (i = 0; i < NAT_PROTOCOLS; i++)
		fprintf(list->to, plane->host_limit[i] ? ",\"%s\":%u,\"%s_limit\":%u" : ",\"%s\":%u,\"%s_limit\":null",
			report_protocols[i], host->mappings[i], report_protocols[i], plane->host_limit[i]);
	fputc('}', list->to);
}

void list_end(struct list *list, const char *empty)
{
	if (list->json)
		fputs("\n]}\n", list->to);
	else if (!list->has_rows)
		fprintf(list->to, "%s\n", empty);
}

/* Watching */

void report_event(FILE *to, const struct entry *entry, const char *event, bool json)
{
	char row[ROW_SIZE];

	if (json) {
		entry_json(to, row, entry);
		fprintf(to, "%s,\"event\":\"%s\"}\n", row, event);
		return;
	}
	put_endpoint(row, entry->family, entry->internal, entry->internal_port);
	fprintf(to, "%s: mapping %s: %s %s, external port %u\n", entry->interface, event,
		report_protocols[entry->protocol], row, entry->external_port);
}

void report_drops(FILE *to, const struct plane_report *plane, unsigned int direction, unsigned int reason,
		  uint64_t packets, bool json)
{
	const char *way = direction == NAT_EGRESS ? "out" : "in";
	char name[REASON_NAME];

	if (!json) {
		fprintf(to, "%s: %s: %" PRIu64 " dropped: %s\n", plane->interface, way, packets, reason_text(reason));
		return;
	}
	reason_name(reason, name);
	object_begin(to, plane->interface, plane->family);
	fprintf(to, ",\"direction\":\"%s\",\"reason\":\"%s\"", way, name);
	member_number(to, "packets", packets);
	fputs(",\"event\":\"dropped\"}\n", to);
}
