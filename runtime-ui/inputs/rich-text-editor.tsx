/** The editor of rich text: what the server keeps (`engine/model/fields/rich-text.ts`) and no more. */
import { Input } from '@mantine/core';
import { RichTextEditor as Frame } from '@mantine/tiptap';
import '@mantine/tiptap/styles.layer.css';
import { Link } from '@tiptap/extension-link';
import { useEditor } from '@tiptap/react';
import { StarterKit } from '@tiptap/starter-kit';
import type { ComponentProps } from 'react';
import { useTranslation } from 'react-i18next';
import { nonce } from '../shared/nonce.ts';
import { textOf } from '../values/field-value.tsx';
import { common, type InputProps } from './input-props.ts';

const EMPTY = '<p></p>';

type FrameEditor = ComponentProps<typeof Frame>['editor'];

/** The frame was typed against tiptap's other declaration file; at run time there is one editor. */
function isFrameEditor(editor: unknown): editor is FrameEditor {
  return typeof editor === 'object';
}

export function RichTextEditor(props: InputProps) {
  const { t } = useTranslation();
  const { id, disabled } = common(props);
  const name = props.label ?? props.ariaLabel ?? props.field.label;
  const editor = useEditor({
    extensions: [
      StarterKit.configure({ link: false, heading: { levels: [2, 3, 4] } }),
      Link.configure({ openOnClick: false, protocols: ['http', 'https', 'mailto', 'tel'] }),
    ],
    content: textOf(props.value),
    editable: !disabled,
    injectNonce: nonce,
    editorProps: { attributes: { 'aria-label': name, role: 'textbox', 'aria-multiline': 'true', dir: 'auto' } },
    onUpdate: ({ editor: changed }) => {
      const html = changed.getHTML();
      props.onChange(html === EMPTY ? undefined : html);
    },
  });
  const labels = {
    boldControlLabel: t('editor.bold'),
    italicControlLabel: t('editor.italic'),
    underlineControlLabel: t('editor.underline'),
    h2ControlLabel: t('editor.heading'),
    bulletListControlLabel: t('editor.bullets'),
    orderedListControlLabel: t('editor.numbers'),
    blockquoteControlLabel: t('editor.quote'),
    linkControlLabel: t('editor.link'),
    unlinkControlLabel: t('editor.unlink'),
    undoControlLabel: t('editor.undo'),
    redoControlLabel: t('editor.redo'),
  };
  return (
    <Input.Wrapper
      {...(id ? { id } : {})}
      label={props.label}
      labelElement="div"
      withAsterisk={props.required ?? false}
      description={props.description}
      error={props.error}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
    >
      <Frame editor={isFrameEditor(editor) ? editor : null} labels={labels}>
        <Frame.Toolbar>
          <Frame.ControlsGroup>
            <Frame.Bold />
            <Frame.Italic />
            <Frame.Underline />
            <Frame.H2 />
          </Frame.ControlsGroup>
          <Frame.ControlsGroup>
            <Frame.BulletList />
            <Frame.OrderedList />
            <Frame.Blockquote />
          </Frame.ControlsGroup>
          <Frame.ControlsGroup>
            <Frame.Link />
            <Frame.Unlink />
          </Frame.ControlsGroup>
          <Frame.ControlsGroup>
            <Frame.Undo />
            <Frame.Redo />
          </Frame.ControlsGroup>
        </Frame.Toolbar>
        <Frame.Content />
      </Frame>
    </Input.Wrapper>
  );
}
