/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests as tables of steps:
 *
 *	{ "A opens a mapping",         LAN, UDP(A, 25000, S, 53),   WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
 *	{ "a stranger reaches A",      WAN, UDP(Z, 99, EXT, 25000), LAN, UDP(Z, 99, A, 25000), WHY_IN },
 *	{ "five minutes pass",         LATER(MINUTES(5)) },
 *	{ "the mapping has ended",     WAN, UDP(Z, 99, EXT, 25000), DROPPED, WHY_NO_MAPPING },
 *
 * A packet from LAN runs through the egress program of the external interface, one from WAN through the ingress program.
 * One from SERVER has come from the
 * designated server's interface to egress. One from ROUND does so with the mark that egress puts on what it turns round: a test run delivers nothing. What comes out
 * is compared with what the expected description gives, byte by byte.
 *
 * PORT(n) stands for a port that the data plane chooses: where it is first expected, it is whatever comes, if only it is
 * managed and none of the other PORTs of the protocol; from there on it is that number.
 */
#ifndef STEPS_H
#define STEPS_H

#include "packet.h"
#include "router.h"

/* Tables leave out what they do not need, and name what is not as usual. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Woverride-init"

#define MINUTES(n) ((n)*60000ull)
#define SECONDS(n) ((n)*1000ull)

enum place {
	LAN,
	WAN,
	SERVER, /* from: what the designated server sends, outwards. To: it is sent there */
	ONWARD_SERVER,
	ROUND,	    /* comes in where egress turned it round */
	WAN_TURNED, /* on its way out, turned round to come in again */
	ONWARD,	    /* as it came */
	ONWARD_TURNED,
	NOWHERE, /* dropped; where a mapping was refused, turned round as the error that tells the sender so */
	SILENCE, /* dropped in any case */
	CLOCK,
	ADDRESS,
	SWEEP,
	LISTEN,
	STATE,
};

/* What a mapping must be like. */
struct mapping_expected {
	enum nat_protocol protocol;
	uint32_t external_port;
	uint32_t internal_addr; /* 0: there is no live mapping */
	uint32_t internal_port;
	int sessions;	   /* TCP */
	uint64_t lasts_ms; /* 0: any */
};

struct step {
	const char *sentence;
	enum place from;
	struct packet packet;
	enum place to;
	struct packet expected;
	enum nat_reason why;
	uint64_t value; /* CLOCK: ms, ADDRESS: the address, LISTEN: the port */
	struct mapping_expected mapping;
};

#define DROPPED  \
	NOWHERE, \
	{        \
	}
/* Refused, and nobody is told. */
#define SILENTLY \
	SILENCE, \
	{        \
	}
#define PASSED  \
	ONWARD, \
	{       \
	}
#define PASSED_SERVER  \
	ONWARD_SERVER, \
	{              \
	}
#define PASSED_TURNED  \
	ONWARD_TURNED, \
	{              \
	}
#define TURNED	  WAN_TURNED
#define LATER(ms) .from = CLOCK, .value = (ms)
/* What lasts that long has ended, with all that the data plane adds for counting in ticks and writing once a second. */
#define OVER(ms)	LATER((ms) + 1500)
#define NEW_ADDRESS(to) .from = ADDRESS, .value = (to)
#define SWEPT		.from = SWEEP
/* The router opens a socket of its own. */
#define LISTENS(kind, at, port) \
	.from = LISTEN, .value = (port), .mapping = { .protocol = (kind), .internal_addr = (at) }
/* The external port is this internal endpoint's; more fields may follow. */
#define MAPPED(kind, external, host, internal, ...)              \
	.from = STATE, .mapping = { .protocol = (kind),          \
				    .external_port = (external), \
				    .internal_addr = (host),     \
				    .internal_port = (internal), \
				    __VA_ARGS__ }
#define UNMAPPED(kind, external) .from = STATE, .mapping = { .protocol = (kind), .external_port = (external) }

struct test {
	const char *name;
	const struct setup *setup; /* neighbours with the same one share a router */
	const struct step *steps;
	size_t count;
	void (*run)(struct router *router); /* in place of steps */
	bool needs_from; /* a kernel that lets a test say where a packet has come in (5.11 or so), else skipped */
	bool only_ipv4, only_ipv6; /* neither: it runs for each, and the second time has _ipv6 behind its name */
};

extern const struct setup usual;

#define STEPS(title, table, ...)                                                                                 \
	{                                                                                                        \
		.name = (title), .setup = &usual, .steps = (table), .count = sizeof(table) / sizeof((table)[0]), \
		__VA_ARGS__                                                                                      \
	}
/* Code is taken for code that knows the bytes of IPv4, if it does not say .only_ipv4 = false. */
#define CODE(title, function, ...)                                                                  \
	{                                                                                           \
		.name = (title), .setup = &usual, .run = (function), .only_ipv4 = true, __VA_ARGS__ \
	}

void steps_run(struct router *router, const struct step *steps, size_t count);

/* One step: for tests that make them in a loop. */
void step_run(struct router *router, const struct step *step);

/* What PORT(n) is; and they all become open again. */
unsigned int port_chosen(unsigned int n);
void ports_forget(void);

/* Runs the tests whose names match one of the arguments (shell patterns), or all. TAP. For return from main(). */
int tests_main(const struct test *tests, size_t count, int argc, char **argv);

#endif
