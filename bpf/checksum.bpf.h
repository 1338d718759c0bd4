/* SPDX-License-Identifier: GPL-2.0-only */
/* Incremental update of a checksum that is part of the packet's own data, and so not the kernel's business. */
#ifndef CHECKSUM_BPF_H
#define CHECKSUM_BPF_H

#include <stdbool.h>

/* RFC 1624 [eq. 3] for the change of a 32-bit word, both sides in network byte order. */
static __always_inline __u16 checksum_replace(__u16 check, __be32 from, __be32 to)
{
	__u64 sum = (__u16)~check;

	sum += (__u32)~from;
	sum += to;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* A sum of 32 bits in 16. */
static __always_inline __u16 checksum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* Is a sum over something that has its own checksum in it as it should be? */
static __always_inline bool checksum_is_right(__u32 sum)
{
	return checksum_fold(sum) == 0xffff;
}

#endif
