/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports on which the machine itself waits for anybody, as /proc has them. */
#ifndef LISTENERS_H
#define LISTENERS_H

#include <stdbool.h>
#include <stdint.h>

#include "nat.h"

/*
 * Calls seen() for each socket of the protocol, TCP or UDP, that waits for anybody, but on loopback; a port may come more
 * than once. is_any: it does so on every address.
 */
void listeners_read(enum nat_protocol protocol, void (*seen)(uint16_t port, bool is_any, void *arg), void *arg);

#endif
