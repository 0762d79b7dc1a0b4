"""The market simulated: the coordinator and the parties that run live, under a clock, latency and churn of a model.

Nothing of the market is modelled: bytes go through the same code as over sockets, every request is signed, every
dishonest result is a real wrong trace, and disputes are played message by message. What is modelled is around it: when
orders come, how fast devices are, how long messages take, who leaves and who cheats.
"""
