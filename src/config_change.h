/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may change while packets flow. */
#ifndef CONFIG_CHANGE_H
#define CONFIG_CHANGE_H

#include <stdbool.h>

#include "config.h"

/*
 * Is there a difference that needs a restart: other interfaces, families, hooks, or whether they persist? Then text is the
 * first such key: `[[interfaces]] "wan": nat66`. Returns 0 or -EINVAL.
 */
int config_change_check(const struct config *before, const struct config *after, char *text, size_t size);

/*
 * Is there a difference that takes other programs, or other maps (datapath_open_heir())? Timeouts, hairpin routing and
 * take_over_masquerade do not.
 */
bool config_change_needs_heir(const struct interface_config *before, const struct interface_config *after);

#endif
