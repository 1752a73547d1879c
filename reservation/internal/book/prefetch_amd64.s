#include "textflag.h"

// func prefetchLine(address uintptr)
TEXT ·prefetchLine(SB), NOSPLIT, $0-8
	MOVQ address+0(FP), AX
	PREFETCHT0 (AX)
	RET
