/** Rich text. The editor is large and loaded when the first one is shown. */
import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { InputProps } from './input-props.ts';

const Editor = lazy(() => import('./rich-text-editor.tsx').then(({ RichTextEditor }) => ({ default: RichTextEditor })));

export function RichTextInput(props: InputProps) {
  return (
    <Suspense fallback={<Skeleton h={160} />}>
      <Editor {...props} />
    </Suspense>
  );
}
