/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STUN messages (RFC 8489) as far as NAT behaviour discovery (RFC 5780) needs
 * them: Binding requests and responses, no authentication.
 */
#ifndef PEERS_STUN_H
#define PEERS_STUN_H

#include "endpoint.h"

#include <stddef.h>
#include <stdint.h>

#define STUN_HEADER_SIZE      20
#define STUN_MESSAGE_SIZE     548 /* RFC 8489 6.1: fits any IPv4 path */
#define STUN_TRANSACTION_SIZE 12

enum stun_type {
	STUN_BINDING_REQUEST = 0x0001,
	STUN_BINDING_RESPONSE = 0x0101,
	STUN_BINDING_ERROR = 0x0111,
};

/* CHANGE-REQUEST's flags, RFC 5780 7.2 */
enum { STUN_CHANGE_PORT = 0x02, STUN_CHANGE_ADDRESS = 0x04 };

/* ERROR-CODE */
enum {
	STUN_UNKNOWN_ATTRIBUTE = 420,
	STUN_CONNECTION_FAILED = 447, /* RFC 6062 6.3 */
	STUN_SERVER_ERROR = 500,
};

/* An absent endpoint's family is AF_UNSPEC; an absent number is 0. */
struct stun_message {
	enum stun_type type;
	uint8_t transaction[STUN_TRANSACTION_SIZE];
	uint32_t change;
	union endpoint mapped;
	union endpoint origin; /* RESPONSE-ORIGIN */
	union endpoint other;  /* OTHER-ADDRESS */
	int error;
	uint16_t unknown_attribute; /* the first that must be understood */
};

/* A fresh request with a random transaction. */
void stun_request(struct stun_message *message, uint32_t change);

/* The message's bytes; buffer holds STUN_MESSAGE_SIZE. */
size_t stun_encode(const struct stun_message *message, uint8_t *buffer);

/*
 * How long the message that begins with these STUN_HEADER_SIZE bytes is, header
 * included. 0: this is not STUN, or longer than STUN_MESSAGE_SIZE.
 */
size_t stun_size(const uint8_t *header);

/* Exactly one message of size bytes; 0 or -EBADMSG. */
int stun_decode(const uint8_t *buffer, size_t size, struct stun_message *message);

#endif
