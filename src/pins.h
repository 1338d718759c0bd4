/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the maps and links of a data plane outlive the daemon: a directory of the BPF file system for each interface and
 * family.
 *
 *	/sys/fs/bpf/einat/4026531840-wan-ipv4/	mode 0700; EINAT_BPFFS in the environment takes /sys/fs/bpf's place
 *		map_slots ... map_bss		the state; see inheritance.h
 *		map_layout			what it means; made last, so that a set without it is half-written
 *		link_ingress, link_egress	what hangs on the interface, where that is by TCX
 *
 * The number is the network namespace's. A dot in an interface's name is written %2e: the file system reserves dots; a minus %2d,
 * a percent sign %25.
 */
#ifndef PINS_H
#define PINS_H

#include <stdbool.h>
#include <stddef.h>

enum { PINS_PATH = 256 };

/* The directory's name, whether it is there or not. family is AF_INET or AF_INET6. Returns 0 or -errno. */
int pins_directory(char path[PINS_PATH], const char *ifname, int family);

/*
 * Makes the directory if need be. Returns 0 or -errno, and has then said why: no BPF file system is mounted, or others
 * may write there.
 */
int pins_prepare(const char *path, const char *ifname);

/* The path of a pin in such a directory. Returns 0 or -ENAMETOOLONG. */
int pins_path(char pin[PINS_PATH], const char *path, const char *name);

/* A descriptor of what is pinned, or -errno; -ENOENT: nothing. */
int pins_get(const char *path, const char *name);

/* Pins in the place of whatever has this name. Returns 0 or -errno. */
int pins_put(const char *path, const char *name, int fd);

/* Nothing of that name is fine. Returns 0 or -errno. */
int pins_drop(const char *path, const char *name);

/*
 * Removes all that is named like ours, and the directory unless somebody else has put something there. Without the links
 * the programs are off the interface. Nothing there is fine. Returns how many pins there were, or -errno.
 */
int pins_remove(const char *path);

/*
 * The same for every interface of this network namespace, while no daemon is at work there. Says so for each, adds to
 * *removed. Returns 0 or -errno.
 */
int pins_remove_all(unsigned int *removed);

/* Is there a directory of this network namespace for an interface that is_ours() denies? Where none can be read there is none. */
bool pins_of_others(bool (*is_ours)(const char *ifname, void *arg), void *arg);

#endif
