/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data plane's events as text, for --bpf-log. */
#ifndef EVENT_H
#define EVENT_H

#include <stddef.h>

#include "nat.h"

/*
 * "out: dropped: no free external port: udp 192.168.1.100:25000 to 198.51.100.1:53", or "mapping made: udp
 * 192.168.1.100:25000, external port 25000". family: AF_INET or AF_INET6.
 */
void event_format(const struct nat_event *event, int family, char *text, size_t size);

#endif
