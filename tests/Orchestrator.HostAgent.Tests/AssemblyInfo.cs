using Xunit.v3;

// Those with engines, one after the other in each of two worlds, mostly wait for them.
[assembly: Parallelization(MaxThreads = 4)]
