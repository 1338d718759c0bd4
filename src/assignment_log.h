/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows the mappings of all interfaces for the log of assignments (assignment.h), where that is asked for. */
#ifndef ASSIGNMENT_LOG_H
#define ASSIGNMENT_LOG_H

#include "interface.h"

struct assignment_logs;

/* Once a second. *logs is made and freed as the configuration wants it. */
void assignment_logs_follow(struct assignment_logs **logs, const struct log_config *config,
			    const struct interface *interfaces, size_t count);

/* At the end: how many go on, or end with us. */
void assignment_logs_close(struct assignment_logs **logs);

#endif
