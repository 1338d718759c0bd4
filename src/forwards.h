/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The static mappings of an interface that a running daemon is told of, beside those of its configuration: these are kept
 * through a reload, end with the daemon, and can be ended before. Pure: a list in, another list or a complaint out.
 */
#ifndef FORWARDS_H
#define FORWARDS_H

#include "config.h"

enum { FORWARD_ORIGIN = 256 };

/* Another list for an interface. What its elements point to stays the present one's. */
struct forwards {
	struct forward *list; /* to be freed */
	size_t count;
};

/* Where it is from: "run time", "command line", "FILE:12". */
void forward_origin(const struct forward *forward, const char *file, char text[FORWARD_ORIGIN]);

/* Puts the one list in the other's place. */
void forwards_swap(struct interface_config *interface, struct forwards *forwards);

/*
 * The interface's list with one more, or with one less. Returns 0, -ENOMEM, or -EINVAL: it contradicts another one, which
 * error names with where it is from; it is not there; it is not one that was added at run time.
 */
int forwards_with(const struct interface_config *interface, const struct forward *forward, const char *file,
		  struct forwards *forwards, char *error, size_t size);
int forwards_without(const struct interface_config *interface, const struct forward *forward, const char *file,
		     struct forwards *forwards, char *error, size_t size);

/* The list without all that were added. Returns 0 or -ENOMEM. */
int forwards_configured(const struct interface_config *interface, struct forwards *forwards);

/*
 * Appends what was added to `before` to the configuration that follows it. What contradicts that one is left out, and said
 * in a line for each. Returns 0 or -ENOMEM.
 */
int forwards_keep(struct interface_config *after, const struct interface_config *before, const char *file,
		  void (*say)(const char *line));

#endif
