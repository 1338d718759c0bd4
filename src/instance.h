/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In a network namespace, one daemon for each external interface, and one for all hairpin routing. */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdbool.h>
#include <stddef.h>

enum { INSTANCE_INTERFACE = 32 };

/* What the claim on an interface is called: "interface wan". */
void instance_interface(char what[INSTANCE_INTERFACE], const char *ifname);

/*
 * Claims `what` ("interface wan") until instance_release(), at the latest until the process ends. Returns a descriptor, or
 * -EADDRINUSE (another daemon has it) or another -errno, and has then said why.
 */
int instance_claim(const char *what);

/* Gives the claim up. fd is what instance_claim() has returned; nothing happens for a negative one. */
void instance_release(const char *what, int fd);

/*
 * Removes the lock files that killed daemons have left in this network namespace, says so and adds their number to
 * *removed. Returns 0; -EADDRINUSE, and has said so, if a daemon is at work; or another -errno.
 */
int instance_clean(unsigned int *removed);

/* The process that has claimed `what`, or 0: nobody, as far as can be seen. Claims and says nothing. */
long instance_holder(const char *what);

/*
 * Where the control socket of the daemon whose first interface is ifname belongs. With is_open others than its owner are to
 * get to it. Returns 0 or -errno; the message is the caller's, but about the directory.
 */
int instance_socket(const char *ifname, bool is_open, char *path, size_t size);

/*
 * Calls found() for each control socket in this network namespace, whether somebody listens or not, until it returns
 * something else than 0. Returns that, 0, or -errno with text: the directory that cannot be read.
 */
int instance_sockets(int (*found)(const char *ifname, const char *path, void *arg), void *arg, char *text, size_t size);

/* The number of the network namespace's file, which is what identifies it. Returns 0 or -errno. */
int instance_namespace(unsigned long *number);

#endif
