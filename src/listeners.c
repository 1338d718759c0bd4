// SPDX-License-Identifier: GPL-2.0-or-later
/* See listeners.h. */
#include "listeners.h"

#include <stdio.h>
#include <string.h>

/* 127.0.0.1 in this machine's byte order, ::1 in either. */
static bool is_loopback(const char *address)
{
	static const char *const known[] = { "0100007F", "7F000001", "00000000000000000000000001000000",
					     "00000000000000000000000000000001" };
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(address, known[i]))
			return true;
	return false;
}

static void table_read(const char *path, unsigned int waits, void (*seen)(uint16_t port, bool is_any, void *arg),
		       void *arg)
{
	char line[256], address[40];
	unsigned int port, state;
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %*u: %39[0-9A-Fa-f]:%x %*s %x", address, &port, &state) != 3 || state != waits)
			continue;
		if (!is_loopback(address))
			seen((uint16_t)port, strspn(address, "0") == strlen(address), arg);
	}
	if (file)
		fclose(file);
}

void listeners_read(enum nat_protocol protocol, void (*seen)(uint16_t port, bool is_any, void *arg), void *arg)
{
	enum { LISTENS = 0x0a, IS_NOT_CONNECTED = 0x07 };

	if (protocol == NAT_TCP) {
		table_read("/proc/net/tcp", LISTENS, seen, arg);
		table_read("/proc/net/tcp6", LISTENS, seen, arg);
	} else {
		table_read("/proc/net/udp", IS_NOT_CONNECTED, seen, arg);
		table_read("/proc/net/udp6", IS_NOT_CONNECTED, seen, arg);
	}
}
