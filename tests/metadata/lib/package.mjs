// The package in memory: paths and texts, and what the files say. Broken copies are made by `withEdits`.
import fs from 'node:fs';
import path from 'node:path';
import { place } from './kinds.mjs';
import { parse, value } from './xml.mjs';

export class Package {
  constructor(files) {
    /** Path from the folder with sfdx-project.json, and text. */
    this.files = files;
    this.read();
  }

  static load(root) {
    const files = new Map();
    const visit = (folder) => {
      for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const at = path.join(folder, entry.name);
        if (entry.isDirectory()) visit(at);
        else files.set(path.relative(root, at), fs.readFileSync(at, 'utf8'));
      }
    };
    visit(root);
    return new Package(files);
  }

  /** A copy with other texts; null takes a file away. */
  withEdits(edits) {
    const files = new Map(this.files);
    for (const [at, text] of edits) {
      if (text === null) files.delete(at);
      else files.set(at, text);
    }
    return new Package(files);
  }

  /** Writes the package under `root`. */
  write(root) {
    for (const [at, text] of this.files) {
      const to = path.join(root, at);
      fs.mkdirSync(path.dirname(to), { recursive: true });
      fs.writeFileSync(to, text);
    }
  }

  read() {
    this.parts = [];
    this.strays = [];
    this.unreadable = [];
    for (const [at, text] of this.files) {
      if (!at.startsWith('force-app/')) continue;
      const found = place(at);
      if (!found) {
        this.strays.push(at);
        continue;
      }
      if (!found.type) {
        this.parts.push({ ...found, path: at, text });
        continue;
      }
      const root = parse(text);
      if (root instanceof Error) this.unreadable.push({ path: at, message: root.message });
      else this.parts.push({ ...found, path: at, root, text });
    }
  }

  /** Parts of one metadata type. */
  of(type) {
    return this.parts.filter((it) => it.type === type);
  }

  /** Names of all parts of one metadata type. */
  names(type) {
    return new Set(this.of(type).map((it) => it.full));
  }

  /** The project file as JSON. */
  project() {
    return JSON.parse(this.files.get('sfdx-project.json') ?? '{}');
  }
}

export const short = (at) => at.replace('force-app/main/default/', '');
export { value };
