// requires: word, lines
// All of it, of words of this arithmetic.
