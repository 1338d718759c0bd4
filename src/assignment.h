/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of assignments: which internal endpoint had which external one, from when to when. RFC 6888 REQ-12: it says nothing
 * of remotes. What is known of each slot is compared, once a second, with what is there. Pure: entries in, lines out.
 */
#ifndef ASSIGNMENT_H
#define ASSIGNMENT_H

#include "report.h"

/* What a slot held when it was looked at last. All zero: nothing. */
struct assignment {
	__be32 internal[4], external[4];
	uint32_t since; /* UTC, seconds; 0: it does not live */
	uint16_t internal_port, external_port;
	uint16_t epoch;
	uint8_t protocol;
	bool is_known; /* it has been looked at */
};

/* Where lines go, and how many more may this second. */
struct assignment_log {
	const char *interface;
	int family;
	uint32_t now; /* UTC, seconds */
	uint32_t budget;
	unsigned int lost; /* that there was no budget for, or that came and went unseen */
	void (*say)(const char *line, void *arg);
	void *arg;
};

/* The slot holds this now; `epoch` counts what it held. Says what has ended and begun. Static mappings are no assignments. */
void assignment_follow(struct assignment *known, const struct entry *entry, uint16_t epoch, struct assignment_log *log);

/* Other slots took the place of these: what has the same external endpoint is the same; what is not found has ended. */
void assignments_carry(struct assignment *before, size_t before_count, struct assignment *after, size_t after_count,
		       struct assignment_log *log);

#endif
