// @ts-check
// What sharing says.

export const copied = 'Link copied';

// Sharing
export const linkTooLong =
  'So much has been done that it doesn’t fit into a link: the address keeps only the seed. To keep everything, save ' +
  'the scenario as a file.';

export const frameTitle = 'A Raft cluster in Raftarium';

/** @param {string} name */
export const badFile = (name) => `${name} can’t be opened. The page keeps the run that it shows.`;

export const share = {
  title: 'Share this run',
  link: 'Link to this run at this moment',
  linkHelp:
    'The link opens this very run at this very moment, with all that was done in it. It is also in the address bar.',
  copy: 'Copy link',
  copyByHand: 'The page can’t use the clipboard: copy the selected text with Ctrl+C or ⌘C, or from its menu.',
  file: 'Scenario file',
  fileHelp:
    'The same as JSON, to read, to edit and to keep. “raftarium replay” plays it, too. To open one, you can also ' +
    'drop it anywhere on the page.',
  note: 'Note',
  saveFile: 'Save scenario',
  openFile: 'Open scenario…',
  saved: 'Saved.',
  picture: 'Picture',
  pictureHelp: 'The ring with its sentence. The space-time diagram has its own buttons.',
  records: 'What happened',
  recordsHelp:
    'Trace: one event on each line, as JSON. ShiViz: who sent what to whom, with vector clocks, for that visualiser. ' +
    'History: what clients asked and were answered, for “raftarium check”.',
  history: 'History',
  trace: 'Trace',
  show: 'Show it',
  showHelp:
    'Presenter mode is large and works with a remote control. A playlist has moments with notes, in your order. The ' +
    'frame is a player for a page of your own.',
  present: 'Presenter mode',
  playlist: 'Add to a playlist…',
  frame: 'Copy frame',
  drop: 'Drop the scenario file to open it',
};
