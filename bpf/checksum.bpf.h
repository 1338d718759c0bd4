/* SPDX-License-Identifier: GPL-2.0-only */
/* Incremental update of a checksum that is part of the packet's own data, and so not the kernel's business. */
#ifndef CHECKSUM_BPF_H
#define CHECKSUM_BPF_H

#include <stdbool.h>

/*
 * A sum in 16 bits. The product's highest 16 are the sum of all words and of what the same sum, just below, carries: the
 * end-around carry. Right for any sum of less than 48 bits; 0 for 0 alone, otherwise zero is 0xffff.
 */
static __always_inline __u16 checksum_fold(__u64 sum)
{
	return sum * 0x0001000100010001ULL >> 48;
}

/* RFC 1624 [eq. 3] for the change of a 32-bit word, both sides in network byte order. */
static __always_inline __u16 checksum_replace(__u16 check, __be32 from, __be32 to)
{
	return ~checksum_fold((__u64)(__u16)~check + (__u32)~from + to);
}

/* Is a sum over something that has its own checksum in it as it should be? */
static __always_inline bool checksum_is_right(__u32 sum)
{
	return checksum_fold(sum) == 0xffff;
}

#endif
