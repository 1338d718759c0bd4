/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer to a request, made piece by piece: a long list is never in memory as a whole, and what other clients and the
 * packets want is done between two pieces.
 */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include <stdio.h>

#include "control_request.h"
#include "interface.h"
#include "mapping_view.h"
#include "report.h"

/* What the daemon lets its clients see and do. Its owner keeps it true. */
struct control_daemon {
	struct interface *interfaces;
	size_t interfaces_count;
	bool is_failing;				   /* at something that is tried again */
	uint64_t started;				   /* monotonic, seconds */
	uint32_t (*peaks)[CONFIG_FAMILIES][NAT_PROTOCOLS]; /* by interface: answer_tick() */
	const char *file;				   /* of the configuration; NULL: none */
	int (*reload)(void *arg, char *error, size_t size);
	/* Adds or ends a static mapping, or says why not: then they are as before. */
	int (*forward)(void *arg, const struct control_request *request, char *error, size_t size);
	void *arg;
};

struct watch;

struct answer {
	struct control_request request;
	struct list list;
	unsigned int plane; /* interface * CONFIG_FAMILIES + family: where a list has got to */
	uint32_t slot;
	struct mapping_view view;
	struct session_cursor *cursor;
	struct hosts hosts;
	size_t host;
	struct watch *watch;
	bool is_cut;	/* what follows cannot be had: no NUL at its end */
	char *warnings; /* that were said while something was changed, one a line; NULL: none */
	size_t warnings_size;
};

/* Begins. Returns 0 or -errno, and then error says why there is no answer. */
int answer_open(struct answer *answer, struct control_daemon *daemon, const struct control_request *request,
		char *error, size_t size);

/* Writes the next piece, some kilobytes at most for lists. Returns whether more will follow. */
bool answer_continue(struct answer *answer, struct control_daemon *daemon, FILE *to);

/* Is there nothing to say until the next second? Which answer_tick() says has come. */
bool answer_waits(const struct answer *answer);
void answer_tick(struct answer *answer);

void answer_close(struct answer *answer);

/* Once a second, clients or not: remembers how many ports were in use. */
void control_daemon_tick(struct control_daemon *daemon);

/* The interfaces' families as they are now; to be freed with report_free(). Returns 0 or -ENOMEM. */
int report_make(struct report *report, struct control_daemon *daemon, const char *ifname);
void report_free(struct report *report);

#endif
