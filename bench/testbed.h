/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A router between a host and a server, each in a network namespace without a name:
 *
 *	host		router			  server
 *	eth0 ---------- lan   wan --------------- eth0
 *	192.168.1.100	.0.1  203.0.113.2	  203.0.113.1, and 198.51.100.1 as an address of its own
 *	 /16
 *
 * The router's ends of the cables receive with GRO, as network cards do (and so take frames from an XDP program). The router
 * forwards, and nothing else unless it is told to translate.
 */
#ifndef TESTBED_H
#define TESTBED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TESTBED_HOST	 "192.168.1.100"
#define TESTBED_EXTERNAL "203.0.113.2"
#define TESTBED_SERVER	 "198.51.100.1"

enum place { HOST, ROUTER, SERVER, PLACES };

enum router_kind { ROUTER_PLAIN, ROUTER_MASQUERADE, ROUTER_EINAT, ROUTER_KINDS };

extern const char *const router_names[ROUTER_KINDS];

struct testbed {
	enum router_kind kind;
	int ns[PLACES];
	int ifindex[PLACES]; /* of eth0; of the router's wan */
	pid_t daemon;	     /* einat */
	char why[160];	     /* what failed, after a failure */
};

/*
 * einat: path of the program, for ROUTER_EINAT; ports: what to say behind --ports, or NULL. 0, or -1 and `why`. Close it
 * in either case.
 */
int testbed_open(struct testbed *testbed, enum router_kind kind, const char *einat, const char *ports);
void testbed_close(struct testbed *testbed);

/* Makes the thread one of that place; testbed_leave() takes it back to where the program was started. */
void testbed_enter(const struct testbed *testbed, enum place place);
void testbed_leave(void);

/* The received packets of the router's lan, a figure of the kernel's. */
unsigned long testbed_received(const struct testbed *testbed);

#endif
