/** Finding by typing: the letters in order, better where they begin words and stand together. */

/** The items that have the letters of `typed` in that order, the best first. Without letters all, as they come. */
export function matches<T>(typed: string, items: readonly T[], textOf: (item: T) => string): T[] {
  const wanted = typed.toLowerCase().replace(/\s+/g, "");
  if (!wanted) return [...items];
  return items
    .map((item, i) => ({ item, i, score: score(wanted, textOf(item).toLowerCase()) }))
    .filter((m) => m.score > 0)
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .map((m) => m.item);
}

function score(wanted: string, text: string): number {
  const together = text.indexOf(wanted);
  if (together >= 0) return 1000 - together;
  let [at, total] = [0, 0];
  for (const letter of wanted) {
    const next = text.indexOf(letter, at);
    if (next < 0) return 0;
    total += next === 0 || !/\w/.test(text[next - 1]!) ? 10 : next === at ? 5 : 1;
    at = next + 1;
  }
  return total;
}

const MOST = 60;

/** What words mean and what has their letters, in the order to offer it: what they mean first. Where they are the name of a step
 * alone, all else that is called so comes before what is refused, and what only has the letters does not come at all. */
export function inOrder<T extends { text: string; note: string }>(words: string, meant: readonly T[], others: readonly T[]): T[] {
  const more = others.filter((e) => meant.every((m) => m.text !== e.text));
  if (!meant.length || /\s/.test(words)) return [...meant, ...more].slice(0, MOST);
  const called = more.filter((e) => e.text.toLowerCase().includes(words.toLowerCase()));
  const isRefused = (e: T) => e.note.startsWith("✗");
  return [...meant.filter((m) => !isRefused(m)), ...called.slice(0, MOST), ...meant.filter(isRefused)];
}
