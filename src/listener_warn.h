/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The router's own listeners on ports that a static mapping gives to somebody else. */
#ifndef LISTENER_WARN_H
#define LISTENER_WARN_H

#include "config.h"
#include "netlink.h"

/*
 * Warns of each of the interface's static mappings, from number `first` on, that takes a port from a socket on every address
 * or on one of the interface's. `own`: where we shall listen ourselves, TCP, "127.0.0.1:9586"; "": nowhere.
 */
void listeners_warn(struct netlink *nl, const struct interface_config *interface, size_t first, const char *own);

#endif
