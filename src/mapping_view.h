/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a data plane holds, read while packets flow: its mappings through shared memory, without a system call for each; its
 * sessions in batches; its counters and free ports. Nothing here takes a lock that a packet could wait for.
 */
#ifndef MAPPING_VIEW_H
#define MAPPING_VIEW_H

#include "datapath.h"
#include "report.h"

/* The mappings as they are at this moment. It outlives the data plane, if that is closed. */
struct mapping_view {
	char *slots; /* NULL: closed */
	size_t slot_size, address_size;
	uint32_t count;
	uint32_t now;  /* tick */
	uint32_t hold; /* ticks */
	int family;
	struct {
		__be32 addr[4];
		uint32_t generation;
	} externals[NAT_EXTERNALS_MAX];
};

/* Returns 0 or -errno. */
int mapping_view_open(struct mapping_view *view, const struct datapath *dp, int family);
void mapping_view_close(struct mapping_view *view);

/*
 * What is in this slot, with interface, remote and remote_port left alone; false: nothing that lives, or is held for the host
 * that had it: then entry is what was there last. *epoch counts the slot's mappings; may be NULL.
 */
bool mapping_view_get(const struct mapping_view *view, uint32_t slot, struct entry *entry, uint16_t *epoch);

/* Lets the mapping in the slot expire at once. What a packet on its way does to it at this moment may undo that. */
void mapping_view_end(struct mapping_view *view, uint32_t slot);

/* A pass through the TCP sessions, then the remotes. Zero it first. */
enum { SESSION_BATCH = 256 };

struct session_cursor {
	unsigned int map; /* which of the two is being read */
	bool is_begun, is_last;
	uint32_t batch;	    /* the kernel's */
	uint32_t count, at; /* of those below */
	struct session_key keys[SESSION_BATCH];
	struct remote values[SESSION_BATCH];
};

/* The next one that belongs to a mapping in the view. Returns 1, 0: there are no more, or -errno. */
int session_next(struct session_cursor *cursor, const struct datapath *dp, const struct mapping_view *view,
		 struct entry *entry);

/* Fills in what the maps tell: mappings, used, managed, memory, counters. Returns 0 or -errno. */
int plane_report_read(struct plane_report *report, struct datapath *dp, int family);

/* How many ports of each protocol are managed and taken: the cheap part of the above. */
void plane_ports_read(const struct datapath *dp, uint32_t managed[NAT_PROTOCOLS], uint32_t used[NAT_PROTOCOLS]);

#endif
