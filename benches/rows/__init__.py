"""Every row of the table, in its order."""

from benches.rows import effects, growth, instructions, memory, package, tasks

ROWS = [*effects.ROWS, *instructions.ROWS, *tasks.ROWS, *growth.ROWS, *memory.ROWS, *package.ROWS]
BY_NAME = {row.name: row for row in ROWS}
