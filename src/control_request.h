/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is asked of a running daemon: one line of words, `mappings json internal=192.168.1.5 protocol=udp`. The command line
 * says the same with dashes: `einat mappings --json --internal 192.168.1.5 --protocol udp`. Pure.
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum { CONTROL_REQUEST_SIZE = 256 }; /* with its newline */

enum control_command {
	CONTROL_STATUS,
	CONTROL_COUNTERS,
	CONTROL_MAPPINGS,
	CONTROL_SESSIONS,
	CONTROL_HOSTS,
	CONTROL_WATCH,
	CONTROL_METRICS,
	CONTROL_TOP,
	CONTROL_RELOAD,
	CONTROL_FLUSH,
	CONTROL_FORWARD_LIST,
	CONTROL_FORWARD_ADD,
	CONTROL_FORWARD_DEL,
	CONTROL_COMMANDS
};

struct control_request {
	enum control_command command;
	bool json;
	char ifname[IFNAMSIZ];	   /* "": every interface */
	int family;		   /* of internal; 0: any address */
	struct ip_prefix internal; /* bits behind the prefix are zero */
	int protocol;		   /* enum nat_protocol, or -1: any */
	uint32_t external_port;	   /* 0: any */
	uint32_t rows, columns;	   /* of the terminal; 0: unknown */
	struct forward forward;	   /* to add or to end */
};

/*
 * Reads a line without its newline. Returns 0, or -EINVAL and in error what is wrong with it. Whatever the bytes, only
 * `length` of them are looked at.
 */
int control_request_parse(struct control_request *request, const char *line, size_t length, char *error, size_t size);

/*
 * The line that says what argv does from its first word on, without a newline. Returns 0, or -EINVAL with error, also where
 * control_request_parse() would refuse the line; -ENOENT: the first word is no command of these.
 */
int control_request_from_words(char line[CONTROL_REQUEST_SIZE], char *const words[], struct control_request *request,
			       char *error, size_t size);

/*
 * An HTTP request for the metrics, up to its empty line. Returns 0 once it is whole; -EAGAIN: more has to come; or -EINVAL,
 * and in *answer the head of what is to be said, which for 0 is that of the metrics.
 */
int http_request_parse(const char *text, size_t length, const char **answer);

/* Does it change anything? Only root and the daemon's own user may. */
bool control_request_changes(const struct control_request *request);

/* Does the request ask for a mapping of this internal address, protocol and external port (in host order)? */
bool control_request_wants(const struct control_request *request, int family, const __be32 internal[4], int protocol,
			   uint32_t external_port);

#endif
