/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static mappings as the configuration has them: an external port, or a range of ports, that is always the same internal
 * endpoint's ([[interfaces.forwards]], --forward). Reading, comparing and printing one. Pure.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath.h"
#include "port_set.h"

enum {
	FORWARD_PROTOCOLS = NAT_UDP + 1, /* TCP and UDP: what has ports */
	FORWARDS_MAX = 1024,		 /* of one interface */
	FORWARD_TEXT = 128,
};

struct forward {
	bool protocols[FORWARD_PROTOCOLS]; /* by NAT_TCP and NAT_UDP */
	struct port_range external;
	uint16_t internal_port; /* of the first external port; each next one has the next */
	int family;		/* AF_INET or AF_INET6: of the internal address, and of the remotes */
	__be32 internal_addr[4];
	__be32 external_addr[4];      /* as it is written; all zero: it is not */
	unsigned int external_number; /* whose ports these are, of several externals: 0 if nothing is written */
	struct ip_prefix *remotes;    /* nobody else may use it; none: anybody may. To be freed. */
	size_t remotes_count;
	unsigned int line; /* of the configuration file; 0: it is from the command line */
	bool is_added;	   /* at run time (forwards.h), and neither from a file nor from the command line */
};

/* A word of the command line, "tcp:8000=192.168.1.2:80". -EINVAL with *why. */
int forward_parse(struct forward *forward, const char *text, const char **why);

/* "8000" or "8000-8010". -EINVAL with *why. */
int forward_parse_ports(struct port_range *ports, const char *text, const char **why);

/* What is wrong with it by itself, or NULL. */
const char *forward_check(const struct forward *forward);

/*
 * Do two of them want the same external port, or the same internal endpoint? Then `what` says it: "external port tcp 8000",
 * "internal endpoint tcp 192.168.1.2:80".
 */
bool forward_conflicts(const struct forward *forward, const struct forward *other, char *what, size_t size);

/* Is it said which one's, of several external addresses? */
bool forward_has_external(const struct forward *forward);

/*
 * As the command line has it: "tcp:8000=192.168.1.2:80", "tcp,udp:8000-8010=[2001:db8::2]:9000"; with an external address,
 * which that cannot say, " at 203.0.113.2" behind it.
 */
void forward_format(const struct forward *forward, char *text, size_t size);

/* Adds its external ports, if it has this protocol. Returns 0 or -ENOMEM. */
int forward_add_ports(const struct forward *forward, enum nat_protocol protocol, struct port_set *ports);

/*
 * How the data plane knows who may use the n-th forward of a family: its set of remotes, from 1; 0: anybody may.
 */
uint16_t forward_remote_set(const struct forward *forward, size_t n);

#endif
