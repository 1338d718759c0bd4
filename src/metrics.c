// SPDX-License-Identifier: GPL-2.0-or-later
/* The metrics of Prometheus' text format 0.0.4: one family of them after another, each with all its interfaces. Pure. */
#include <inttypes.h>
#include <netinet/in.h>

#include "json.h"
#include "reason.h"
#include "report.h"

static void head_print(FILE *to, const char *name, const char *help)
{
	const char *end = name;

	while (*end)
		end++;
	fprintf(to, "# HELP einat_%s %s\n# TYPE einat_%s %s\n", name, help, name,
		end[-1] == 'l' && end[-2] == 'a' ? "counter" : "gauge"); /* _total */
}

/* einat_NAME{interface="wan",family="ipv4" */
static void sample_begin(FILE *to, const char *name, const struct plane_report *plane)
{
	fprintf(to, "einat_%s{interface=", name);
	json_string(to, plane->interface); /* the same escapes */
	fprintf(to, ",family=\"%s\"", plane->family == AF_INET ? "ipv4" : "ipv6");
}

static void whole_print(FILE *to, const char *name, const char *help, uint64_t value)
{
	head_print(to, name, help);
	fprintf(to, "einat_%s %" PRIu64 "\n", name, value);
}

static void planes_print(FILE *to, const struct report *report)
{
	size_t i;

	head_print(to, "attached", "Whether the family is translated on the interface.");
	for (i = 0; i < report->count; i++) {
		sample_begin(to, "attached", &report->planes[i]);
		fprintf(to, "} %d\n", report->planes[i].hook ? 1 : 0);
	}
	head_print(to, "map_memory_bytes", "Memory of the maps, fixed at the start.");
	for (i = 0; i < report->count; i++) {
		sample_begin(to, "map_memory_bytes", &report->planes[i]);
		fprintf(to, "} %" PRIu64 "\n", report->planes[i].memory);
	}
}

static void protocols_print(FILE *to, const struct report *report)
{
	static const struct {
		const char *name, *help;
	} heads[] = {
		{ "mappings", "Mappings that are alive." },
		{ "ports_used", "External ports that are taken, or held for who had them." },
		{ "ports_used_peak", "The most of them since the daemon started." },
		{ "ports_managed", "External ports that there are." },
	};
	size_t n, i, protocol;

	for (n = 0; n < sizeof(heads) / sizeof(*heads); n++) {
		head_print(to, heads[n].name, heads[n].help);
		for (i = 0; i < report->count * NAT_PROTOCOLS; i++) {
			const struct plane_report *plane = &report->planes[i / NAT_PROTOCOLS];
			const uint32_t *const values[] = { plane->mappings, plane->used, plane->peak, plane->managed };

			protocol = i % NAT_PROTOCOLS;
			sample_begin(to, heads[n].name, plane);
			fprintf(to, ",protocol=\"%s\"} %u\n", report_protocols[protocol], values[n][protocol]);
		}
	}
}

static void counters_print(FILE *to, const struct report *report, const char *name, const char *help, bool is_bytes)
{
	unsigned int n, direction, reason;
	char text[REASON_NAME];
	size_t i;

	head_print(to, name, help);
	for (i = 0; i < report->count; i++)
		for (n = 0; n < NAT_DIRECTIONS * NAT_REASON_COUNT; n++) {
			const struct counter *counter;

			direction = n / NAT_REASON_COUNT;
			reason = n % NAT_REASON_COUNT;
			counter = &report->planes[i].counters[direction][reason];
			reason_name(reason, text);
			sample_begin(to, name, &report->planes[i]);
			fprintf(to, ",direction=\"%s\",verdict=\"%s\",reason=\"%s\"} %" PRIu64 "\n",
				direction == NAT_EGRESS ? "out" : "in", reason_verdict_names[reason_verdict(reason)],
				text, (uint64_t)(is_bytes ? counter->bytes : counter->packets));
		}
}

void report_metrics(FILE *to, const struct report *report)
{
	head_print(to, "info", "Its version.");
	fprintf(to, "einat_info{version=\"%s\"} 1\n", report->version);
	whole_print(to, "uptime_seconds", "How long the daemon has been at work.", report->uptime);
	whole_print(to, "memory_bytes", "Resident memory of the daemon.", report->memory);
	whole_print(to, "failing", "Whether it tries something again that has failed.", report->complaint ? 1 : 0);
	planes_print(to, report);
	protocols_print(to, report);
	counters_print(to, report, "packets_total", "Packets, by what became of them.", false);
	counters_print(to, report, "bytes_total", "The same in bytes.", true);
}
