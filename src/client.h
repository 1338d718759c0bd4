/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks a running daemon, and prints what it answers. */
#ifndef CLIENT_H
#define CLIENT_H

#include "control_request.h"

/* The line goes to the daemon that has the request's interface, or the only one. Returns an exit status: 0, 1, or 2: which? */
int client_run(const char *line, const struct control_request *request);

#endif
