/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sends UDP packets of many flows through a testbed as fast as one CPU can, which forwards them, too; and counts. */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "testbed.h"

struct traffic_bpf;

struct generator {
	struct traffic_bpf *traffic;
	struct traffic_flow *flows; /* the map, in memory */
};

/* 0 or -errno. Close it in either case. */
int generator_open(struct generator *generator);
void generator_close(struct generator *generator);

/* Counts and takes away what reaches the host and the server of a testbed. 0 or -errno. */
int generator_attach(const struct generator *generator, const struct testbed *testbed);

/* A flow's endpoint in host byte order; the other one is the server, port 53. */
typedef void (*generator_endpoint)(unsigned int flow, uint32_t *addr, uint16_t *port);

/*
 * Prepares packets of so many flows from the host's side, or from the server to the external endpoints of the flows if
 * `inwards`; these have the ports of the internal ones, and `addr` is where a router that does not translate finds them.
 */
void generator_aim(struct generator *generator, const struct testbed *testbed, unsigned int flows,
		   generator_endpoint endpoint, bool inwards);

struct volley {
	unsigned long sent, received; /* packets: given to the cable, counted at the far end */
	double seconds;
};

/* Sends `count` packets. 0 or -errno. */
int generator_fire(struct generator *generator, const struct testbed *testbed, unsigned int count,
		   struct volley *volley);

/* Packets received so far, once no more come for a while. */
unsigned long generator_settle(const struct generator *generator);

#endif
