/** Rows for a terminal: columns as wide as their longest cell. */
export function table(header: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const lines = [header, ...rows.map((row) => row.map((cell) => cell ?? ''))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
