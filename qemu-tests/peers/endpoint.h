/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An endpoint is an IPv4 or IPv6 address and a port, written 192.0.2.1:80 or
 * [2001:db8::1]:80, or with its link [fe80::1%wan]:80, which is not printed
 * again. No names: the test machines have no resolver.
 */
#ifndef PEERS_ENDPOINT_H
#define PEERS_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

union endpoint {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

#define ENDPOINT_TEXT_SIZE 64

/* A decimal number from 0 to max, nothing after it; 0 or -EINVAL. */
int number_parse(const char *text, long max, long *number);

/* Both return 0 or -EINVAL. endpoint_parse_address takes a bare address. */
int endpoint_parse(const char *text, union endpoint *endpoint);
int endpoint_parse_address(const char *text, uint16_t port, union endpoint *endpoint);

/* Writes into text, which holds ENDPOINT_TEXT_SIZE bytes, and returns it. */
const char *endpoint_format(const union endpoint *endpoint, char *text);

socklen_t endpoint_length(const union endpoint *endpoint);
uint16_t endpoint_port(const union endpoint *endpoint);
void endpoint_set_port(union endpoint *endpoint, uint16_t port);
bool endpoint_same_address(const union endpoint *a, const union endpoint *b);
bool endpoint_equals(const union endpoint *a, const union endpoint *b);

/*
 * A non-blocking socket of type SOCK_DGRAM or SOCK_STREAM bound to local, with
 * SO_REUSEADDR and SO_REUSEPORT so that a listener and several connections can
 * share the local port. Returns the descriptor or -errno.
 */
int endpoint_socket(int type, const union endpoint *local);

#endif
