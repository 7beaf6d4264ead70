/**
 * Rich text, shown. The server has cleaned it when it was written; here it is taken apart once more and built from the
 * elements we know, so that nothing in it can become markup of ours.
 */
import { createElement, Fragment, type ReactNode } from 'react';
import classes from './value.module.css';

const TAGS = new Set(
  'p br hr h2 h3 h4 strong b em i u s code pre blockquote ul ol li a table thead tbody tr th td'.split(' '),
);
const VOID = new Set(['br', 'hr']);

export function richText(html: string): string {
  const { body } = new DOMParser().parseFromString(
    html.replaceAll(/<\/(p|li|h\d|tr|blockquote|pre)>|<br ?\/?>/g, '$& '),
    'text/html',
  );
  return (body.textContent ?? '').replaceAll(/\s+/g, ' ').trim();
}

export function RichValue({ html }: { readonly html: string }) {
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  return (
    <div className={classes['rich']} dir="auto">
      {build(body)}
    </div>
  );
}

function build(parent: Node): ReactNode {
  return Array.from(parent.childNodes, (node, at) => {
    if (node instanceof Text) return node.data;
    if (!(node instanceof Element)) return null;
    const tag = node.tagName.toLowerCase();
    if (!TAGS.has(tag)) return <Fragment key={at}>{build(node)}</Fragment>;
    if (VOID.has(tag)) return createElement(tag, { key: at });
    return createElement(tag, { key: at, ...linkOf(node, tag) }, build(node));
  });
}

function linkOf(node: Element, tag: string): Readonly<Record<string, string>> {
  const href = tag === 'a' ? node.getAttribute('href') : null;
  return href !== null && /^(https?:|mailto:|tel:)/i.test(href)
    ? { href, target: '_blank', rel: 'noopener noreferrer nofollow' }
    : {};
}
