/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket, and the HTTP listener for metrics: who may ask, in what time, and how much. No client can make the
 * daemon wait.
 *
 *	/run/einat/4026531840.control-wan	of the daemon whose first interface is wan, in this network namespace
 *
 * A client writes one line (control_request.h). What comes back is a line, "ok" or "error: " and why; after "ok" the answer,
 * and a NUL at its end, without which it is not whole. Then the connection is closed.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "control_answer.h"

struct control;

/*
 * Opens what the configuration asks for, for interfaces that are claimed. What cannot be opened is said, and the rest works:
 * NULL only without memory. daemon has to last.
 */
struct control *control_open(struct control_daemon *daemon, const struct control_config *config);

/* Readable when control_serve() has something to do. */
int control_fd(const struct control *control);
void control_serve(struct control *control);

/* Once a second: deadlines, and what is watched. */
void control_tick(struct control *control);

/* NULL is fine. */
void control_close(struct control *control);

#endif
