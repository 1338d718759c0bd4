/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data plane of one external interface and one IP family: loads the programs, attaches them, tells them what the
 * daemon decides, and reads what they counted. The only file that includes the skeletons.
 *
 * Every function that returns int gives 0 or -errno, and has then said why in one line through log_error().
 */
#ifndef DATAPATH_H
#define DATAPATH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "nat.h"
#include "port_set.h"

struct datapath;
struct forward;

/* An address of either family, left-aligned: IPv4 is addr[0]. Network byte order. */
struct ip_prefix {
	__be32 addr[4];
	unsigned int length; /* bits */
};

static inline bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->length == b->length && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* What is an external's own, where there are several. */
struct external_config {
	struct port_set ports[NAT_PROTOCOLS];
	__be32 first[4], last[4]; /* the addresses that it may stand for; all zero: whichever there are */
};

struct datapath_config {
	int family; /* AF_INET or AF_INET6 */
	int ifindex;
	const char *ifname; /* for messages */
	bool has_l2;	    /* frames carry an Ethernet header; PPP, WireGuard and TUN devices have none */
	bool prefer_tcx;
	bool persist;				 /* the maps and programs outlive the process: see datapath_leave() */
	int log_level;				 /* 0 to 5: what reaches datapath_read_events() */
	struct port_set ports[NAT_PROTOCOLS];	 /* managed external ports; empty: the protocol is left alone */
	const struct external_config *externals; /* NULL: every external has the ports above */
	unsigned int externals_count;		 /* 1 to NAT_EXTERNALS_MAX */
	enum nat_pooling pooling;		 /* which of several an internal host gets */
	bool fib_source;			 /* the route chooses among several, where the kernel can tell */
	uint64_t timeout_ms[NAT_TIMEOUTS];	 /* datapath_config_init() sets the defaults */
	uint32_t max_sessions, max_fragments;	 /* entries of the two LRU maps */
	uint32_t max_remotes;			 /* with a filtering that is not endpoint-independent */
	uint32_t max_hosts;			 /* internal hosts that are counted, where there is a limit */
	uint32_t host_limit[NAT_PROTOCOLS];	 /* mappings per internal host; 0: no limit (RFC 6888 REQ-4) */
	uint32_t host_rate;			 /* mappings that one may make per second; 0: no limit (REQ-4c) */
	uint32_t designated_mark;		 /* of what goes to the designated server; 0: there is none */
	uint32_t inbound_mark;			 /* bits set in the mark of packets translated inwards */
	uint16_t mss_clamp;			 /* 0: none */
	enum nat_filtering filtering;		 /* RFC 4787 REQ-8 */
	bool refresh_inbound;			 /* RFC 4787 REQ-6a */
	const struct ip_prefix *internals;	 /* translate only these sources; count 0: every source */
	size_t internals_count;
	const struct ip_prefix *exempt_destinations;
	size_t exempt_destinations_count;
	const struct forward *forwards; /* static mappings; those of another family do not count */
	size_t forwards_count;
};

/* The defaults of everything but the interface: timeouts of the RFCs, no ports, no policy, TCX preferred. */
void datapath_config_init(struct datapath_config *config);

/*
 * Probes the kernel, loads and verifies. Nothing on the machine changes yet. config is not kept. With `persist` it takes
 * over the mappings that an earlier one has left, if they fit, or says why they do not.
 * -EPERM: no permission, -EOPNOTSUPP: the kernel lacks something (named in the message).
 */
int datapath_open(struct datapath **dp, const struct datapath_config *config);

/*
 * Opens one that is to take the place of `before`, which is attached, under another configuration: with its maps where the
 * ports are the same, else with maps of its own. Then it is to be told the addresses, and datapath_succeed() does the rest.
 */
int datapath_open_heir(struct datapath **heir, const struct datapath *before, const struct datapath_config *config);

/*
 * The heir takes over every live mapping whose external address and port it has, too, and then its programs the place of
 * those of `before`, each in one step; `before` is closed. A mapping that was made less than a pass over the slots before
 * may be lost, where the maps are others. Returns 0 or -errno: then `before` is as it was, and the heir to be closed.
 */
int datapath_succeed(struct datapath *before, struct datapath *heir);

/*
 * Attaches both programs, ingress first, by TCX or clsact; see attachment.h. -ENODEV, about which nothing is said: the
 * interface has gone meanwhile. A failure leaves nothing behind.
 */
int datapath_attach(struct datapath *dp);

/* Takes the programs off again, and the clsact qdisc if it was ours and nobody else uses it. NULL is fine. */
void datapath_detach(struct datapath *dp);

/*
 * Frees, but leaves maps and programs at work for the next one, if they were to persist and are attached; else as
 * datapath_close(). Without a daemon expired mappings are not swept, so free ports get scarce after a long time.
 */
void datapath_leave(struct datapath *dp);

/* Would datapath_leave() leave it at work? Not where its maps could not be pinned. */
bool datapath_is_kept(const struct datapath *dp);

/* The interface has gone, or has another name now: takes the programs off what is left of it, and else as datapath_leave(). */
void datapath_lose(struct datapath *dp);

/* The data plane's clock now, a count that wraps: see NAT_TICK_SHIFT. */
uint32_t datapath_ticks(void);

/* Has it the maps that an earlier one had left? */
bool datapath_is_heir(const struct datapath *dp);

/* The maps, or a copy of the mappings: then an earlier one was at work here. */
bool datapath_has_taken_over(const struct datapath *dp);

/* Another one for each that is opened, never 0. An address may come again. */
uint64_t datapath_serial(const struct datapath *dp);

/* Removes what is left, pinned, of a family on an interface that is not to be translated any more. 0 or -errno. */
int datapath_forget(const char *ifname, int family);

/* Detaches if need be, and frees. NULL is fine. */
void datapath_close(struct datapath *dp);

/*
 * Makes addr the external address number 0; all mappings of the previous one are dead with it. All zero: none, and
 * what would be translated is dropped. The same address again changes nothing. May wait for packets under way, some 20 ms.
 */
int datapath_set_external(struct datapath *dp, const __be32 addr[4]);

/* The same for external `number` of several. -EINVAL: there are not that many. */
int datapath_set_external_at(struct datapath *dp, unsigned int number, const __be32 addr[4]);

/* Other timeouts than those it was opened with, for whatever packet comes next. */
void datapath_set_timeouts(struct datapath *dp, const uint64_t timeout_ms[NAT_TIMEOUTS]);

/* What it was told last, or what was taken over. */
void datapath_get_external_at(const struct datapath *dp, unsigned int number, __be32 addr[4]);

/*
 * The interface's other addresses (full-length prefixes): what leaves from them is the router's own and passes. They
 * replace those of the last call.
 */
int datapath_set_own(struct datapath *dp, const struct ip_prefix *addrs, size_t count);

/* The interface of the designated server; 0: it is not there now. */
void datapath_set_designated(struct datapath *dp, int ifindex);

/* Frees the ports of mappings that have expired: to be called once a second. The packet path does not depend on it. */
int datapath_sweep(struct datapath *dp);

/* File descriptors for tests and benchmarks: a program, or the map of this name, or -ENOENT. */
int datapath_program_fd(const struct datapath *dp, enum nat_direction direction);
int datapath_map_fd(const struct datapath *dp, const char *name);

/* What it shares with the programs: for reading. Valid as long as the data plane. */
const struct nat_config *datapath_shared(const struct datapath *dp);

/* "tcx" or "clsact" once attached. */
const char *datapath_hook(const struct datapath *dp);

/*
 * Readable when fragments that came before their first wait to be taken, or to be sent on; datapath_read_fragments() does
 * both (RFC 4787 REQ-14). datapath_sweep() drops those that waited too long.
 */
int datapath_fragment_fd(const struct datapath *dp);
int datapath_read_fragments(struct datapath *dp);

/* Readable when events wait; -1 while log_level is 0. */
int datapath_event_fd(const struct datapath *dp);

/* Hands every waiting event to handle(). */
int datapath_read_events(struct datapath *dp, void (*handle)(const struct nat_event *event, void *arg), void *arg);

/* Sum over the CPUs. */
int datapath_read_counter(struct datapath *dp, enum nat_direction direction, enum nat_reason reason,
			  struct counter *counter);

#endif
