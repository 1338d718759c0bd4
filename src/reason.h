/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reasons that the data plane counts (NAT_REASONS in nat.h) are called. Pure. */
#ifndef REASON_H
#define REASON_H

#include "nat.h"

enum { REASON_NAME = 24 };

enum reason_verdict { REASON_PASS, REASON_DONE, REASON_TURN, REASON_DROP, REASON_VERDICTS };

/* Of a reason below NAT_REASON_COUNT. */
enum reason_verdict reason_verdict(unsigned int reason);

/* "no_mapping": for programs, never changed. */
void reason_name(unsigned int reason, char name[REASON_NAME]);

/* "no mapping for this external port": for people. */
const char *reason_text(unsigned int reason);

/* "pass", "translate", "turn", "drop". */
extern const char *const reason_verdict_names[REASON_VERDICTS];

#endif
