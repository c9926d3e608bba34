// The whole state of a playground in the address: #play?depth=8&...&step=12&guess=500.
import { LAST, complete } from "./model.js";

const MARK = "#play?";
export const MOST = 20000; // pieces that may be guessed

// The integer that the words say, if it lies between low and high; null otherwise.
export function whole(words, low, high) {
  const value = words?.trim() ? Number(words) : NaN;
  return Number.isInteger(value) && value >= low && value <= high ? value : null;
}

// { place, settings, guess, skipped, step }, or null if the address is not of this kind; what makes no sense in it is
// passed over.  place: which playground of the page is meant, the first is 1.
export function read(hash) {
  if (!hash.startsWith(MARK)) return null;
  const found = new URLSearchParams(hash.slice(MARK.length));
  return {
    place: whole(found.get("playground"), 1, 99) ?? 1,
    settings: complete(Object.fromEntries(found)),
    guess: whole(found.get("guess"), 1, MOST),
    skipped: found.get("guess") === "none",
    step: whole(found.get("step"), 0, LAST) ?? 0,
  };
}

export function write({ place, settings, guess, skipped, step }) {
  const chosen = new URLSearchParams({ ...settings, step });
  if (guess || skipped) chosen.set("guess", guess ?? "none");
  if (place > 1) chosen.set("playground", place);
  return `${MARK}${chosen}`;
}
