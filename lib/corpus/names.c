/* SPDX-License-Identifier: MIT
 *
 * names.c — The corpora whose file names are known. */
#include "corpus/names.h"

static const struct mood__rule *const rules[] = {&mood__rule_ravdess, &mood__rule_emodb,
                                                 &mood__rule_crema_d};

const struct mood__rule *mood__name_parse(const char *file, struct mood__name *out)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i]->parse(file, out))
            return rules[i];
    return NULL;
}

bool mood__has_form(const char *name, const char *form)
{
    for (; *form; form++, name++) {
        bool fits = *form == '0'   ? *name >= '0' && *name <= '9'
                    : *form == 'a' ? *name >= 'a' && *name <= 'z'
                    : *form == 'A' ? *name >= 'A' && *name <= 'Z'
                                   : *name == *form;
        if (!fits)
            return false;
    }
    return *name == '.';
}
