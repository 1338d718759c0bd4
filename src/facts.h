/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the machine for the doctor, and changes nothing. What cannot be read counts as not there. */
#ifndef FACTS_H
#define FACTS_H

#include "doctor.h"
#include "netlink.h"

/* Returns 0 or -errno, and has then said why. facts_free() in either case. */
int facts_read(struct facts *facts, const struct interface_config *config, struct netlink *nl);
void facts_free(struct facts *facts);

/* `einat doctor`: examines each interface, prints what it finds, returns the exit status. */
int facts_doctor(struct config *config, bool json);

#endif
