/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: from a checked configuration to a running NAT, and everything taken back at the end. */
#ifndef DAEMON_H
#define DAEMON_H

#include "config.h"

/*
 * Runs until SIGTERM or SIGINT. At SIGHUP it reads `file` again, where the configuration is from; NULL: from no file.
 * Interfaces that are given by their index get their names here. Returns the program's exit
 * status: 0 stopped, 1 could not start, 2 the configuration does not fit this machine. The reason has been said.
 */
int daemon_run(struct config *config, const char *file);

#endif
