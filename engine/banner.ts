/** What the terminal says when everything is ready. */

export interface DemoSignIns {
  readonly organisation: string;
  readonly password: string;
  readonly people: readonly { readonly role: string; readonly name: string; readonly email: string }[];
}

/** Lines for the terminal, ended by a newline. */
export function banner(url: string, demo: DemoSignIns | null): string {
  const lines = ['', '  Armature is running.', '', `  Open      ${url}`];
  if (demo) {
    const role = Math.max(...demo.people.map((person) => person.role.length));
    const email = Math.max(...demo.people.map((person) => person.email.length));
    lines.push(`  Demo      ${demo.organisation}, everybody’s password: ${demo.password}`, '');
    for (const person of demo.people) {
      lines.push(`            ${person.role.padEnd(role)}   ${person.email.padEnd(email)}   ${person.name}`);
    }
  }
  return `${[...lines, '', '  Stop with Ctrl+C.', ''].join('\n')}\n`;
}
