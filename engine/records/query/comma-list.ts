/** Comma lists as RFC 4180 §2 writes a line of a CSV file. */
import { invalid } from './fault.ts';

/**
 * | text           | members         |
 * | -------------- | --------------- |
 * | `won,lost`     | `won` `lost`    |
 * | `"a,b",c`      | `a,b` `c`       |
 * | `"say ""hi"""` | `say "hi"`      |
 * | (nothing)      | one empty text  |
 *
 * @param at name of the parameter
 * @throws Problem `invalid_parameter` for a quote that is not closed or stands inside a member
 */
export function parseCommaList(text: string, at: string): string[] {
  if (!text.includes('"')) return text.split(',');
  const members: string[] = [];
  let position = 0;
  for (;;) {
    if (text[position] === '"') {
      let member = '';
      for (;;) {
        const quote = text.indexOf('"', position + 1);
        if (quote < 0) invalid(at, `A quotation mark in "${at}" is not closed.`, '"', text);
        member += text.slice(position + 1, quote);
        position = quote + 1;
        if (text[position] !== '"') break;
        member += '"';
      }
      if (position < text.length && text[position] !== ',') {
        invalid(
          at,
          `After a closing quotation mark in "${at}" a comma is expected.`,
          ',',
          text.slice(position, position + 10),
        );
      }
      members.push(member);
    } else {
      const comma = text.indexOf(',', position);
      const end = comma < 0 ? text.length : comma;
      const member = text.slice(position, end);
      if (member.includes('"')) {
        invalid(
          at,
          `A member of "${at}" that contains a quotation mark must be quoted as a whole, with "" for each.`,
          '"…"',
          member,
        );
      }
      members.push(member);
      position = end;
    }
    if (position >= text.length) return members;
    position += 1;
  }
}
