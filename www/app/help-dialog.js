// @ts-check
// The dialog that lists all keys and signs.

import { fillDialog } from '../kit/dialog.js';
import { byId, make } from '../kit/dom.js';
import { isAnswer } from '../draw/glyphs.js';
import { withTerms } from '../kit/explained.js';
import { keysOn, setKeys } from '../kit/keys.js';
import { glyphPicture, markPicture, rolePicture, votePicture, signPicture } from './legend.js';
import { readPalette } from '../draw/palette.js';
import * as common from '../words/common.js';
import * as strings from '../words/app.js';
import * as helpWords from '../words/help.js';

/** Whether the screen is all that somebody presses. */
const touchScreen = matchMedia('(hover: none) and (pointer: coarse)');

export class HelpDialog {
  #dialog = byId('help-dialog', HTMLDialogElement);
  #words = make('dl', { class: 'words' });

  open() {
    const palette = readPalette();
    const single = make('input', { type: 'checkbox' });
    single.checked = keysOn();
    single.addEventListener('change', () => setKeys(single.checked));
    const keys = make(
      'section',
      {},
      make('h3', {}, helpWords.helpKeys),
      make(
        'dl',
        { class: 'keys' },
        ...Object.entries(strings.shortcuts).flatMap(([key, words]) => [
          make('dt', {}, make('kbd', {}, helpWords.keyName(key))),
          make('dd', {}, words),
        ]),
      ),
      make('label', { class: 'filter' }, single, helpWords.helpSingleKeys),
      ...helpWords.helpElsewhere.map(([where, keys]) => make('p', { class: 'hint' }, make('b', {}, where), ` ${keys}`)),
    );
    const signs = make(
      'section',
      {},
      make('h3', {}, helpWords.helpRoles),
      make(
        'dl',
        { class: 'signs' },
        ...helpWords.helpRoleWords.flatMap(([role, words]) => [
          make('dt', {}, rolePicture(palette, role)),
          make('dd', {}, make('b', {}, common.role[role]), ` ${words}`),
        ]),
      ),
      make(
        'dl',
        { class: 'signs' },
        ...helpWords.helpMarks.flatMap(([mark, words]) => [
          make('dt', {}, markPicture(palette, mark)),
          make('dd', {}, words),
        ]),
      ),
      make(
        'dl',
        { class: 'signs' },
        ...helpWords.helpVotes.flatMap(([vote, words]) => [
          make('dt', {}, votePicture(palette, vote)),
          make('dd', {}, words),
        ]),
      ),
      make('p', { class: 'hint' }, helpWords.helpTerms),
      make('h3', {}, common.text.logs),
      make(
        'dl',
        { class: 'signs' },
        ...helpWords.helpLogs.flatMap(([mark, words]) => [
          make('dt', {}, make('span', { class: `log-sign ${mark}`, 'aria-hidden': 'true' })),
          make('dd', {}, ...withTerms(words)),
        ]),
      ),
      make('h3', {}, common.text.tape),
      make(
        'dl',
        { class: 'signs' },
        ...helpWords.helpTape.flatMap(([kind, words]) => [
          make('dt', {}, signPicture(palette, kind)),
          make('dd', {}, words),
        ]),
      ),
      make('p', { class: 'hint' }, helpWords.helpTapeBands),
      make('h3', {}, helpWords.helpMessages),
      make(
        'dl',
        { class: 'signs' },
        ...helpWords.helpMessageWords.flatMap(([kind, words]) => [
          make(
            'dt',
            {},
            glyphPicture(palette, kind),
            ...(isAnswer(kind) ? [glyphPicture(palette, kind, { success: false })] : []),
          ),
          make('dd', {}, words),
        ]),
      ),
    );
    const gestures = make(
      'section',
      {},
      make('h3', {}, helpWords.helpGestures),
      make(
        'dl',
        { class: 'gestures' },
        ...helpWords.helpGestureWords.flatMap(([gesture, words]) => [make('dt', {}, gesture), make('dd', {}, words)]),
      ),
    );
    // Fingers come first where there are no keys.
    const touch = touchScreen.matches;
    fillDialog(
      this.#dialog,
      touch ? helpWords.helpTitleTouch : helpWords.helpTitle,
      ...(touch ? [] : [make('p', { class: 'hint' }, helpWords.helpBreak)]),
      make('div', { class: 'help-columns' }, ...(touch ? [gestures, signs] : [keys, signs])),
      make('section', {}, make('h3', {}, helpWords.helpWords), this.#words),
      ...(touch ? [keys] : []),
      make('p', { class: 'hint' }, helpWords.paper),
    );
    this.#dialog.showModal();
    this.#listWords();
  }

  /** All terms with their explanations, which come when they are asked for. */
  async #listWords() {
    if (this.#words.firstChild) return;
    const { terms } = await import('../words/terms.js');
    this.#words.replaceChildren(
      ...Object.entries(terms).map(([term, says]) => make('div', {}, make('dt', {}, term), make('dd', {}, says))),
    );
  }
}
