// SPDX-License-Identifier: GPL-2.0-or-later
/* A frame of `einat top`: bars of the ports in use, and the busiest hosts. Pure. */
#include <netinet/in.h>
#include <string.h>

#include "report.h"

enum { BAR_MAX = 50, REST_OF_LINE = 30 };

/* "  udp   1234 of  10000  12% ####................" */
static void bar_print(FILE *to, const struct plane_report *plane, unsigned int protocol, uint32_t columns)
{
	const uint64_t used = plane->used[protocol], managed = plane->managed[protocol];
	unsigned int width = columns > REST_OF_LINE ? columns - REST_OF_LINE : 0, full;
	char bar[BAR_MAX + 1];

	width = width > BAR_MAX ? BAR_MAX : width;
	full = managed ? (unsigned int)((used * width + managed - 1) / managed) : 0;
	memset(bar, '#', full);
	memset(bar + full, '.', width - full);
	bar[width] = '\0';
	fprintf(to, "  %-4s %6u of %6u %3u%% %s\n", report_protocols[protocol], plane->used[protocol],
		plane->managed[protocol], managed ? (unsigned int)(used * 100 / managed) : 0, bar);
}

static uint32_t planes_print(FILE *to, const struct report *report, uint32_t rows, uint32_t columns)
{
	char address[48];
	unsigned int n;
	size_t i;

	for (i = 0; i < report->count && rows > NAT_PROTOCOLS + 1; i++, rows -= NAT_PROTOCOLS + 1) {
		const struct plane_report *plane = &report->planes[i];

		address_format(plane->family, plane->externals[0], address);
		fprintf(to, "%s, IPv%d: %s%s\n", plane->interface, plane->family == AF_INET ? 4 : 6,
			plane->hook ? "" : "not translated ", plane->count ? address : "no external address");
		for (n = 0; n < NAT_PROTOCOLS; n++)
			bar_print(to, plane, n, columns);
	}
	return rows;
}

void report_top(FILE *to, const struct report *report, const struct hosts *hosts, uint32_t rows, uint32_t columns)
{
	const int families[] = { AF_INET, AF_INET6 };
	char address[48];
	size_t i;

	rows = rows ? rows : 24;
	columns = columns ? columns : 80;
	fprintf(to, "einat %s: %s\n", report->version,
		report->complaint ? "something is tried again: see einat status" : "mappings by host");
	rows = planes_print(to, report, rows - 1, columns);
	if (rows > 2)
		fputs("\n   PORTS      TCP      UDP     ICMP HOST\n", to);
	for (i = 0; i < hosts->count && i + 3 < rows; i++) {
		const struct host_count *host = &hosts->places[i];

		address_format(families[host->plane % 2], host->addr, address);
		fprintf(to, "%8u %8u %8u %8u %s\n", host->total, host->mappings[NAT_TCP], host->mappings[NAT_UDP],
			host->mappings[NAT_ICMP], address);
	}
}
