// requires: word, join
// All of it, of words of this arithmetic.
