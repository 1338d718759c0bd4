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

#include "config.h"

struct masquerade;

/*
 * Takes over while `wanted` and gives back when not; called again with another configuration it changes what for, in one
 * step. Says in one line why it cannot, and then leaves it at that: the NAT works without, as the rules let it.
 */
void masquerade_follow(struct masquerade **masquerade, const struct interface_config *config, bool wanted);

/* The configuration has changed: the next masquerade_follow() looks at it anew. NULL is fine. */
void masquerade_reconfigure(struct masquerade *masquerade);

/* Gives it back to the rules that are there. NULL is fine. */
void masquerade_close(struct masquerade *masquerade);

#endif
