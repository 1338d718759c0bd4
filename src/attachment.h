/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the two programs of one interface and family hang on it: by TCX, which the kernel takes off with its process, or on a
 * clsact qdisc, where a killed daemon leaves them. The kernel itself remembers what is ours there: a filter of ours has our
 * handle, priority and program's name, and its handle says whether the qdisc is ours, too. So it stays known as long as
 * there is something to know, through any crash, and no longer.
 *
 *	handle	0x0e1a4, 0x0e1a6	IPv4's, IPv6's filters on a qdisc that was there before
 *		0x1e1a4, 0x1e1a6	on one that we made: who removes the last filter removes it
 */
#ifndef ATTACHMENT_H
#define ATTACHMENT_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "nat.h"

struct attachment {
	const char *ifname; /* for messages */
	int ifindex;
	int family; /* AF_INET or AF_INET6 */
	struct bpf_program *programs[NAT_DIRECTIONS];
	struct bpf_link *links[NAT_DIRECTIONS]; /* by TCX */
	uint32_t handles[NAT_DIRECTIONS];	/* by clsact; 0: not */
	bool owns_qdisc;
	bool by_tcx;	   /* that is how they are attached, or were until somebody took them off */
	bool is_repairing; /* it has been said that what was taken off cannot be put back */
	const char *pins;  /* where links are pinned (pins.h), or may be from before; NULL: nowhere */
	bool keep;	   /* pin them */
};

/*
 * Attaches both, inwards first, and takes away what a killed daemon has left of this family's: the caller has claimed the
 * interface (instance.h). Where programs of an earlier one hang on the interface, ours take their place in one step each: no
 * packet meets both, or none. Returns 0 or -errno, and has then said why, but for -ENODEV: the interface has gone. A
 * failure leaves neither behind, nor a qdisc of ours.
 */
int attachment_make(struct attachment *attachment, bool prefer_tcx);

/* Puts programs back that somebody has taken off; asks the kernel for each, so to be called once a second at most. */
void attachment_keep(struct attachment *attachment);

/* Takes both off, and the qdisc if it is ours and nobody else uses it. Nothing attached is fine. */
void attachment_remove(struct attachment *attachment);

/* Lets go of both, which stay where they are: on clsact, or by links that are pinned. */
void attachment_leave(struct attachment *attachment);

/* Moves both to an heir, whose programs take the place of ours. Returns 0 or -errno: then all is as before. */
int attachment_bequeath(struct attachment *attachment, struct attachment *heir);

/* "tcx" or "clsact". */
const char *attachment_hook(const struct attachment *attachment);

/*
 * Takes away what a killed daemon has left of a family that this one does not translate. Returns 0 or -errno. removed: the
 * number of filters is added to it; may be NULL.
 */
int attachment_clean(int ifindex, int family, unsigned int *removed);

#endif
