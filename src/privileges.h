/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process may do: enough at the start, and afterwards no more than it will need again. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

/* Returns 0, -EPERM or another -errno, and has then said which capabilities are missing. */
int privileges_check(void);

/*
 * Gives up for good every capability but those four, and what a program that we would run might gain. To be called once
 * programs have been loaded: before 5.11 libbpf raises the limit of locked memory for it, which takes SYS_RESOURCE. What
 * cannot be given up is warned of.
 */
void privileges_drop(void);

#endif
