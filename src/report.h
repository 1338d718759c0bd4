/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon says of itself: every answer as JSON, and as a table that fits in 80 columns; the metrics as Prometheus'
 * text. Pure: facts in, text out. docs/control.md has every key.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "control_request.h"
#include "hosts.h"
#include "nat.h"

/* One interface and family that is to be translated. */
struct plane_report {
	const char *interface;
	int family;	    /* AF_INET or AF_INET6 */
	bool is_present;    /* the interface is there */
	const char *hook;   /* "tcx" or "clsact"; NULL: not attached */
	unsigned int count; /* of externals that have an address */
	__be32 externals[NAT_EXTERNALS_MAX][4];
	uint32_t mappings[NAT_PROTOCOLS]; /* alive */
	uint32_t used[NAT_PROTOCOLS];	  /* ports: with those that nobody else may have yet */
	uint32_t managed[NAT_PROTOCOLS];
	uint32_t peak[NAT_PROTOCOLS]; /* of used, since the daemon started */
	uint32_t host_limit[NAT_PROTOCOLS];
	uint64_t memory; /* bytes of the maps; 0: unknown */
	struct counter counters[NAT_DIRECTIONS][NAT_REASON_COUNT];
};

struct report {
	const char *version;
	uint64_t uptime;       /* seconds */
	uint64_t memory;       /* bytes that are resident of the process; 0: unknown */
	const char *complaint; /* why the daemon is trying something again, or NULL */
	struct plane_report *planes;
	size_t count;
};

/* A mapping, or one of its TCP sessions or remotes. Ports in host order. */
struct entry {
	const char *interface;
	int family;
	unsigned int protocol; /* enum nat_protocol */
	__be32 internal[4], external[4], remote[4];
	uint16_t internal_port, external_port, remote_port;
	uint32_t expires;  /* seconds */
	uint32_t sessions; /* TCP, established */
	bool is_static;	   /* without end */
	bool is_live;	   /* and not held for the host that had it */
	const char *state; /* a mapping's: live, held, static; a session's: opening, open, closing, reset, or remote */
};

/* The rows of a list: what was printed so far decides about commas and headings. */
struct list {
	FILE *to;
	bool json;
	bool is_begun, has_rows;
	const char *interface; /* of the last row; and its external */
	__be32 external[4];
};

extern const char *const report_protocols[NAT_PROTOCOLS];

void report_status(FILE *to, const struct report *report, bool json);
void report_counters(FILE *to, const struct report *report, bool json);
void report_metrics(FILE *to, const struct report *report);

/* The beginning of a list, its rows, its end. `name` is its key in JSON. */
void list_begin(struct list *list, const char *name);
void list_mapping(struct list *list, const struct entry *entry);
void list_session(struct list *list, const struct entry *entry);
void list_host(struct list *list, const struct plane_report *plane, const struct host_count *host);
void list_end(struct list *list, const char *empty);

/* What watch says: a mapping was made or has ended; packets were dropped. One line each. */
void report_event(FILE *to, const struct entry *entry, const char *event, bool json);
void report_drops(FILE *to, const struct plane_report *plane, unsigned int direction, unsigned int reason,
		  uint64_t packets, bool json);

/* The static mappings of an interface, as rows of a list, each with where it is from. `file` is that of their lines. */
void list_forwards(struct list *list, const struct interface_config *interface, const char *file);

/* What was changed: its line, or a member of this name; then the warnings, one a line of `warnings`. */
void report_change(FILE *to, const char *member, const char *value, const char *text, const char *warnings, bool json);

/* A frame of `einat top`, at most rows lines of columns characters. */
void report_top(FILE *to, const struct report *report, const struct hosts *hosts, uint32_t rows, uint32_t columns);

/* "203.0.113.2" */
void address_format(int family, const __be32 addr[4], char text[48]);

#endif
