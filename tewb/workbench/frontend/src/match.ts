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
