#include "textflag.h"

// func prefetchLine(address uintptr)
TEXT ·prefetchLine(SB), NOSPLIT, $0-8
	MOVD address+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET
