// requires: word, resize
// All of it, of words of this arithmetic.
