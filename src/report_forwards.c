// SPDX-License-Identifier: GPL-2.0-or-later
/* See report.h: static mappings, and what is said of a change. */
#include <arpa/inet.h>
#include <string.h>

#include "forwards.h"
#include "json.h"
#include "report.h"

static const char *const origins[] = { "command line", "file", "run time" };

static unsigned int origin_of(const struct forward *forward)
{
	return forward->is_added ? 2 : !!forward->line;
}

/* "198.51.100.0/24" */
static void remote_format(const struct forward *forward, size_t n, char text[INET6_ADDRSTRLEN + 8])
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(forward->family, forward->remotes[n].addr, address, sizeof(address));
	snprintf(text, INET6_ADDRSTRLEN + 8, "%s/%u", address, forward->remotes[n].length);
}

static void forward_json(FILE *to, const struct forward *forward, const char *file)
{
	const bool both = forward->protocols[NAT_TCP] && forward->protocols[NAT_UDP];
	char text[INET6_ADDRSTRLEN + 8];
	size_t i;

	fprintf(to, ",\"family\":\"%s\",\"protocols\":[%s%s%s]", forward->family == AF_INET ? "ipv4" : "ipv6",
		forward->protocols[NAT_TCP] ? "\"tcp\"" : "", both ? "," : "",
		forward->protocols[NAT_UDP] ? "\"udp\"" : "");
	if (forward_has_external(forward))
		fprintf(to, ",\"external_address\":\"%s\"",
			inet_ntop(forward->family, forward->external_addr, text, sizeof(text)) ?: "");
	else
		fputs(",\"external_address\":null", to);
	inet_ntop(forward->family, forward->internal_addr, text, sizeof(text));
	fprintf(to, ",\"external_port\":%u,\"count\":%u,\"internal_address\":\"%s\",\"internal_port\":%u,\"remotes\":[",
		forward->external.first, forward->external.last - forward->external.first + 1u, text,
		forward->internal_port);
	for (i = 0; i < forward->remotes_count; i++) {
		remote_format(forward, i, text);
		fprintf(to, i ? ",\"%s\"" : "\"%s\"", text);
	}
	fprintf(to, "],\"origin\":\"%s\",\"file\":", origins[origin_of(forward)]);
	if (origin_of(forward) == 1)
		json_string(to, file);
	else
		fputs("null", to);
	fprintf(to, ",\"line\":%u}", forward->is_added ? 0 : forward->line);
}

static void forward_row(FILE *to, const struct forward *forward)
{
	char text[FORWARD_TEXT], origin[24];
	size_t i;

	snprintf(origin, sizeof(origin), "line %u", forward->line);
	if (origin_of(forward) != 1)
		snprintf(origin, sizeof(origin), "%s", origins[origin_of(forward)]);
	forward_format(forward, text, sizeof(text));
	fprintf(to, "%-12s %s\n", origin, text);
	for (i = 0; i < forward->remotes_count; i++) {
		remote_format(forward, i, text);
		fprintf(to, "%12s   for %s alone\n", "", text);
	}
}

void list_forwards(struct list *list, const struct interface_config *interface, const char *file)
{
	const struct forward *forward = interface->forwards;

	for (; forward < interface->forwards + interface->forwards_count; forward++) {
		if (list->json) {
			fputs(list->has_rows ? ",\n{\"interface\":" : "{\"interface\":", list->to);
			json_string(list->to, interface->name);
			forward_json(list->to, forward, file);
		} else {
			if (list->interface != interface->name)
				fprintf(list->to, "%s\nFROM         STATIC MAPPING\n", interface->name);
			forward_row(list->to, forward);
		}
		list->has_rows = true;
		list->interface = interface->name;
	}
}

void report_change(FILE *to, const char *member, const char *value, const char *text, const char *warnings, bool json)
{
	const char *end, *before = "";
	char line[1024];

	if (json) {
		fprintf(to, "{\"%s\":", member);
		if (value)
			json_string(to, value);
		else
			fputs("true", to);
		fputs(",\"warnings\":[", to);
	} else {
		fprintf(to, "%s\n", text);
	}
	for (; warnings && (end = strchr(warnings, '\n')); warnings = end + 1, before = ",") {
		snprintf(line, sizeof(line), "%.*s", (int)(end - warnings), warnings);
		if (json)
			fputs(before, to), json_string(to, line);
		else
			fprintf(to, "warning: %s\n", line);
	}
	fputs(json ? "]}\n" : "", to);
}
