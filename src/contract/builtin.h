/* The contract files that are part of the program, as tools/embed.py puts them in. Static data. */
#ifndef CONTRACT_BUILTIN_H
#define CONTRACT_BUILTIN_H

#include "base/slice.h"

/* Text of the built-in contract of that index (cyrexa, nexera, muster); SLICE_NONE past the last. */
struct slice contract_builtin(size_t index);

#endif
