/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an internal host is told whose packet gets no mapping: the error that the data plane must make of it (RFC 5508 REQ-8),
 * from the packet as it was sent, summed up from nothing. Shares no code with the data plane.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "packet.h"
#include "nat.h"

/* Is it a reason to be told? */
bool refusal_is_told(enum nat_reason why);

/* Would the error hold less than the whole frame? */
bool refusal_cuts(const struct frame *refused);

/* The error about a packet. */
void refusal_build(struct frame *error, const struct frame *refused);

#endif
