// What tensors are made of.
alias Word = f32;
