"""The protocol checked exhaustively on small computations: whatever parties do, in every order (section 5).

First every dispute between two traces of every small chain is played by the real ``Dispute``, with every silence,
every deputy, and a crash of the referee at every point. Then everything that can happen in a market of a few parties
is made by the market's own operations, one request or deadline at a time.

What is not told apart, and why nothing that is checked depends on it:

- how many messages a dispute takes, and traces that play alike: see ``plays.shortest``; so the market does not grow
  with the chain, and sees no more of a trace than a root that stands for those that play alike;
- how much time passes: a deadline has passed or has not, in every order;
- what of a fact nothing reads any more (until when an answer was due that has come; in which order lots were drawn that
  are over), and which wrong root a party had committed to once its claim or lease is over: see ``world.LIVE`` and
  ``sides.closed``; a test goes through small markets told apart by all of it and by this side by side;
- money that is free, the fund's and what is burnt, and counts: see ``world``; what moves is checked as it moves;
- parties of one role of whom nothing is known yet: the first of them acts first;
- how often operations are made: each is made once for all states that do not differ in what it reads, see ``recall``.
"""
