// XML as a tree of elements with line numbers. Mixed content is an error: metadata has none.
import { SaxesParser } from 'saxes';

const cache = new Map();

/** The root element of `text`, or an Error whose message names the line. Results are shared: do not change them. */
export function parse(text) {
  if (!cache.has(text)) cache.set(text, read(text));
  return cache.get(text);
}

function read(text) {
  const open = [];
  let root = null;
  let wrong = null;
  let before = false;
  const parser = new SaxesParser({ xmlns: false, position: true });
  parser.on('error', (error) => { wrong ??= error; });
  parser.on('comment', () => { if (!root) before = true; });
  parser.on('opentag', (tag) => {
    const element = { name: tag.name, attrs: tag.attributes, line: parser.line, children: [], text: '' };
    if (open.length) open.at(-1).children.push(element);
    else root = element;
    open.push(element);
  });
  parser.on('text', (piece) => { if (open.length) open.at(-1).text += piece; });
  parser.on('cdata', (piece) => { if (open.length) { open.at(-1).text += piece; open.at(-1).cdata = true; } });
  parser.on('closetag', () => { open.pop(); });
  try {
    parser.write(text).close();
  } catch (error) {
    wrong ??= error;
  }
  if (wrong) return new Error(wrong.message);
  root.commentBefore = before;
  return root;
}

/** Text of the first child of that name, or undefined. */
export const value = (element, name) => child(element, name)?.text.trim();

/** First child of that name. */
export const child = (element, name) => element?.children.find((it) => it.name === name);

/** All children of that name. */
export const children = (element, name) => (element ? element.children.filter((it) => it.name === name) : []);

/** The element and everything below it. */
export function* walk(element) {
  yield element;
  for (const it of element.children) yield* walk(it);
}
