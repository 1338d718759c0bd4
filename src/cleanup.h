/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `einat cleanup`: takes away what a killed einat has left, and nothing that it has not made: filters on clsact, and that
 * qdisc if it is ours, rules, routes and neighbours, lock files. TCX programs and nftables tables have gone with their process.
 */
#ifndef CLEANUP_H
#define CLEANUP_H

#include "config.h"

/*
 * Of the configuration's interfaces, or of every interface if it has none with a name. Nothing is done where an einat is
 * at work. Says what it has removed; returns the exit status: 0, also if there was nothing to do, or 1.
 */
int cleanup_run(const struct config *config);

#endif
