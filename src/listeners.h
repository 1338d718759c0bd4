/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports on which the machine itself waits for anybody, as /proc has them. */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "nat.h"

struct listener {
	int family; /* AF_INET; AF_INET6, which may be reached by IPv4, too */
	__be32 addr[4];
	uint16_t port;
};

/* Calls seen() for each socket of the protocol, TCP or UDP, that waits for anybody, but on loopback. */
void listeners_read(enum nat_protocol protocol, void (*seen)(const struct listener *listener, void *arg), void *arg);

/* Is it on every address of its family? */
bool listener_is_any(const struct listener *listener);

/* One on every IPv6 address: is it reached by IPv4, too? No if that cannot be told. */
bool listener_has_ipv4(const struct listener *listener, enum nat_protocol protocol);

#endif
