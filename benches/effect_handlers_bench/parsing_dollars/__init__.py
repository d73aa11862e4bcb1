"""Three handlers at once: a parser reads characters, counts the dollars of each line, and emits the counts.

The innermost handler feeds the characters, i dollars on line i, and performs `Stop` after line n; the one in the middle
ends the parser at `Stop`; the outermost adds up what is emitted.
"""

NEWLINE, DOLLAR = 10, 36
