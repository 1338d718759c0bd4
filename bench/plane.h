/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A data plane that is loaded as the daemon loads it, but attached nowhere: BPF_PROG_TEST_RUN brings its packets. */
#ifndef PLANE_H
#define PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath.h"
#include "frame.h"

struct plane {
	struct datapath *dp;
	int family;
	char *slots; /* the map, in memory */
	size_t slots_size, slot_size;
	uint32_t slot_count;
};

/* What einat manages unless it is told otherwise, in the form that port sets are made of. */
extern const struct port_range plane_default_ports[NAT_PROTOCOLS];

/* The external address of every plane, as text. */
const char *plane_external(int family);

/* ports: one range for each protocol; { 0, 0 } for none. 0 or -errno, and then datapath_open() has said why. */
int plane_open(struct plane *plane, int family, const struct port_range ports[NAT_PROTOCOLS]);
void plane_close(struct plane *plane);

struct mapping *plane_slot(const struct plane *plane, uint32_t slot);

/* The first slot of a protocol. */
uint32_t plane_first_slot(const struct plane *plane, enum nat_protocol protocol);

struct verdict {
	int action;	 /* TC_ACT_*, or -errno if the program could not be run */
	uint32_t run_ns; /* what the kernel says that the run took */
};

/* Runs a program once on the frame; what it makes of the frame goes to *result, unless that is NULL. */
struct verdict program_run(int fd, const struct frame *frame, struct frame *result);

#endif
