/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the generator's BPF program and the bench share. */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <linux/types.h>

#define TRAFFIC_FLOWS_MAX 16384
#define TRAFFIC_FRAME	  60 /* the shortest on Ethernet, without its check sequence */

/* What makes a frame one of its flow: the endpoint that differs, and the checksums that go with it. */
struct traffic_flow {
	__be32 addr;
	__be16 port;
	__be16 ip_check;
	__be16 udp_check;
	__be16 pad[3]; /* the elements of an array in memory are multiples of 8 bytes */
};

struct traffic {
	__u8 frame[TRAFFIC_FRAME]; /* Ethernet, IPv4 without options, UDP */
	__u32 ifindex;		   /* where it leaves */
	__u32 flows;		   /* how many of the flows take part, in turn */
	__u32 next;
	__u32 inwards; /* the flows differ in their destination, not in their source */
};

#endif
