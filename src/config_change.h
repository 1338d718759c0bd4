/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may change while packets flow. */
#ifndef CONFIG_CHANGE_H
#define CONFIG_CHANGE_H

#include "config.h"

/*
 * Is there a difference that a running data plane cannot take? Timeouts, hairpin routing and the local rules' preferences
 * it can. Then text is the first such key: `[[interfaces]] "wan": nat66`. Returns 0, -EINVAL for such a key, or -ENOMEM.
 */
int config_change_check(const struct config *before, const struct config *after, char *text, size_t size);

#endif
