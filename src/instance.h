/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One daemon for each external interface, and for each hairpin table, in a network namespace. */
#ifndef INSTANCE_H
#define INSTANCE_H

/*
 * Claims `what` ("interface wan") until the descriptor that is returned is closed, at the latest when the process ends.
 * Returns it, or -EADDRINUSE (another daemon has it) or another -errno, and has then said why.
 */
int instance_claim(const char *what);

#endif
