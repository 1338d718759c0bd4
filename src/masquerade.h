/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes over from a masquerade rule: keeps it off what we translate, for as long as this process lives. The table that does
 * it belongs to a netlink socket, and the kernel removes it when the socket closes, however that happens: then the
 * masquerade rule serves again, by itself.
 *
 * Connections that exist already keep the translation that they began with, until they end.
 */
#ifndef MASQUERADE_H
#define MASQUERADE_H

#include "nft_batch.h"

struct masquerade;

/*
 * Takes over, or with a *masquerade that is at work changes what for, in one step. Returns 0 or -errno, has then said why, and
 * has changed nothing. -EOPNOTSUPP: the kernel has no tables with an owner (5.12), or no NAT in nftables.
 */
int masquerade_take_over(struct masquerade **masquerade, const struct masquerade_config *config);

/* Gives it back to the rules that are there. NULL is fine. */
void masquerade_close(struct masquerade *masquerade);

#endif
