import { EditorSelection, type ChangeSet, type StateCommand, type Text } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import { ViewPlugin, type KeyBinding, type ViewUpdate } from '@codemirror/view';

/** What typing YAML needs: Tab and Shift-Tab by two blanks, Enter keeps the indentation, undo and redo. */

const INDENT = '  ';
const MAX_STEPS = 200;
/** Typing without a pause is undone in one step. */
const JOIN_MS = 500;

interface Step {
  /** Leads back to the text before. */
  inverse: ChangeSet;
  before: EditorSelection;
}

class History {
  done: Step[] = [];
  undone: Step[] = [];
  private lastMs = 0;
  /** Set while undo or redo writes, which are no new steps. */
  private replaying: Step[] | null = null;

  update(update: ViewUpdate): void {
    if (!update.docChanged) return;
    const step = { inverse: update.changes.invert(update.startState.doc), before: update.startState.selection };
    if (this.replaying) {
      this.replaying.push(step);
      return;
    }
    const nowMs = Date.now();
    const last = this.done[this.done.length - 1];
    if (last && nowMs - this.lastMs < JOIN_MS)
      this.done[this.done.length - 1] = { inverse: step.inverse.compose(last.inverse), before: last.before };
    else this.done.push(step);
    if (this.done.length > MAX_STEPS) this.done.shift();
    this.undone = [];
    this.lastMs = nowMs;
  }

  replay(view: EditorView, from: Step[], to: Step[]): boolean {
    const step = from.pop();
    if (!step) return false;
    this.lastMs = 0;
    this.replaying = to;
    view.dispatch({ changes: step.inverse, selection: step.before, scrollIntoView: true });
    this.replaying = null;
    return true;
  }
}

export const yamlHistory = ViewPlugin.fromClass(History);

const lineIndent = (doc: Text, at: number): string => /^ */.exec(doc.lineAt(at).text)?.[0] ?? '';

/** A new line starts below the text of the one before, deeper after a colon. */
export const insertYamlNewline: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly) return false;
  const change = state.changeByRange((range) => {
    const before = state.doc.lineAt(range.from).text.slice(0, range.from - state.doc.lineAt(range.from).from);
    const insert = `\n${lineIndent(state.doc, range.from)}${/:\s*$/.test(before) ? INDENT : ''}`;
    return {
      changes: { from: range.from, to: range.to, insert },
      range: EditorSelection.cursor(range.from + insert.length),
    };
  });
  dispatch(state.update(change, { scrollIntoView: true, userEvent: 'input' }));
  return true;
};

function shiftLines(deeper: boolean): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const { from, to, empty } = state.selection.main;
    if (deeper && empty) {
      dispatch(state.update({ changes: { from, insert: INDENT }, selection: { anchor: from + INDENT.length } }));
      return true;
    }
    const changes = [];
    for (let n = state.doc.lineAt(from).number; n <= state.doc.lineAt(to).number; n += 1) {
      const line = state.doc.line(n);
      if (deeper) changes.push({ from: line.from, insert: INDENT });
      else if (line.text.startsWith(INDENT)) changes.push({ from: line.from, to: line.from + INDENT.length });
    }
    dispatch(state.update({ changes }));
    return true;
  };
}

const replay = (view: EditorView, pick: (h: History) => [Step[], Step[]]): boolean => {
  const history = view.plugin(yamlHistory);
  return history ? history.replay(view, ...pick(history)) : false;
};

export const yamlKeys: KeyBinding[] = [
  { key: 'Enter', run: insertYamlNewline },
  { key: 'Tab', run: shiftLines(true) },
  { key: 'Shift-Tab', run: shiftLines(false) },
  // Tab is taken: Escape gives the focus back to the page.
  {
    key: 'Escape',
    run: (view) => {
      view.contentDOM.blur();
      return true;
    },
  },
  { key: 'Mod-z', run: (view) => replay(view, (h) => [h.done, h.undone]) },
  { key: 'Mod-y', run: (view) => replay(view, (h) => [h.undone, h.done]) },
  { key: 'Mod-Shift-z', run: (view) => replay(view, (h) => [h.undone, h.done]) },
];
