import { EditorState, type Transaction } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { afterEach, describe, expect, it } from 'vitest';
import { insertYamlNewline, yamlHistory, yamlKeys } from '@/components/yaml-keys';

const typeEnter = (doc: string): string => {
  let state = EditorState.create({ doc, selection: { anchor: doc.length } });
  insertYamlNewline({ state, dispatch: (transaction: Transaction) => (state = transaction.state) });
  return state.doc.toString();
};

describe('Enter in the policy editor', () => {
  it('keeps the indentation, and goes deeper after a colon', () => {
    expect(typeEnter('when:')).toBe('when:\n  ');
    expect(typeEnter('when:\n  tiers: 2')).toBe('when:\n  tiers: 2\n  ');
  });
});

describe('undo and redo', () => {
  let view: EditorView | undefined;
  afterEach(() => view?.destroy());
  const press = (key: string): void => {
    if (view) yamlKeys.find((binding) => binding.key === key)?.run?.(view);
  };

  it('lead back and forth again', () => {
    view = new EditorView({ state: EditorState.create({ doc: 'a', extensions: [yamlHistory] }) });
    view.dispatch({ changes: { from: 1, insert: 'b' } });
    view.dispatch({ changes: { from: 2, insert: 'c' } });
    expect(view.state.doc.toString()).toBe('abc');
    press('Mod-z');
    expect(view.state.doc.toString()).toBe('a');
    press('Mod-y');
    expect(view.state.doc.toString()).toBe('abc');
    press('Mod-z');
    view.dispatch({ changes: { from: 1, insert: 'x' } });
    press('Mod-y');
    expect(view.state.doc.toString()).toBe('ax');
  });
});
