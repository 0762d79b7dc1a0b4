// What tensors are made of.
alias Word = i32;
