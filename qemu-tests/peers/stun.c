// SPDX-License-Identifier: GPL-2.0-or-later
/* Encodes and decodes the STUN messages of behaviour discovery. */
#include "stun.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#define COOKIE 0x2112a442u

enum attribute {
	MAPPED_ADDRESS = 0x0001,
	CHANGE_REQUEST = 0x0003,
	ERROR_CODE = 0x0009,
	UNKNOWN_ATTRIBUTES = 0x000a,
	XOR_MAPPED_ADDRESS = 0x0020,
	OPTIONAL = 0x8000, /* from here on, ignored if unknown */
	RESPONSE_ORIGIN = 0x802b,
	OTHER_ADDRESS = 0x802c,
};

enum { FAMILY_IPV4 = 1, FAMILY_IPV6 = 2 };

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* Appends an attribute and returns where its value goes, padded with zeros. */
static uint8_t *attribute_append(uint8_t *buffer, size_t *size, enum attribute type, size_t length)
{
	uint8_t *at = buffer + *size;
	const size_t padded = (length + 3) & ~(size_t)3;

	put16(at, type);
	put16(at + 2, length);
	memset(at + 4, 0, padded);
	*size += 4 + padded;
	return at + 4;
}

/*
 * Makes an XOR-MAPPED-ADDRESS' value of a MAPPED-ADDRESS' and back. Port and
 * address are masked with the header's bytes from the magic cookie on.
 */
static void value_xor(uint8_t *value, size_t length, const uint8_t *buffer)
{
	for (size_t i = 2; i < length; i++)
		value[i] ^= i < 4 ? buffer[4 + i - 2] : buffer[4 + i - 4];
}

static void endpoint_append(uint8_t *buffer, size_t *size, enum attribute type, const union endpoint *endpoint)
{
	const bool is_ipv6 = endpoint->sa.sa_family == AF_INET6;
	const size_t length = is_ipv6 ? 20 : 8;
	uint8_t *value;

	if (endpoint->sa.sa_family == AF_UNSPEC)
		return;
	value = attribute_append(buffer, size, type, length);
	value[1] = is_ipv6 ? FAMILY_IPV6 : FAMILY_IPV4;
	put16(value + 2, endpoint_port(endpoint));
	if (is_ipv6)
		memcpy(value + 4, &endpoint->in6.sin6_addr, 16);
	else
		memcpy(value + 4, &endpoint->in.sin_addr, 4);
	if (type == XOR_MAPPED_ADDRESS)
		value_xor(value, length, buffer);
}

void stun_request(struct stun_message *message, uint32_t change)
{
	memset(message, 0, sizeof(*message));
	message->type = STUN_BINDING_REQUEST;
	message->change = change;
	/* The kernel gives up to 256 bytes whole. */
	while (getrandom(message->transaction, STUN_TRANSACTION_SIZE, 0) < 0 && errno == EINTR)
		;
}

size_t stun_encode(const struct stun_message *message, uint8_t *buffer)
{
	size_t size = STUN_HEADER_SIZE;
	uint8_t *value;

	put16(buffer, message->type);
	put32(buffer + 4, COOKIE);
	memcpy(buffer + 8, message->transaction, STUN_TRANSACTION_SIZE);
	if (message->change)
		put32(attribute_append(buffer, &size, CHANGE_REQUEST, 4), message->change);
	endpoint_append(buffer, &size, MAPPED_ADDRESS, &message->mapped);
	endpoint_append(buffer, &size, XOR_MAPPED_ADDRESS, &message->mapped);
	endpoint_append(buffer, &size, RESPONSE_ORIGIN, &message->origin);
	endpoint_append(buffer, &size, OTHER_ADDRESS, &message->other);
	if (message->error) {
		value = attribute_append(buffer, &size, ERROR_CODE, 4);
		value[2] = message->error / 100;
		value[3] = message->error % 100;
	}
	if (message->unknown_attribute)
		put16(attribute_append(buffer, &size, UNKNOWN_ATTRIBUTES, 2), message->unknown_attribute);
	put16(buffer + 2, size - STUN_HEADER_SIZE);
	return size;
}

size_t stun_size(const uint8_t *header)
{
	const size_t size = STUN_HEADER_SIZE + get16(header + 2);

	/* RFC 8489 5: the first two bits are zero, and so are the length's last. */
	if (header[0] & 0xc0 || size % 4 || get32(header + 4) != COOKIE)
		return 0;
	return size <= STUN_MESSAGE_SIZE ? size : 0;
}

static int endpoint_decode(const uint8_t *buffer, const uint8_t *value, size_t length, bool is_xored,
			   union endpoint *endpoint)
{
	uint8_t plain[20];

	if (length != 8 && length != 20)
		return -EBADMSG;
	if (value[1] != (length == 20 ? FAMILY_IPV6 : FAMILY_IPV4))
		return -EBADMSG;
	memcpy(plain, value, length);
	if (is_xored)
		value_xor(plain, length, buffer);
	memset(endpoint, 0, sizeof(*endpoint));
	if (length == 20) {
		endpoint->sa.sa_family = AF_INET6;
		memcpy(&endpoint->in6.sin6_addr, plain + 4, 16);
	} else {
		endpoint->sa.sa_family = AF_INET;
		memcpy(&endpoint->in.sin_addr, plain + 4, 4);
	}
	endpoint_set_port(endpoint, get16(plain + 2));
	return 0;
}

static int attribute_decode(const uint8_t *buffer, uint16_t type, const uint8_t *value, size_t length,
			    struct stun_message *message)
{
	switch (type) {
	case CHANGE_REQUEST:
		if (length != 4)
			return -EBADMSG;
		message->change = get32(value);
		return 0;
	case MAPPED_ADDRESS:
		/*
		 * Ignored: NATs that rewrite addresses inside packets get at this
		 * one, which is why the other exists. Ours sends both.
		 */
		return 0;
	case XOR_MAPPED_ADDRESS:
		return endpoint_decode(buffer, value, length, true, &message->mapped);
	case RESPONSE_ORIGIN:
		return endpoint_decode(buffer, value, length, false, &message->origin);
	case OTHER_ADDRESS:
		return endpoint_decode(buffer, value, length, false, &message->other);
	case ERROR_CODE:
		if (length < 4)
			return -EBADMSG;
		message->error = (value[2] & 7) * 100 + value[3];
		return 0;
	case UNKNOWN_ATTRIBUTES:
		return 0;
	default:
		if (type < OPTIONAL && !message->unknown_attribute)
			message->unknown_attribute = type;
		return 0;
	}
}

int stun_decode(const uint8_t *buffer, size_t size, struct stun_message *message)
{
	size_t at = STUN_HEADER_SIZE, length;
	int err;

	if (size < STUN_HEADER_SIZE || stun_size(buffer) != size)
		return -EBADMSG;
	memset(message, 0, sizeof(*message));
	message->type = get16(buffer);
	memcpy(message->transaction, buffer + 8, STUN_TRANSACTION_SIZE);
	while (at < size) {
		/* Sizes are multiples of four, so a whole header is there. */
		length = get16(buffer + at + 2);
		if (length > size - at - 4)
			return -EBADMSG;
		err = attribute_decode(buffer, get16(buffer + at), buffer + at + 4, length, message);
		if (err)
			return err;
		at += 4 + ((length + 3) & ~(size_t)3);
	}
	return 0;
}
