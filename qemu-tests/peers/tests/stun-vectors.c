// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Holds stun.c against the sample responses of RFC 5769 (without their
 * MESSAGE-INTEGRITY), for a client and a server made of the same mistake agree
 * with each other. Then shortens and damages them: nothing may be read beyond
 * the end, for which the sanitizers look.
 */
#include "../stun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER(size)                                                                                                \
	0x01, 0x01, 0x00, size, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, \
		0xdf, 0xae
#define SOFTWARE 0x80, 0x22, 0x00, 0x0b, 't', 'e', 's', 't', ' ', 'v', 'e', 'c', 't', 'o', 'r', ' '

/* RFC 5769 2.2 */
static const uint8_t response_ipv4[] = {
	HEADER(28), SOFTWARE, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
};

/* RFC 5769 2.3 */
static const uint8_t response_ipv6[] = {
	HEADER(40), SOFTWARE, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9,
	0xfa,	    0xa5,     0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
};

static int failures;

static void check(bool is_good, const char *what)
{
	if (!is_good) {
		printf("wrong: %s\n", what);
		failures++;
	}
}

/* Decodes an exact copy on the heap, so that one byte too far is found. */
static int decode(const uint8_t *bytes, size_t size, struct stun_message *message)
{
	uint8_t *copy = malloc(size ? size : 1);
	int err;

	memcpy(copy, bytes, size);
	err = stun_decode(copy, size, message);
	free(copy);
	return err;
}

static void check_response(const uint8_t *bytes, size_t size, const char *mapped)
{
	const size_t attribute = STUN_HEADER_SIZE + 16;
	uint8_t encoded[STUN_MESSAGE_SIZE], damaged[STUN_MESSAGE_SIZE];
	struct stun_message message, ignored;
	char text[ENDPOINT_TEXT_SIZE];
	size_t encoded_size;

	check(!decode(bytes, size, &message), "a sample is not decoded");
	check(message.type == STUN_BINDING_RESPONSE, "the type");
	check(!strcmp(endpoint_format(&message.mapped, text), mapped), mapped);
	/* What we encode has MAPPED-ADDRESS first, XOR-MAPPED-ADDRESS last. */
	encoded_size = stun_encode(&message, encoded);
	check(!memcmp(encoded + 4, bytes + 4, 16), "the encoded header");
	check(!memcmp(encoded + encoded_size - (size - attribute), bytes + attribute, size - attribute),
	      "the encoded attribute");
	for (size_t i = 0; i < size; i++)
		check(decode(bytes, i, &ignored), "a truncated message is taken");
	memcpy(damaged, bytes, size);
	damaged[STUN_HEADER_SIZE + 3] = 0xf0;
	check(decode(damaged, size, &ignored), "an attribute that is longer than the message is taken");
	for (size_t i = 0; i < size * 8; i++) {
		memcpy(damaged, bytes, size);
		damaged[i / 8] ^= 1 << i % 8;
		decode(damaged, size, &ignored);
	}
}

int main(void)
{
	check_response(response_ipv4, sizeof(response_ipv4), "192.0.2.1:32853");
	check_response(response_ipv6, sizeof(response_ipv6), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
	if (!failures)
		puts("as in the RFC");
	return failures ? 1 : 0;
}
